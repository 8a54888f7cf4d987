package scheduler

import (
	"context"
	"time"

	"neargate/internal/model"
)

// takeOver brings the records and what the engine holds together: tasks that
// run are kept, those that ended meanwhile are recorded, and those that the
// records do not know are stopped. It makes the owners, which have not begun.
func (s *Scheduler) takeOver(ctx context.Context) error {
	states, err := s.engine.Recover(ctx)
	if err != nil {
		return err
	}
	held := map[string]*model.RunState{}
	for i := range states {
		held[states[i].ID] = &states[i]
	}
	for _, record := range s.records.AllTasks() {
		if record.LastStatus == model.TaskStopped {
			continue
		}
		s.owner(ownerKey(record.Cluster, record.Service)).takeOver(record, held[record.ID])
		delete(held, record.ID)
	}
	for _, svc := range s.records.AllServices() {
		if svc.Status != model.Inactive {
			s.owner(ownerKey(svc.Cluster, svc.Name))
		}
	}
	for _, state := range held {
		s.clear(ctx, *state)
	}
	return nil
}

// clear removes a task of ours that no record knows, or whose record ended.
func (s *Scheduler) clear(ctx context.Context, state model.RunState) {
	if state.Labels[labelCluster] == "" {
		return
	}
	s.work.Go(func() {
		if state.Running {
			if err := s.engine.Stop(ctx, state.ID, defaultStopTimeout); err != nil {
				s.log.Warn("stop unknown task", "task", state.ID, "err", err)
				return
			}
		}
		if err := s.engine.Forget(ctx, state.ID); err != nil {
			s.log.Warn("forget task", "task", state.ID, "err", err)
		}
	})
}

// takeOver makes the owner responsible for a task of an earlier run of the
// server. state is nil when the engine does not know it.
func (o *owner) takeOver(record model.Task, state *model.RunState) {
	t := o.adopt(record)
	starting := record.StartedAt.IsZero()
	switch {
	case state == nil || !state.Running:
		o.lost(t, state, starting)
	case record.DesiredStatus == model.TaskStopped:
		t.learn(*state)
		t.set(model.TaskStopping)
		if len(t.LoadBalancers) > 0 && record.LastStatus != model.TaskStopping {
			t.set(model.TaskDeactivating)
			t.place = in
		}
	default:
		t.learn(*state)
		t.set(model.TaskRunning)
		t.wasHealthy = !starting
		t.place = o.standing(t)
		if t.checked {
			t.Health = o.s.taskHealth(t.Task)
		}
	}
}

// lost records a task that ended while no server looked.
func (o *owner) lost(t *task, state *model.RunState, starting bool) {
	now := time.Now()
	if t.DesiredStatus != model.TaskStopped && state == nil {
		t.DesiredStatus, t.StoppingAt = model.TaskStopped, now
		t.StopCode, t.StopReason = "InfrastructureHealth", "The task was lost while the server was down"
		if starting {
			t.StopCode, t.StopReason = "TaskFailedToStart", "ResourceInitializationError: the server stopped while the task started"
		}
	}
	t.wasHealthy = true // how it fared is not known, so no failure is counted
	o.finish(t, state)
	t.place = o.standing(t)
}

// standing is in when all of the task's target groups have it.
func (o *owner) standing(t *task) place {
	if t.IP == "" || len(t.LoadBalancers) == 0 {
		return out
	}
	for group, targets := range t.addresses() {
		health := o.groupHealth(group)
		for _, target := range targets {
			if h, there := health[target]; !there || h.State == "draining" {
				return out
			}
		}
	}
	return in
}
