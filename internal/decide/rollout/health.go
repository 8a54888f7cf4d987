package rollout

import "time"

// Checks is what is known of a RUNNING task's health.
type Checks struct {
	RunningSince time.Time
	// Targets has the state in each of its target groups, in ELB's words; ""
	// when it is not registered there.
	Targets []string
	// Container is the health by container checks, UNKNOWN, HEALTHY or
	// UNHEALTHY; "" when no essential container has a check.
	Container string
}

// Timing is how long health is waited for.
type Timing struct {
	Grace  time.Duration // after RUNNING, failed checks are ignored
	Settle time.Duration // after RUNNING, until a task without any check counts as healthy: 40 s on AWS
}

// Judge gives the health of a RUNNING task. again is when the answer may
// change by time alone; zero: not.
func Judge(c Checks, t Timing, now time.Time) (h Health, again time.Time) {
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
		return Waiting, c.RunningSince.Add(t.Grace)
	case failing:
		return Unhealthy, time.Time{}
	case waiting:
		return Waiting, time.Time{}
	case !checked && now.Before(c.RunningSince.Add(t.Settle)):
		return Waiting, c.RunningSince.Add(t.Settle)
	}
	return Healthy, time.Time{}
}
