package scheduler

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"neargate/internal/decide/placement"
	"neargate/internal/model"
	"neargate/internal/random"
)

// newTask makes the record of a task of def that is about to start.
func (s *Scheduler) newTask(cluster string, def model.TaskDefinition, now time.Time) model.Task {
	taskID := random.Hex(32)
	t := model.Task{
		ID: taskID, ARN: s.cfg.Place.TaskARN(cluster, taskID), Cluster: cluster, ClusterARN: s.cfg.Place.ClusterARN(cluster),
		TaskDefinitionARN: def.ARN, CPUUnits: def.CPUUnits, MemoryMiB: def.MemoryMiB,
		LastStatus: model.TaskProvisioning, DesiredStatus: model.TaskRunning, Health: "UNKNOWN", CreatedAt: now,
	}
	for _, c := range def.Containers {
		t.Containers = append(t.Containers, model.Container{
			ARN: s.cfg.Place.ContainerARN(cluster, taskID, random.UUID()), Name: c.Name, Image: c.Image,
			LastStatus: model.TaskPending, CPUUnits: c.CPUUnits, MemoryMiB: c.MemoryMiB, Health: "UNKNOWN",
		})
	}
	return t
}

// serviceTask makes a task of the service's primary deployment.
func (s *Scheduler) serviceTask(svc model.Service, def model.TaskDefinition, now time.Time) model.Task {
	d := svc.Deployments[0]
	t := s.newTask(svc.Cluster, def, now)
	t.Service, t.Group, t.StartedBy, t.DeploymentID = svc.Name, "service:"+svc.Name, d.ID, d.ID
	t.Network, t.LoadBalancers, t.PlatformVersion = d.Network, d.LoadBalancers, d.PlatformVersion
	t.LaunchType, t.EnableExecuteCommand = svc.LaunchType, svc.EnableExecuteCommand
	if len(svc.Strategy) > 0 {
		t.CapacityProvider = svc.Strategy[0].Provider
	}
	switch svc.PropagateTags {
	case "SERVICE":
		t.Tags = svc.Tags
	case "TASK_DEFINITION":
		t.Tags = def.Tags
	}
	if svc.EnableECSManagedTags {
		t.Tags = append(slices.Clip(t.Tags),
			model.Tag{Key: "aws:ecs:clusterName", Value: svc.Cluster}, model.Tag{Key: "aws:ecs:serviceName", Value: svc.Name})
	}
	return t
}

// RunTask starts count tasks like t of the definition that t names; the caller
// has filled in what is not the scheduler's. The same client token gives the
// same tasks. ClusterNotFoundException, ClientException, LimitExceededException.
func (s *Scheduler) RunTask(ctx context.Context, t model.Task, count int) ([]model.Task, error) {
	c, err := s.records.ActiveCluster(t.Cluster)
	if err != nil {
		return nil, err
	}
	if again := s.byToken(c.Name, t.ClientToken); len(again) > 0 {
		return again, nil
	}
	def, err := s.records.Runnable(t.TaskDefinitionARN)
	if err != nil {
		return nil, err
	}
	if placement.Room(count, s.live(), s.cfg.MaxTasks) < count {
		return nil, model.Errorf(model.Throttled, "LimitExceededException", "You've reached the limit on the number of tasks you can run concurrently")
	}
	records := make([]model.Task, count)
	errs := make([]error, count)
	var writes sync.WaitGroup
	for i := range records {
		records[i] = s.like(t, s.newTask(c.Name, def, time.Now()))
		writes.Go(func() { errs[i] = s.records.PutTask(ctx, records[i]) })
	}
	writes.Wait()
	if err := firstError(errs...); err != nil {
		return nil, fmt.Errorf("write tasks: %w", err)
	}
	o := s.owner("")
	o.post(func() {
		for _, record := range records {
			o.adopt(record)
		}
	})
	return records, nil
}

// like fills a new task with what the caller of RunTask said.
func (s *Scheduler) like(said, t model.Task) model.Task {
	t.Group, t.StartedBy, t.Network, t.Overrides = said.Group, said.StartedBy, said.Network, said.Overrides
	t.LaunchType, t.CapacityProvider, t.PlatformVersion = said.LaunchType, said.CapacityProvider, said.PlatformVersion
	t.EnableExecuteCommand, t.ClientToken, t.Tags = said.EnableExecuteCommand, said.ClientToken, said.Tags
	if said.CPUUnits > 0 {
		t.CPUUnits = said.CPUUnits
	}
	if said.MemoryMiB > 0 {
		t.MemoryMiB = said.MemoryMiB
	}
	return t
}

func (s *Scheduler) byToken(cluster, token string) []model.Task {
	var same []model.Task
	for _, t := range s.records.Tasks(cluster) {
		if token != "" && t.ClientToken == token {
			same = append(same, t)
		}
	}
	return same
}

// StopTask orders a task to stop and gives it as it then is. A service replaces
// its task. ClusterNotFoundException, InvalidParameterException.
func (s *Scheduler) StopTask(ctx context.Context, cluster, task, reason string) (model.Task, error) {
	if _, err := s.records.ActiveCluster(cluster); err != nil {
		return model.Task{}, err
	}
	record, ok := s.records.Task(cluster, task)
	if !ok {
		return record, model.Errorf(model.Invalid, "InvalidParameterException", "The referenced task was not found.")
	}
	if record.LastStatus == model.TaskStopped {
		return record, nil
	}
	o := s.owner(ownerKey(record.Cluster, record.Service))
	answer := make(chan model.Task, 1) // one answer, taken or not
	o.post(func() {
		t, ok := o.tasks[record.ID]
		if !ok {
			answer <- record
			return
		}
		o.stop(t, "UserInitiated", reason)
		answer <- t.Task
	})
	select {
	case t := <-answer:
		return t, nil
	case <-ctx.Done():
		return record, context.Cause(ctx)
	}
}

// sweep drops ended tasks and deleted services that have been kept long enough.
func (s *Scheduler) sweep(ctx context.Context, now time.Time) {
	if err := s.records.Sweep(context.WithoutCancel(ctx), now.Add(-s.cfg.KeepStopped)); err != nil {
		s.log.Error("drop old records", "err", err)
	}
}
