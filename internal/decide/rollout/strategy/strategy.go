// Package strategy decides the next step of a service whose deployments go by
// stages: it runs two revisions side by side, shifts test and production traffic
// from one to the other, pauses, bakes, goes back. For a rolling update it puts
// pauses, alarms and a bake time around what package rollout decides.
//
// It is pure: records, tasks, the weights of the listener rules and now in, a
// Step out. It keeps nothing between calls. How far a deployment has come stands
// in its record (model.Progress), which is written before anything is done that
// follows from it: whoever asks again after a crash is told the same.
package strategy

import (
	"time"

	"neargate/internal/decide/rollout"
	"neargate/internal/model"
)

// Whole is all of the traffic, in tenths of a percent.
const Whole = 1000

// Unsure is the share of traffic of which the rules say different things.
const Unsure = -1

// Traffic is what the listener rules of a service say now.
type Traffic struct {
	// Production and Test are the shares of the primary deployment's target
	// groups in tenths of a percent, or Unsure. Before it has groups of its own
	// they are the shares of those that it will have.
	Production, Test int
	// Routed and Tested report whether there are rules to shift production and
	// test traffic by.
	Routed, Tested bool
	// Problem is why not all traffic can be shifted, in ECS's words; "": it can.
	Problem string
}

// Input is what a decision rests on. Tasks are those of rollout.Next.
type Input struct {
	Service model.Service
	Tasks   []rollout.Task
	Backoff rollout.Backoff
	Traffic Traffic
	Alarms  []string // of the deployment, in ALARM now
	// Window is the longest time over which one of the deployment's alarms is
	// evaluated.
	Window time.Duration
	Now    time.Time
}

// Step is what to do now. When Advanced is set, Progress is to be written and
// nothing else done; the next step follows from that.
type Step struct {
	Advanced bool
	Progress model.Progress // of the primary deployment
	Sides    []Side         // what to do with the tasks of deployments
	Shift    *Shift         // have the rules say this; nil: leave them
	Failure  *Failure       // the primary deployment fails; nil: it does not

	rollout.Step // what holds for the service: all but tasks
}

// Side is what to do with the tasks of one deployment.
type Side struct {
	Deployment model.Deployment
	rollout.Step
}

// Shift is the shares of traffic that the primary deployment's target groups are
// to have, in tenths of a percent.
type Shift struct{ Production, Test int }

// Next returns the next step of a service.
func Next(in Input) Step {
	svc := in.Service
	if svc.Status != model.Active || len(svc.Deployments) == 0 || svc.Deployments[0].RolloutState == rollout.Completed {
		return plain(in)
	}
	m := newMachine(in)
	switch {
	case m.primary.RolloutState == rollout.Failed:
		return m.held()
	case !m.strategy.Shifts():
		return m.rolling()
	}
	return m.shifting()
}

// plain is the step of a service that does not deploy by stages.
func plain(in Input) Step {
	step := rollout.Next(in.Service, in.Tasks, in.Backoff, in.Now)
	out := Step{Step: step}
	if step.Fail {
		out.Failure = &Failure{Cause: Tripped, Rollback: in.Service.Rollout.Rollback}
	}
	if len(in.Service.Deployments) > 0 {
		out.Sides = []Side{{in.Service.Deployments[0], step}}
	}
	return out
}
