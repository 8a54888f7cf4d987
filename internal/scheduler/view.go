package scheduler

import (
	"slices"

	"neargate/internal/decide/rollout"
	"neargate/internal/model"
)

// view is what others may know of a service at once.
type view struct {
	tasks  model.ServiceTasks
	groups []string
}

// usesGroup reports whether a target group matters to the owner.
func (o *owner) usesGroup(arn string) bool {
	v := o.view.Load()
	return v != nil && slices.Contains(v.groups, arn)
}

// publish sets the view.
func (o *owner) publish(svc model.Service) {
	v := &view{tasks: model.ServiceTasks{Cluster: svc.Cluster, Service: svc.Name}}
	v.tasks.TargetGroupARNs = svc.TargetGroups()
	v.groups = svc.TargetGroups()
	if def, ok := o.s.records.TaskDefinition(svc.TaskDefinitionARN); ok {
		v.tasks.CPUUnits, v.tasks.MemoryMiB = def.CPUUnits, def.MemoryMiB
	}
	v.tasks.Deploying = len(svc.Deployments) > 0 && svc.Deployments[0].RolloutState == rollout.InProgress
	for _, e := range o.ordered() {
		if e.Ended() {
			continue
		}
		for _, lb := range e.Record.LoadBalancers {
			v.groups = append(v.groups, lb.TargetGroupARN)
		}
		for _, c := range e.Record.Connect {
			v.groups = append(v.groups, c.DiscoveryARN)
		}
		id := e.Record.ID
		switch phase := e.phase(); {
		case phase == rollout.Running && e.Healthy:
			v.tasks.Running = append(v.tasks.Running, id)
		case phase == rollout.Running || phase == rollout.Starting:
			v.tasks.Starting = append(v.tasks.Starting, id)
		case e.Record.StartedAt.IsZero(): // stopped while starting: nothing runs
		default:
			v.tasks.Draining = append(v.tasks.Draining, id)
		}
	}
	o.view.Store(v)
}

// ServiceTasks returns the tasks of every service that has not gone.
func (s *Scheduler) ServiceTasks() []model.ServiceTasks {
	var all []model.ServiceTasks
	for _, o := range s.eachOwner() {
		if v := o.view.Load(); v != nil && v.tasks.Service != "" {
			all = append(all, v.tasks)
		}
	}
	return all
}
