package task

import (
	"time"

	"neargate/internal/model"
)

// startLimit is how many servers may try to start one task. A start that ends
// a server is not to end the next one as well, and the one after that.
const startLimit = 3

// Recover returns the state of a task of an earlier server: its record, what
// the engine has of it (nil: nothing), and which of its target groups have its
// targets now. What became of it while no server looked is no failure of its
// deployment. A Tick follows, also for a task that had ended: the server may
// have died between that and the end of its targets.
func Recover(record model.Task, def model.TaskDefinition, run *model.RunState, standing map[string]Standing, now time.Time) State {
	m := &move{State: New(record, def), now: now}
	m.Failed = true
	for name := range m.Groups {
		m.Groups[name] = Group{Standing: standing[name]}
	}
	began := !record.StartedAt.IsZero()
	switch {
	case m.Ended():
	case run == nil && !began && !m.StopOrdered() && record.Starts < startLimit:
		m.Failed = false
		m.set(model.TaskProvisioning) // the start that was under way is made again
	case run == nil || !run.Running:
		m.lost(run, began)
	case m.StopOrdered():
		m.learn(*run)
		m.set(model.TaskDeactivating)
	default:
		m.learn(*run)
		m.Healthy, m.Proven = began, began
		m.Failed = began
		m.set(model.TaskActivating)
		if len(m.Groups) == 0 || began {
			m.set(model.TaskRunning)
		}
	}
	return m.State
}

// lost ends a task that ended while no server looked.
func (m *move) lost(run *model.RunState, began bool) {
	switch {
	case m.StopOrdered() || run != nil:
	case began:
		m.stopping("InfrastructureHealth", "InternalError: the task was lost while the server was down", m.now)
	default:
		m.stopping("TaskFailedToStart", "ResourceInitializationError: the server stopped each time the task started", m.now)
	}
	m.finish(run)
}
