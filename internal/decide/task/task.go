// Package task decides the life of one task: what happened to it goes in, its
// new state and what is to be done about it come out.
//
// It is pure: state, event and now are arguments, the new state and the orders
// are results. Whoever carries out an order answers it with an event, whether
// it succeeded or not; nothing else is kept between calls. Life stories in
// testdata show it event by event.
package task

import (
	"maps"
	"time"

	"neargate/internal/model"
)

// State is one task's life so far. The zero value is no task: begin with New
// or Recover. States are values: Next never changes the one it is given.
//
//	             written              Started             every group answered
//	PROVISIONING ───────▶ PENDING ───────────▶ ACTIVATING ─────────────▶ RUNNING
//	      │                  │                     │   without groups ─▶  │  ▲
//	      │ StopOrdered,     │ NotStarted,         │                      │  │ Resumed
//	      │ not begun yet    │ or StopOrdered:     │ StopOrdered          │  │
//	      │                  │ CancelStart, then   │                      │  │
//	      │                  │ NotStarted          ▼                      ▼  │
//	      │                  │                 DEACTIVATING ◀──────────────┘
//	      │                  │                     │ every group left
//	      │                  │                     ▼      without groups
//	      │                  │                 STOPPING ◀──────────────────
//	      ▼                  ▼                     │ Ended
//	   STOPPED ◀───────────────────────────────────┘     (Ended leads here from anywhere)
//	      │ every group left, the end written
//	      ▼
//	  forgotten
//
// In each target group the task has a standing of its own; see Standing.
type State struct {
	Record  model.Task // the task as it is to be on disk
	Changes int        // how many calls of Next have changed Record
	Written int        // the count of changes that is on disk
	Writing int        // the count of changes being written; 0: none is
	Def     model.TaskDefinition

	Groups map[string]Group // by target group ARN; those the task belongs into
	Exit   *model.RunState  // it ended before its start was answered
	News   *model.RunState  // its containers changed before its start was answered

	Healthy bool // has been healthy
	Proven  bool // has been healthy for long enough to count on it
	Failed  bool // has been counted as a failure of its deployment
	Surplus bool // stopped well, because there were too many
	Hurried bool // its containers do not wait until its targets have drained

	Starting, Cancelled bool // Start awaits its answer; it was told to give up
	Stopping            bool // Stop awaits its answer

	stopTries, writeTries int
	stopAt, writeAt       time.Time // not before, after a failure
	endBy                 time.Time // Stop was answered: its end is taken for granted then
}

// New returns the state of a task that is to be started.
func New(record model.Task, def model.TaskDefinition) State {
	s := State{Record: record, Def: def, Groups: map[string]Group{}}
	for _, lb := range record.LoadBalancers {
		s.Groups[lb.TargetGroupARN] = Group{}
	}
	for _, c := range record.Connect {
		s.Groups[c.DiscoveryARN] = Group{}
	}
	return s
}

// Next returns the state after e, which happened at now, and what it calls for.
func Next(s State, e Event, now time.Time) (State, Orders) {
	m := &move{State: s, now: now}
	m.Groups = maps.Clone(s.Groups)
	e.apply(m)
	m.advance()
	m.write()
	m.orders.Again = m.again()
	return m.State, m.orders
}

// Targets returns the task's targets in one of its target groups, or of its
// Service Connect endpoints, which are groups like others to it.
func (s State) Targets(group string) []model.Target {
	var all []model.Target
	for _, lb := range s.Record.LoadBalancers {
		if lb.TargetGroupARN == group {
			all = append(all, model.Target{IP: s.Record.IP, Port: lb.ContainerPort})
		}
	}
	for _, c := range s.Record.Connect {
		if c.DiscoveryARN == group {
			all = append(all, model.Target{IP: s.Record.IP, Port: c.ContainerPort})
		}
	}
	return all
}

// Ended reports whether the task is STOPPED.
func (s State) Ended() bool { return s.Record.LastStatus == model.TaskStopped }

// Leaving reports whether the task is on its way out, with its containers still
// running.
func (s State) Leaving() bool { return s.Record.LastStatus == model.TaskDeactivating }

// StopOrdered reports whether the task is to stop, or has.
func (s State) StopOrdered() bool { return s.Record.DesiredStatus == model.TaskStopped }

// Gone reports whether nothing is left to be done or written for the task.
func (s State) Gone() bool { return s.Ended() && !s.Starting && s.Deregistered() && s.Durable() }

// Durable reports whether the record on disk is the record of the state.
func (s State) Durable() bool { return s.Written == s.Changes }

// Deregistered reports whether no target group has or may have the task's
// targets in service. They may still drain.
func (s State) Deregistered() bool {
	return s.each(func(g Group) bool { return g.Standing == Out || g.Standing == Draining })
}

// move is one call of Next.
type move struct {
	State
	now     time.Time
	orders  Orders
	changed bool // the record is another one by now
}

// touch notes that the record has changed.
func (m *move) touch() {
	if !m.changed {
		m.changed = true
		m.Changes++
	}
}

// set moves the task to a status.
func (m *move) set(status model.TaskStatus) {
	m.Record.LastStatus = status
	m.touch()
}

// order orders something that may precede the write.
func (m *move) order(o Order) { m.orders.Now = append(m.orders.Now, o) }

// tell tells a fact.
func (m *move) tell(f Fact) { m.orders.Facts = append(m.orders.Facts, f) }
