package scheduler

import (
	"context"
	"time"

	"neargate/internal/decide/rollout"
	"neargate/internal/model"
)

// defaultStopTimeout is how long containers have between SIGTERM and SIGKILL
// when their definition does not say. ECS: 30 s.
const defaultStopTimeout = 30 * time.Second

// stopContainers has the engine stop the task. Its targets are drained.
func (o *owner) stopContainers(ctx context.Context, t *task) {
	t.stopSent = true
	o.s.work.Go(func() {
		err := o.s.engine.Stop(ctx, t.ID, defaultStopTimeout)
		if ctx.Err() != nil {
			return
		}
		o.post(func() { o.stopReturned(t, err) })
	})
}

func (o *owner) stopReturned(t *task, err error) {
	if t.LastStatus == model.TaskStopped {
		return
	}
	if err != nil {
		o.s.log.Warn("stop task", "task", t.ID, "err", err)
		t.stopSent, t.retryAt = false, time.Now().Add(time.Second)
		return
	}
	o.finish(t, nil)
}

// ended takes the engine's word that a task has ended.
func (o *owner) ended(state model.RunState) {
	t, ok := o.tasks[state.ID]
	switch {
	case !ok:
		o.endedLate(state)
	case t.LastStatus == model.TaskStopped:
		t.stopAll(&state)
	case t.cancel != nil: // its start has not been reported yet
		t.exit = &state
	default:
		o.finish(t, &state)
	}
}

// endedLate adds exit codes to a task that was given up before they were known.
func (o *owner) endedLate(state model.RunState) {
	record, ok := o.s.records.Task(state.Labels[labelCluster], state.ID)
	if !ok || len(record.Containers) == 0 || record.Containers[0].ExitCode != nil {
		return
	}
	t := &task{Task: record, place: out}
	t.stopAll(&state)
	o.tasks[t.ID] = t // until it is written
}

// finish makes the task STOPPED. state is nil when the engine has not said how
// it ended.
func (o *owner) finish(t *task, state *model.RunState) {
	now := time.Now()
	if t.DesiredStatus != model.TaskStopped {
		t.DesiredStatus, t.StoppingAt = model.TaskStopped, now
		t.StopCode, t.StopReason = endOf(state)
		o.marks = append(o.marks, mark{t.DeploymentID, func(d model.Deployment, _ model.RolloutConfig) model.Deployment {
			return o.s.cfg.Backoff.Crashed(d, t.StartedAt, now)
		}})
		if !t.wasHealthy && (t.checked || len(t.LoadBalancers) > 0) {
			o.failedHealth(t)
		}
	}
	t.StoppedAt, t.ExecutionStoppedAt = now, now
	if state != nil && !state.StoppedAt.IsZero() {
		t.ExecutionStoppedAt = state.StoppedAt
	}
	t.stopAll(state)
	t.set(model.TaskStopped)
	t.retryAt = time.Time{}
}

// endOf gives stopCode and stoppedReason of a task that ended by itself.
func endOf(state *model.RunState) (code, reason string) {
	if state != nil && state.Failure != nil {
		return "TaskFailedToStart", reasonOf(state.Failure)
	}
	return "EssentialContainerExited", "Essential container in task exited"
}

// failedHealth counts the task for its deployment's circuit breaker.
func (o *owner) failedHealth(t *task) {
	o.marks = append(o.marks, mark{t.DeploymentID, func(d model.Deployment, _ model.RolloutConfig) model.Deployment {
		return rollout.FailedHealth(d)
	}})
}

// containersChanged takes a new state of containers of a task that goes on.
func (o *owner) containersChanged(state model.RunState) {
	t, ok := o.tasks[state.ID]
	if !ok || t.LastStatus == model.TaskStopped {
		return
	}
	t.learnContainers(state)
	t.Health = o.s.taskHealth(t.Task)
}

// taskHealth is the health of the essential containers that have a check.
func (s *Scheduler) taskHealth(t model.Task) string {
	def, _ := s.records.TaskDefinition(t.TaskDefinitionARN)
	health := map[string]string{}
	for _, c := range t.Containers {
		health[c.Name] = c.Health
	}
	worst := ""
	for _, c := range def.Containers {
		if !c.Essential || c.HealthCheck == nil {
			continue
		}
		switch h := health[c.Name]; {
		case h == "UNHEALTHY":
			return h
		case h != "HEALTHY":
			worst = "UNKNOWN"
		case worst == "":
			worst = h
		}
	}
	if worst == "" {
		return "UNKNOWN"
	}
	return worst
}
