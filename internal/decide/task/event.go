package task

import (
	"time"

	"neargate/internal/model"
)

// Event is something that happened to a task.
type Event interface{ apply(m *move) }

// Tick is the passing of time.
type Tick struct{}

// Started answers Start: the engine runs the task. A Run that is not Running
// ended at once.
type Started struct{ Run model.RunState }

// NotStarted answers Start: it failed, or was cancelled. Run has what is known
// of the containers.
type NotStarted struct {
	Reason    string // "CODE: text"; "": the task ended by itself before all its containers had been started
	Container string // the one that Reason is about; "": it is about the task
	Run       model.RunState
}

// Ended is the engine's word that the task has ended.
type Ended struct{ Run model.RunState }

// ContainersChanged is the engine's word that a container has ended or has
// another health.
type ContainersChanged struct{ Run model.RunState }

// StopOrdered is an order to end the task. The first one counts.
type StopOrdered struct {
	Code, Reason string // stopCode, stoppedReason
	Surplus      bool   // it is well, and there are too many
	// Hurry has the containers stopped before the targets have drained. It counts
	// also where the task has an order.
	Hurry bool
}

// Resumed takes the task back into service; see CanResume.
type Resumed struct{}

// StopDone answers Stop: the task has ended.
type StopDone struct{}

// StopFailed answers Stop.
type StopFailed struct{}

// Registered answers Register.
type Registered struct{ Group string }

// Deregistered answers Deregister: the targets drain.
type Deregistered struct{ Group string }

// Refused answers Register and Deregister.
type Refused struct {
	Group, Reason string
	Gone          bool // there is no such target group any more
}

// Drained is the balancer's word that the targets of the task have left Group.
type Drained struct{ Group string }

// BecameHealthy says that the task's checks passed.
type BecameHealthy struct{}

// Proved says that the task has been healthy for long enough.
type Proved struct{}

// BecameUnhealthy says that the task failed its checks.
type BecameUnhealthy struct{}

// Written answers Write.
type Written struct{ Changes int }

// WriteFailed answers Write.
type WriteFailed struct{ Changes int }

func (Tick) apply(*move) {}

func (e Started) apply(m *move)           { m.started(e.Run) }
func (e NotStarted) apply(m *move)        { m.notStarted(e) }
func (e Ended) apply(m *move)             { m.ended(e.Run) }
func (e ContainersChanged) apply(m *move) { m.containersChanged(e.Run) }
func (e StopOrdered) apply(m *move)       { m.stop(e) }
func (Resumed) apply(m *move)             { m.resume() }
func (e Registered) apply(m *move)        { m.registered(e.Group) }
func (e Deregistered) apply(m *move)      { m.deregistered(e.Group) }
func (e Refused) apply(m *move)           { m.refused(e) }
func (e Drained) apply(m *move)           { m.drained(e.Group) }
func (BecameUnhealthy) apply(m *move)     { m.fail() }

// endGrace is how long the word that the task has ended may come after Stop was
// answered. An engine that keeps its contract needs none of it.
const endGrace = 5 * time.Second

func (StopDone) apply(m *move) {
	m.Stopping, m.stopTries = false, 0
	if !m.Ended() {
		m.endBy = m.now.Add(endGrace)
	}
}

func (StopFailed) apply(m *move) {
	m.Stopping = false
	m.stopTries++
	m.stopAt = m.now.Add(pause(m.stopTries))
}

func (BecameHealthy) apply(m *move) { m.Healthy = true }

func (Proved) apply(m *move) {
	if !m.Proven {
		m.Healthy, m.Proven = true, true
		m.tell(Fact{Kind: IsProven})
	}
}

func (e Written) apply(m *move) {
	m.Writing, m.writeTries = 0, 0
	m.Written = max(m.Written, e.Changes)
	if m.Record.LastStatus == model.TaskProvisioning && m.Starting {
		m.set(model.TaskPending)
	}
}

func (e WriteFailed) apply(m *move) {
	m.Writing = 0
	m.writeTries++
	m.writeAt = m.now.Add(pause(m.writeTries))
}

// pause is how long to wait after the nth failure in a row: 1 s, 2 s, 4 s, 8 s,
// then always 10 s.
func pause(n int) time.Duration {
	return min(time.Second<<min(n-1, 4), 10*time.Second)
}
