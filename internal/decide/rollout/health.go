package rollout

import "time"

// Checks is what is known of a RUNNING task's health.
type Checks struct {
	RunningSince time.Time
	HealthySince time.Time // when it was first judged Healthy; zero: not yet
	// Targets has the state in each of its target groups, in ELB's words; ""
	// when it is not registered there.
	Targets []string
	// Container is the health by container checks, UNKNOWN, HEALTHY or
	// UNHEALTHY; "" when no essential container has a check.
	Container string
}

// Timing is how long health is waited for.
type Timing struct {
	Grace time.Duration // after RUNNING, failed checks are ignored
	// Checked and Unchecked are how long a task must have been healthy until it
	// is Proven, with a health check and without any. A task that nothing checks
	// is healthy as soon as it is RUNNING. On AWS: at once, and 40 s.
	Checked, Unchecked time.Duration
}

// Verdict is what the checks of a task amount to.
type Verdict struct {
	Health Health
	Proven bool      // healthy for long enough that old tasks may go for it
	Again  time.Time // when time alone may change the verdict; zero: not
}

// Judge returns the health of a RUNNING task.
func Judge(c Checks, t Timing, now time.Time) Verdict {
	failing, waiting, checked := c.Container == "UNHEALTHY", c.Container == "UNKNOWN", c.Container != ""
	for _, state := range c.Targets {
		switch state {
		case "unhealthy":
			failing, checked = true, true
		case "healthy", "unavailable": // unavailable: health checks are off
			checked = true
		case "unused": // no listener uses the group, so nothing checks it
		default:
			waiting, checked = true, true
		}
	}
	switch {
	case failing && now.Before(c.RunningSince.Add(t.Grace)):
		return Verdict{Again: c.RunningSince.Add(t.Grace)}
	case failing:
		return Verdict{Health: Unhealthy}
	case waiting:
		return Verdict{}
	}
	since, need := c.HealthySince, t.Checked
	if since.IsZero() {
		since = now
	}
	if !checked {
		since, need = c.RunningSince, t.Unchecked
	}
	if proven := since.Add(need); now.Before(proven) {
		return Verdict{Health: Healthy, Again: proven}
	}
	return Verdict{Health: Healthy, Proven: true}
}
