package scheduler

import (
	"cmp"
	"context"
	"slices"
	"time"

	"neargate/internal/decide/rollout"
	"neargate/internal/model"
)

// place is where a task stands with its target groups.
type place int

// A task goes round: out -> entering -> in -> leaving -> out. Workers do the
// steps entering and leaving; while one is at it, nothing else touches the
// task's targets. A task without target groups stays out.
const (
	out place = iota
	entering
	in
	leaving
)

// task is a task with what its owner knows beyond the record.
type task struct {
	model.Task
	dirty   bool // the record has changed since it was written
	checked bool // an essential container has a health check

	cancel     context.CancelCauseFunc // ends the start that is under way; nil: none is
	exit       *model.RunState         // it ended before its start was reported
	place      place
	stopSent   bool      // the engine has been told to stop it
	retryAt    time.Time // of what went wrong last
	health     rollout.Health
	wasHealthy bool
	why        rollout.Why
}

// set moves the task to a state.
func (t *task) set(status model.TaskStatus) {
	t.LastStatus, t.dirty = status, true
}

// phase is the task's place in a rollout.
func (t *task) phase() rollout.Phase {
	switch t.LastStatus {
	case model.TaskProvisioning, model.TaskPending, model.TaskActivating:
		if t.DesiredStatus == model.TaskStopped {
			return rollout.Stopping
		}
		return rollout.Starting
	case model.TaskRunning:
		return rollout.Running
	case model.TaskDeactivating:
		return rollout.Draining
	default:
		return rollout.Stopping
	}
}

// addresses are the task's targets by target group.
func (t *task) addresses() map[string][]model.Target {
	all := map[string][]model.Target{}
	for _, lb := range t.LoadBalancers {
		all[lb.TargetGroupARN] = append(all[lb.TargetGroupARN], model.Target{IP: t.IP, Port: lb.ContainerPort})
	}
	return all
}

// ordered gives the owner's tasks, oldest first.
func (o *owner) ordered() []*task {
	all := make([]*task, 0, len(o.tasks))
	for _, t := range o.tasks {
		all = append(all, t)
	}
	slices.SortFunc(all, func(a, b *task) int {
		return cmp.Or(a.CreatedAt.Compare(b.CreatedAt), cmp.Compare(a.ID, b.ID))
	})
	return all
}

// adopt makes the owner responsible for a task.
func (o *owner) adopt(record model.Task) *task {
	t := &task{Task: record}
	if def, ok := o.s.records.TaskDefinition(record.TaskDefinitionARN); ok {
		for _, c := range def.Containers {
			t.checked = t.checked || c.Essential && c.HealthCheck != nil
		}
	}
	o.tasks[t.ID] = t
	return t
}

// stop orders a task to stop. It is carried out by advance.
func (o *owner) stop(t *task, code, reason string) {
	if t.DesiredStatus == model.TaskStopped {
		return
	}
	t.DesiredStatus, t.StopCode, t.StopReason, t.StoppingAt = model.TaskStopped, code, reason, time.Now()
	t.dirty = true
	switch {
	case t.LastStatus != model.TaskRunning:
		if t.cancel != nil {
			t.cancel(errStopOrdered)
		}
	case len(t.LoadBalancers) > 0:
		t.set(model.TaskDeactivating)
	default:
		t.set(model.TaskStopping)
	}
}

// resume takes a draining task back into service.
func (o *owner) resume(t *task) {
	t.DesiredStatus, t.StopCode, t.StopReason, t.StoppingAt = model.TaskRunning, "", "", time.Time{}
	t.set(model.TaskRunning)
}

// advance does the next thing that the task's state calls for.
func (o *owner) advance(ctx context.Context, t *task, now time.Time) {
	if now.Before(t.retryAt) {
		o.later(t.retryAt)
		return
	}
	switch t.LastStatus {
	case model.TaskProvisioning:
		if t.cancel == nil {
			o.start(ctx, t)
		}
	case model.TaskRunning:
		if t.place == out && len(t.LoadBalancers) > 0 {
			o.enter(ctx, t)
		}
	case model.TaskDeactivating:
		switch {
		case t.place == in:
			o.leave(ctx, t)
		case t.place == out && o.drained(t):
			t.set(model.TaskStopping)
			o.stopContainers(ctx, t)
		default:
			o.later(now.Add(time.Second)) // in case the balancer's word was missed
		}
	case model.TaskStopping:
		if !t.stopSent {
			o.stopContainers(ctx, t)
		}
	case model.TaskStopped:
		if t.place == in {
			o.leave(ctx, t)
		}
	default: // a worker is at it
	}
}
