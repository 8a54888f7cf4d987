package ecs

import (
	"context"
	"strings"
	"time"

	"neargate/internal/model"
)

func taskKey(t model.Task) string { return t.Cluster + "/" + t.ID }

// Task returns a task of a cluster by ID or ARN, also one that ended lately.
func (c *Catalogue) Task(cluster, task string) (model.Task, bool) {
	id := task[strings.LastIndex(task, "/")+1:]
	return c.tasks.Get(clusterName(cluster) + "/" + id)
}

// Tasks returns a cluster's tasks by ID, also those that ended lately.
func (c *Catalogue) Tasks(cluster string) []model.Task {
	return c.tasks.List(clusterName(cluster) + "/")
}

// AllTasks returns the tasks of all clusters, also those that ended lately.
func (c *Catalogue) AllTasks() []model.Task { return c.tasks.List("") }

// Sweep drops the tasks that stopped and the services that were deleted before
// a moment.
func (c *Catalogue) Sweep(ctx context.Context, before time.Time) error {
	var errs []error
	for _, t := range c.tasks.List("") {
		if t.LastStatus == model.TaskStopped && t.StoppedAt.Before(before) {
			_, err := c.tasks.Delete(ctx, taskKey(t))
			errs = append(errs, err)
		}
	}
	for _, svc := range c.services.List("") {
		if svc.Status == model.Inactive && svc.InactiveAt.Before(before) {
			errs = append(errs, c.purge(ctx, svc))
		}
	}
	return firstError(errs...)
}

// purge drops a deleted service with its events and history.
func (c *Catalogue) purge(ctx context.Context, svc model.Service) error {
	key := serviceKey(svc)
	_, err := c.services.Delete(ctx, key)
	_, err2 := c.events.Delete(ctx, key)
	errs := []error{err, err2}
	for _, rec := range c.ServiceDeployments(svc) {
		_, err := c.history.Delete(ctx, historyKey(svc, rec.Deployment))
		errs = append(errs, err)
	}
	return firstError(errs...)
}
