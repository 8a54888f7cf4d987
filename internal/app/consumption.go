package app

import "neargate/internal/model"

// consumption is what knows what everything consumes.
type consumption struct{ *parts }

// AllServices returns the services of all clusters.
func (c consumption) AllServices() []model.Service { return c.ecs.AllServices() }

// AllTasks returns the tasks of all clusters.
func (c consumption) AllTasks() []model.Task { return c.ecs.AllTasks() }

// Usage returns what a running task has consumed until now.
func (c consumption) Usage(id string) (model.TaskUsage, bool) { return c.engine.Usage(id) }

// Traffic returns what target groups have had.
func (c consumption) Traffic() []model.TargetGroupTraffic { return c.balancer.Traffic() }
