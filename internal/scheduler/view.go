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
	live   int // tasks that are there
}

// usesGroup says whether a target group matters to the owner.
func (o *owner) usesGroup(arn string) bool {
	v := o.view.Load()
	return v != nil && slices.Contains(v.groups, arn)
}

// publish sets the view.
func (o *owner) publish(svc model.Service) {
	v := &view{tasks: model.ServiceTasks{Cluster: svc.Cluster, Service: svc.Name}}
	for _, lb := range svc.LoadBalancers {
		v.tasks.TargetGroupARNs = append(v.tasks.TargetGroupARNs, lb.TargetGroupARN)
		v.groups = append(v.groups, lb.TargetGroupARN)
	}
	if def, ok := o.s.records.TaskDefinition(svc.TaskDefinitionARN); ok {
		v.tasks.CPUUnits, v.tasks.MemoryMiB = def.CPUUnits, def.MemoryMiB
	}
	v.tasks.Deploying = len(svc.Deployments) > 0 && svc.Deployments[0].RolloutState == rollout.InProgress
	for _, t := range o.ordered() {
		if t.LastStatus == model.TaskStopped {
			continue
		}
		v.live++
		for _, lb := range t.LoadBalancers {
			v.groups = append(v.groups, lb.TargetGroupARN)
		}
		switch phase := t.phase(); {
		case phase == rollout.Running && t.wasHealthy:
			v.tasks.Running = append(v.tasks.Running, t.ID)
		case phase == rollout.Running || phase == rollout.Starting:
			v.tasks.Starting = append(v.tasks.Starting, t.ID)
		case t.StartedAt.IsZero(): // stopped while starting: nothing runs
		default:
			v.tasks.Draining = append(v.tasks.Draining, t.ID)
		}
	}
	o.view.Store(v)
}

// ServiceTasks gives the tasks of every service that has not gone.
func (s *Scheduler) ServiceTasks() []model.ServiceTasks {
	var all []model.ServiceTasks
	for _, o := range s.eachOwner() {
		if v := o.view.Load(); v != nil && v.tasks.Service != "" {
			all = append(all, v.tasks)
		}
	}
	return all
}

// live is how many tasks there are on the server.
func (s *Scheduler) live() int {
	n := 0
	for _, o := range s.eachOwner() {
		if v := o.view.Load(); v != nil {
			n += v.live
		}
	}
	return n
}
