package scheduler

import (
	"context"
	"errors"
	"time"

	"neargate/internal/decide/rollout"
	"neargate/internal/model"
)

var errStopOrdered = errors.New("the task was stopped while it started")

// start has the engine start the task, and its targets registered as soon as
// it runs. The worker reports by started.
func (o *owner) start(ctx context.Context, t *task) {
	spec, err := o.s.spec(t.Task)
	runCtx, cancel := context.WithCancelCause(ctx)
	t.cancel = cancel
	if t.DesiredStatus == model.TaskStopped {
		cancel(errStopOrdered)
	}
	groups := t.LoadBalancers
	o.s.work.Go(func() {
		defer cancel(nil)
		var state model.RunState
		if err == nil {
			state, err = o.s.runTask(runCtx, spec)
		}
		if ctx.Err() != nil {
			return // the server ends: the next one finds out
		}
		stand := out
		if err == nil && state.Running && len(groups) > 0 && runCtx.Err() == nil {
			o.post(func() { o.activating(t, state) })
			if o.register(runCtx, model.Task{ID: t.ID, IP: state.IP, LoadBalancers: groups}) {
				stand = in
			}
		}
		o.post(func() { o.started(t, state, stand, err) })
	})
}

// runTask runs the task when its log groups are there.
func (s *Scheduler) runTask(ctx context.Context, spec model.TaskSpec) (model.RunState, error) {
	if err := s.readyLogs(ctx, spec); err != nil {
		return model.RunState{}, err
	}
	return s.engine.Start(ctx, spec)
}

// activating notes that the containers run and the targets are being registered.
func (o *owner) activating(t *task, state model.RunState) {
	if t.LastStatus == model.TaskProvisioning || t.LastStatus == model.TaskPending {
		t.learn(state)
		t.set(model.TaskActivating)
	}
}

// started takes the outcome of a start.
func (o *owner) started(t *task, state model.RunState, stand place, err error) {
	t.cancel, t.place = nil, stand
	if stand == in {
		o.countTargets(t, 1)
	}
	if err != nil {
		o.notStarted(t, err)
		return
	}
	t.learn(state)
	if t.DesiredStatus == model.TaskStopped { // the order came too late to end the start
		t.set(model.TaskStopping)
		if t.place == in {
			t.set(model.TaskDeactivating)
		}
	} else {
		t.set(model.TaskRunning)
		o.marks = append(o.marks, mark{t.DeploymentID, func(d model.Deployment, _ model.RolloutConfig) model.Deployment {
			return rollout.Started(d)
		}})
	}
	if stand == out && len(t.LoadBalancers) > 0 {
		t.retryAt = time.Now().Add(time.Second)
	}
	if t.exit == nil && !state.Running {
		t.exit = &state
	}
	if t.exit != nil {
		o.ended(*t.exit)
	}
}

// notStarted ends a task that did not reach RUNNING.
func (o *owner) notStarted(t *task, err error) {
	now := time.Now()
	if t.DesiredStatus != model.TaskStopped {
		t.DesiredStatus, t.StoppingAt = model.TaskStopped, now
		t.StopCode, t.StopReason = "TaskFailedToStart", reasonOf(err)
		o.marks = append(o.marks, mark{t.DeploymentID, func(d model.Deployment, _ model.RolloutConfig) model.Deployment {
			return rollout.NotStarted(d, t.CreatedAt, now)
		}})
		o.s.log.Warn("task did not start", "task", t.ID, "service", o.key, "err", err)
	}
	t.StoppedAt, t.ExecutionStoppedAt = now, now
	t.stopAll(nil)
	t.set(model.TaskStopped)
}

// reasonOf is an engine's error as a stoppedReason: "CODE: text".
func reasonOf(err error) string {
	if e, ok := errors.AsType[*model.Error](err); ok {
		return e.Code + ": " + e.Msg
	}
	return "ResourceInitializationError: " + err.Error()
}

// learn takes over what the engine says of a running task.
func (t *task) learn(state model.RunState) {
	t.IP, t.MAC = state.IP, state.MAC
	t.PullStartedAt, t.PullStoppedAt, t.StartedAt = state.PullStartedAt, state.PullStoppedAt, state.StartedAt
	if t.StartedAt.IsZero() {
		t.StartedAt = time.Now()
	}
	t.eachContainer(func(c *model.Container) { c.LastStatus = model.TaskRunning })
	t.learnContainers(state)
}

func (t *task) learnContainers(state model.RunState) {
	t.eachContainer(func(c *model.Container) {
		for _, known := range state.Containers {
			if known.Name != c.Name {
				continue
			}
			c.ImageDigest, c.RuntimeID = known.ImageDigest, known.RuntimeID
			c.ExitCode, c.Reason = known.ExitCode, known.Reason
			if known.Health != "" {
				c.Health = known.Health
			}
			if !known.Running && known.ExitCode != nil {
				c.LastStatus = model.TaskStopped
			}
		}
	})
}

// eachContainer changes the containers in a fresh list, as the old one may be
// in the store.
func (t *task) eachContainer(change func(*model.Container)) {
	all := make([]model.Container, len(t.Containers))
	for i, c := range t.Containers {
		change(&c)
		all[i] = c
	}
	t.Containers, t.dirty = all, true
}

// stopAll marks every container as stopped.
func (t *task) stopAll(state *model.RunState) {
	if state != nil {
		t.learnContainers(*state)
	}
	t.eachContainer(func(c *model.Container) { c.LastStatus = model.TaskStopped })
}
