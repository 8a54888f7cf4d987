package task

import (
	"time"

	"neargate/internal/model"
)

// advance orders the next thing that the state calls for.
func (m *move) advance() {
	switch m.Record.LastStatus {
	case model.TaskProvisioning, model.TaskPending:
		m.begin()
	case model.TaskActivating:
		m.enter()
		if m.answered() {
			m.run()
		}
	case model.TaskRunning:
		m.enter()
	case model.TaskDeactivating:
		m.exit()
		if m.released() {
			m.set(model.TaskStopping)
			m.halt()
		}
	case model.TaskStopping:
		m.exit()
		m.halt()
	case model.TaskStopped:
		m.exit()
		if !m.Starting && m.Deregistered() {
			m.orders.Then = append(m.orders.Then, Order{Kind: Forget})
		}
	default: // DEPROVISIONING is AWS's own, nothing here is in it
	}
}

// begin starts the task, or ends it before it has begun.
func (m *move) begin() {
	switch {
	case !m.Starting && m.StopOrdered():
		m.finish(nil)
		m.advance()
	case !m.Starting:
		m.Starting = true
		m.Record.Starts++
		m.touch()
		m.order(Order{Kind: Start})
	case m.StopOrdered() && !m.Cancelled:
		m.Cancelled = true
		m.order(Order{Kind: CancelStart})
	}
}

// started takes the engine's word that the task runs.
func (m *move) started(run model.RunState) {
	m.Starting = false
	m.learn(run)
	if news := m.News; news != nil {
		m.News = nil
		m.learnContainers(*news)
	}
	if !run.Running && m.Exit == nil {
		m.Exit = &run
	}
	if exit := m.Exit; exit != nil {
		m.Exit = nil
		m.tell(Fact{Kind: IsRunning})
		m.finish(exit)
		return
	}
	switch {
	case m.StopOrdered(): // the order came too late to end the start
		m.set(model.TaskStopping)
	case len(m.Groups) > 0:
		m.set(model.TaskActivating)
	default:
		m.run()
	}
}

func (m *move) run() {
	m.set(model.TaskRunning)
	m.tell(Fact{Kind: IsRunning})
}

// notStarted ends a task that did not reach RUNNING.
func (m *move) notStarted(e NotStarted) {
	reason, blamed, run := e.Reason, "", e.Run
	m.Starting, m.News = false, nil
	m.Record.PullStartedAt, m.Record.PullStoppedAt = run.PullStartedAt, run.PullStoppedAt
	if !m.StopOrdered() {
		code := "TaskFailedToStart"
		if reason == "" {
			code, reason = endOf(&run)
		}
		blamed = e.Container
		m.stopping(code, reason, run.StoppingAt)
		m.tell(Fact{Kind: DidNotStart, Reason: reason})
		m.fail()
	}
	m.finish(&run)
	if blamed != "" {
		m.blame(blamed, reason)
	}
}

// stop orders the task to stop.
func (m *move) stop(e StopOrdered) {
	m.Hurried = m.Hurried || e.Hurry
	if m.StopOrdered() {
		return
	}
	m.stopping(e.Code, e.Reason, m.now)
	m.Surplus = e.Surplus
	for name, g := range m.Groups {
		m.Groups[name] = Group{Standing: g.Standing} // refusals so far were of another kind
	}
	if m.Record.LastStatus != model.TaskActivating && m.Record.LastStatus != model.TaskRunning {
		return // begin ends the start
	}
	if len(m.Groups) > 0 {
		m.set(model.TaskDeactivating)
	} else {
		m.set(model.TaskStopping)
	}
}

// stopping notes that and why the task is to stop, or has begun to by itself at
// some moment; zero: now.
func (m *move) stopping(code, reason string, at time.Time) {
	if at.IsZero() || at.After(m.now) {
		at = m.now
	}
	r := &m.Record
	r.DesiredStatus, r.StopCode, r.StopReason, r.StoppingAt = model.TaskStopped, code, reason, at
	m.touch()
}

// halt has the engine stop the containers. Once it has said that it did, the
// end itself is only waited for so long.
func (m *move) halt() {
	switch {
	case !m.endBy.IsZero():
		if !m.now.Before(m.endBy) {
			m.finish(nil)
			m.advance()
		}
	case !m.Stopping && !m.now.Before(m.stopAt):
		m.Stopping = true
		m.order(Order{Kind: Stop})
	}
}

// ended takes the engine's word that the task has ended.
func (m *move) ended(run model.RunState) {
	switch {
	case m.Starting: // its start has not been answered yet
		m.Exit = &run
	case m.Ended(): // it was given up before its exit codes were known
		m.learnContainers(run)
		m.stopContainers()
	default:
		m.finish(&run)
	}
}

// finish makes the task STOPPED. run is nil when the engine has not said how it
// ended.
func (m *move) finish(run *model.RunState) {
	r := &m.Record
	if !m.StopOrdered() {
		var began time.Time
		if run != nil {
			began = run.StoppingAt
		}
		code, reason := endOf(run)
		m.stopping(code, reason, began)
		m.tell(Fact{Kind: Crashed})
		if !m.Proven {
			m.fail()
		}
	}
	r.StoppedAt, r.ExecutionStoppedAt = m.now, m.now
	if run != nil {
		m.learnContainers(*run)
		if !run.StoppedAt.IsZero() {
			r.ExecutionStoppedAt = run.StoppedAt
		}
	}
	m.stopContainers()
	m.lose()
	m.endBy, m.stopAt = time.Time{}, time.Time{}
	m.set(model.TaskStopped)
}

// endOf returns stopCode and stoppedReason of a task that ended by itself.
func endOf(run *model.RunState) (code, reason string) {
	if run != nil && run.Failure != nil {
		code = "TaskFailedToStart"
		if !run.StartedAt.IsZero() {
			code = "InfrastructureHealth"
		}
		return code, run.Failure.Code + ": " + run.Failure.Msg
	}
	return "EssentialContainerExited", "Essential container in task exited"
}

// fail counts the task as a failure of its deployment, once.
func (m *move) fail() {
	if !m.Failed {
		m.Failed = true
		m.tell(Fact{Kind: HasFailed})
	}
}

// write orders the record to be written when it has changed.
func (m *move) write() {
	if !m.Durable() && m.Writing == 0 && !m.now.Before(m.writeAt) {
		m.Writing = m.Changes
		m.order(Order{Kind: Write})
	}
}

// again is when something is due by time alone.
func (m *move) again() time.Time {
	var at time.Time
	due := func(t time.Time) {
		if t.After(m.now) && (at.IsZero() || t.Before(at)) {
			at = t
		}
	}
	due(m.stopAt)
	due(m.endBy)
	if !m.Durable() {
		due(m.writeAt)
	}
	for _, g := range m.Groups {
		due(g.At)
	}
	return at
}
