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

// TaskByKey returns a task by its cluster's name and its ID: CLUSTER/ID.
func (c *Catalogue) TaskByKey(key string) (model.Task, bool) { return c.tasks.Get(key) }

// Tasks returns a cluster's tasks by ID, also those that ended lately.
func (c *Catalogue) Tasks(cluster string) []model.Task {
	return c.tasks.List(clusterName(cluster) + "/")
}

// AllTasks returns the tasks of all clusters, also those that ended lately.
func (c *Catalogue) AllTasks() []model.Task { return c.tasks.List("") }

// Sweep drops the tasks that stopped and the services that were deleted before
// a moment.
func (c *Catalogue) Sweep(ctx context.Context, before time.Time) error {
	return c.update(ctx, func(t tables) error {
		for _, task := range t.tasks.List("") {
			if task.LastStatus == model.TaskStopped && task.StoppedAt.Before(before) {
				t.tasks.Delete(taskKey(task))
			}
		}
		for _, svc := range t.services.List("") {
			if svc.Status == model.Inactive && svc.InactiveAt.Before(before) {
				t.purge(svc)
			}
		}
		return nil
	})
}

// purge drops a deleted service with its events and history.
func (t tables) purge(svc model.Service) {
	t.services.Delete(serviceKey(svc))
	t.events.Delete(serviceKey(svc))
	for _, rec := range t.history.List(serviceKey(svc) + "/") {
		t.history.Delete(historyKey(svc, rec.Deployment))
	}
}
