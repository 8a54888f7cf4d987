package scheduler

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"neargate/internal/decide/placement"
	"neargate/internal/model"
	"neargate/internal/random"
)

// newTask returns the record of a task of def that is about to start.
func (s *Scheduler) newTask(cluster string, def model.TaskDefinition, now time.Time) model.Task {
	taskID := random.Hex(32)
	t := model.Task{
		ID: taskID, ARN: s.cfg.Place.TaskARN(cluster, taskID), Cluster: cluster, ClusterARN: s.cfg.Place.ClusterARN(cluster),
		TaskDefinitionARN: def.ARN, CPUUnits: def.CPUUnits, MemoryMiB: def.MemoryMiB,
		Architecture: cmp.Or(def.Architecture, s.engine.Architectures()[0]),
		LastStatus:   model.TaskProvisioning, DesiredStatus: model.TaskRunning, Health: "UNKNOWN", CreatedAt: now,
	}
	for _, c := range def.Containers {
		t.Containers = append(t.Containers, model.Container{
			ARN: s.cfg.Place.ContainerARN(cluster, taskID, random.UUID()), Name: c.Name, Image: c.Image,
			LastStatus: model.TaskPending, CPUUnits: c.CPUUnits, MemoryMiB: c.MemoryMiB, Health: "UNKNOWN",
		})
	}
	return t
}

// serviceTask returns a task of one of the service's deployments.
func (s *Scheduler) serviceTask(svc model.Service, d model.Deployment, def model.TaskDefinition, now time.Time) model.Task {
	t := s.newTask(svc.Cluster, def, now)
	t.Service, t.Group, t.StartedBy, t.DeploymentID = svc.Name, "service:"+svc.Name, d.ID, d.ID
	t.Network, t.LoadBalancers, t.Registries, t.PlatformVersion = d.Network, d.LoadBalancers, d.Registries, d.PlatformVersion
	if d.Connect != nil {
		t.Connect, t.ConnectNamespace = d.Connect.Targets(), d.Connect.NamespaceARN
	}
	t.LaunchType, t.EnableExecuteCommand = svc.LaunchType, svc.EnableExecuteCommand
	for i, c := range t.Containers {
		t.Containers[i].ImageDigest = d.Images[c.Name]
	}
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

// RunTask starts count tasks like t of the definition that t names, or as many
// as there is room for: failures has one entry for each of the others. The
// caller has filled in what is not the scheduler's. The same client token
// returns the same tasks. ClusterNotFoundException, ClientException,
// LimitExceededException.
func (s *Scheduler) RunTask(ctx context.Context, t model.Task, count int) (tasks []model.Task, failures []model.PlacementFailure, err error) {
	c, err := s.records.ActiveCluster(t.Cluster)
	if err != nil {
		return nil, nil, err
	}
	if again := s.byToken(c.Name, t.ClientToken); len(again) > 0 {
		return again, nil, nil
	}
	def, err := s.records.Runnable(t.TaskDefinitionARN)
	if err != nil {
		return nil, nil, err
	}
	t = like(t, s.newTask(c.Name, def, time.Now()))
	each := placement.Size{CPUUnits: t.CPUUnits, MemoryMiB: t.MemoryMiB}
	n, short := s.claim(count, each, def)
	if short == placement.TooManyTasks {
		s.capacity.release(n, each)
		return nil, nil, model.Errorf(model.Throttled, "LimitExceededException", "You've reached the limit on the number of tasks you can run concurrently")
	}
	for range n {
		tasks = append(tasks, like(t, s.newTask(c.Name, def, time.Now())))
	}
	for range count - n {
		failures = append(failures, model.PlacementFailure{Reason: short.String(), Detail: s.missing(each, def, short)})
	}
	if err := s.records.Record(ctx, c.Name, "", tasks, nil); err != nil {
		s.capacity.release(n, each)
		return nil, nil, fmt.Errorf("write tasks: %w", err)
	}
	s.owner("").post(adopted{tasks})
	return tasks, failures, nil
}

// like fills a new task with what the caller of RunTask wants.
func like(wanted, t model.Task) model.Task {
	t.Group, t.StartedBy, t.Network, t.Overrides = wanted.Group, wanted.StartedBy, wanted.Network, wanted.Overrides
	t.TaskRoleARN, t.ExecutionRoleARN = wanted.TaskRoleARN, wanted.ExecutionRoleARN
	t.LaunchType, t.CapacityProvider, t.PlatformVersion = wanted.LaunchType, wanted.CapacityProvider, wanted.PlatformVersion
	t.EnableExecuteCommand, t.ClientToken, t.Tags = wanted.EnableExecuteCommand, wanted.ClientToken, wanted.Tags
	t.EphemeralGiB = wanted.EphemeralGiB
	if wanted.CPUUnits > 0 {
		t.CPUUnits = wanted.CPUUnits
	}
	if wanted.MemoryMiB > 0 {
		t.MemoryMiB = wanted.MemoryMiB
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

// StopTask orders a task to stop and returns it as it then is, when the order
// is on disk. A service replaces its task. An order that cannot be written is
// carried out all the same. ClusterNotFoundException, InvalidParameterException.
func (s *Scheduler) StopTask(ctx context.Context, cluster, id, reason string) (model.Task, error) {
	if _, err := s.records.ActiveCluster(cluster); err != nil {
		return model.Task{}, err
	}
	record, ok := s.records.Task(cluster, id)
	if !ok {
		return record, model.Errorf(model.Invalid, "InvalidParameterException", "The referenced task was not found.")
	}
	if record.LastStatus == model.TaskStopped {
		return record, nil
	}
	answer := make(chan stopAnswer, 1) // one answer, taken or not
	s.owner(ownerKey(record.Cluster, record.Service)).post(stopWanted{record.ID, reason, answer})
	select {
	case a := <-answer:
		if a.err != nil {
			return a.record, fmt.Errorf("write the order to stop task %s: %w", record.ID, a.err)
		}
		return a.record, nil
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
