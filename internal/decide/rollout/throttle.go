package rollout

import (
	"time"

	"neargate/internal/model"
)

// impairedAfter is how many rounds of tasks in a row must fail to start until
// the service is said to be unable to start tasks consistently.
const impairedAfter = 3

// Backoff is how long to wait before failing tasks are replaced.
type Backoff struct {
	// First is the wait after tasks that did not reach RUNNING; it doubles each
	// time, up to Max. ECS's grows to 15 minutes; its first is not published.
	First, Max time.Duration
	// CrashMax bounds the wait after tasks that ran for less than ShortLife.
	// ECS does not delay those, but on Fargate every start takes half a minute;
	// where it takes a tenth of a second, something must keep a task that exits
	// at once from being started ten times a second.
	CrashMax, ShortLife time.Duration
}

// DefaultBackoff waits 1 s at first, 15 min at most, and 10 s at most after
// crashes.
func DefaultBackoff() Backoff {
	return Backoff{First: time.Second, Max: 15 * time.Minute, CrashMax: 10 * time.Second, ShortLife: 10 * time.Second}
}

// Retry is when tasks of d may be started again; zero: at once. The first crash
// is replaced at once.
func (b Backoff) Retry(d model.Deployment) time.Time {
	var at time.Time
	if d.StartFailures > 0 {
		at = d.StartFailedAt.Add(doubled(b.First, d.StartFailures, b.Max))
	}
	if d.Crashes > 1 {
		if crash := d.CrashedAt.Add(doubled(b.First, d.Crashes-1, b.CrashMax)); crash.After(at) {
			at = crash
		}
	}
	return at
}

// doubled is the wait after n failed rounds: 1 s, 2 s, 4 s, … limit.
func doubled(d time.Duration, n int, limit time.Duration) time.Duration {
	for ; n > 1 && d < limit; n-- {
		d *= 2
	}
	return min(d, limit)
}

// Crashed notes that a task of d, RUNNING since started, ended by itself at
// now. A task that lived long enough ends the count; tasks of one round count
// once.
func (b Backoff) Crashed(d model.Deployment, started, now time.Time) model.Deployment {
	switch {
	case now.Sub(started) >= b.ShortLife:
		d.Crashes, d.CrashedAt = 0, time.Time{}
	case d.Crashes == 0 || !started.Before(d.CrashedAt):
		d.Crashes++
		d.CrashedAt = now
	}
	return d
}

// NotStarted notes that a task of d, made at created, ended at now without
// having reached RUNNING. Tasks of one round, ordered before the last noted
// failure, count once for the back-off.
func NotStarted(d model.Deployment, created, now time.Time) model.Deployment {
	if d.StartFailures == 0 || !created.Before(d.StartFailedAt) {
		d.StartFailures++
		d.StartFailedAt = now
	}
	return d
}

// Started forgets the failed starts of d: one of its tasks is RUNNING.
func Started(d model.Deployment) model.Deployment {
	d.StartFailures, d.StartFailedAt = 0, time.Time{}
	return d
}

// TaskFailed counts a task of d for the circuit breaker: one that never became
// healthy, or not for long enough, whatever says so. That is a start that
// failed, an end by itself, a target or a container that is unhealthy.
func TaskFailed(d model.Deployment) model.Deployment {
	if d.RolloutState == InProgress {
		d.FailedTasks++
	}
	return d
}

// TaskProved notes that a task of d has been healthy for long enough, which resets
// the circuit breaker's count unless cfg keeps it.
func TaskProved(d model.Deployment, cfg model.RolloutConfig) model.Deployment {
	if !cfg.KeepFailures && d.RolloutState == InProgress {
		d.FailedTasks = 0
	}
	return d
}

// Threshold is how many failed tasks trip the circuit breaker: half of
// desired, rounded up, between 3 and 200, unless cfg says otherwise.
// API_ServiceDeploymentCircuitBreaker.
func Threshold(cfg model.RolloutConfig, desired int) int {
	value := cfg.ThresholdValue
	if value == 0 {
		value = 50
	}
	switch cfg.ThresholdType {
	case "COUNT":
		return value
	case "UNBOUNDED_PERCENT":
		return max(1, ceilPercent(desired, value))
	default:
		return min(max(ceilPercent(desired, value), 3), 200)
	}
}

func (c *counts) tripped(cfg model.RolloutConfig) bool {
	return cfg.CircuitBreaker && c.primary.RolloutState == InProgress && c.primary.FailedTasks >= Threshold(cfg, c.desired)
}
