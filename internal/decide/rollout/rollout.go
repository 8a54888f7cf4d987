// Package rollout decides the next step of a service: which tasks to start, to
// take back from draining and to stop, and when a deployment is complete, has
// failed or is stuck. It follows the rules of the ECS rolling update.
//
// It is pure: service, tasks and now in, a Step out. It keeps nothing between
// calls; what must be remembered stands in the deployments.
package rollout

import (
	"time"

	"neargate/internal/model"
)

// Phase is where a task is between its order and its end, as far as a
// rollout cares.
type Phase int

// The phases. Only a Draining task can go back, to Running.
const (
	Starting Phase = iota // ordered, not RUNNING yet
	Running
	Draining // leaves its target groups, containers still run
	Stopping // containers are being stopped
	Ended    // no containers any more, but targets in service
)

// Health is a RUNNING task's standing, from Judge.
type Health int

// The healths. Tasks that are not Running have none and are Waiting.
const (
	Waiting Health = iota // not known to be well yet
	Healthy
	Unhealthy
)

// Task is what a rollout knows of one task.
type Task struct {
	ID         string
	Deployment string // ID
	Phase      Phase
	Health     Health
	Proven     bool // Healthy for long enough that old tasks may go for it
	CanReturn  bool // Draining, was well, and can be taken back now
	Registered bool // Draining, and a target group has its targets in service still
	Protected  bool // not to be stopped while it is well, but with its service
}

// Why is why a task is stopped.
type Why int

// The reasons.
const (
	Surplus  Why = iota // more tasks than desired
	Replaced            // its deployment is being replaced
	Unwell              // it is Unhealthy
	Deleted             // the service goes away
)

// Stop is an order to stop one task.
type Stop struct {
	ID  string
	Why Why
}

// Step is what to do now. Its zero value is: nothing.
type Step struct {
	Return []string // draining tasks to take back into service
	Start  int      // tasks of the primary deployment to start, after Return
	Stop   []Stop
	Retire []string // deployments that are replaced and have no tasks left

	// Kept are the tasks that should go and are protected.
	Kept []string

	Complete bool // the primary deployment is complete now
	Fail     bool // the circuit breaker trips for the primary deployment
	Steady   bool // the service is as desired
	Held     bool // tasks are missing, and wait for the targets of ended ones to go
	Blocked  bool // the deployment configuration lets nothing stop or start
	Impaired bool // tasks do not start consistently; the next try is at Again
	Gone     bool // the deleted service has no tasks left

	Again time.Time // look again then at the latest; zero: only when something changes
}

// Next returns the next step of svc with its tasks, which come in the order in
// which to stop them (package placement); those that have ended are left out
// once no target group has their targets in service.
// The first of the service's deployments is the primary one.
func Next(svc model.Service, tasks []Task, backoff Backoff, now time.Time) Step {
	c := count(svc, tasks)
	switch {
	case svc.Status != model.Active:
		return c.remove()
	case len(svc.Deployments) == 0:
		return Step{}
	case c.primary.RolloutState == Failed:
		return c.hold()
	case c.tripped(svc.Rollout):
		return Step{Fail: true}
	}
	c.fill(backoff, now)
	c.trim()
	c.replaceOld()
	c.clearUnwell()
	c.conclude()
	return c.step
}

// The rollout states of a deployment.
const (
	InProgress = "IN_PROGRESS"
	Completed  = "COMPLETED"
	Failed     = "FAILED"
)
