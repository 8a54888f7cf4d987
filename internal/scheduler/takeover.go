package scheduler

import (
	"context"
	"time"

	"neargate/internal/decide/task"
	"neargate/internal/model"
)

// takeOver brings the records and what the engine holds together: tasks that
// run are kept, those that ended meanwhile are recorded, and those that the
// records do not know are stopped. It makes the owners, which have not begun.
func (s *Scheduler) takeOver(ctx context.Context) error {
	runs, err := s.engine.Recover(ctx)
	if err != nil {
		return err
	}
	held, addresses := map[string]*model.RunState{}, map[string]bool{}
	for i, run := range runs {
		held[run.ID] = &runs[i]
		addresses[run.IP] = addresses[run.IP] || run.Running
	}
	for _, record := range s.records.AllTasks() {
		if record.LastStatus == model.TaskStopped && (addresses[record.IP] || !s.hasTargets(record)) {
			continue // it has left nothing, and what has its address now is another task
		}
		s.owner(ownerKey(record.Cluster, record.Service)).takeOver(record, held[record.ID])
		delete(held, record.ID)
	}
	for _, svc := range s.records.AllServices() {
		if svc.Status != model.Inactive {
			s.owner(ownerKey(svc.Cluster, svc.Name))
		}
	}
	for _, run := range held {
		if run.Labels[labelCluster] != "" {
			s.work.Go(func() { s.carrier.clear(ctx, *run) })
		}
	}
	return nil
}

// hasTargets reports whether a task that has ended still has targets in service.
func (s *Scheduler) hasTargets(record model.Task) bool {
	for _, at := range s.standings(record) {
		if at == task.In {
			return true
		}
	}
	return false
}

// standings are where the targets of a task stand with its target groups.
func (s *Scheduler) standings(record model.Task) map[string]task.Standing {
	all := map[string]task.Standing{}
	state := task.New(record, model.TaskDefinition{})
	for group := range state.Groups {
		if record.IP != "" {
			all[group] = readGroup(s.carrier.targets, group).standing(state.Targets(group))
		}
	}
	return all
}

// takeOver makes the owner responsible for a task of an earlier server. run is
// nil when the engine does not know it.
func (o *owner) takeOver(record model.Task, run *model.RunState) {
	now := time.Now()
	def, _ := o.s.records.TaskDefinition(record.TaskDefinitionARN)
	e := &entry{State: task.Recover(record, def, run, o.s.standings(record), now), again: now}
	if !e.Ended() {
		e.occupies = true
		o.s.capacity.occupy(e.size())
	}
	o.entries[record.ID] = e
}
