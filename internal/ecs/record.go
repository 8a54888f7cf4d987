package ecs

import (
	"context"
	"maps"
	"slices"

	"neargate/internal/model"
)

// Record is a transaction that writes tasks, each as its next version, and adds
// events, oldest first, to a service; a service of no name has none. The tags and
// the protection of a task that is there are kept: only calls change them.
func (c *Catalogue) Record(ctx context.Context, cluster, service string, tasks []model.Task, events []model.ServiceEvent) error {
	defer c.enlist(tasks)
	return c.update(ctx, func(t tables) error {
		for _, task := range tasks {
			if cur, ok := t.tasks.Get(taskKey(task)); ok {
				task.Tags, task.Version, task.ProtectedUntil = cur.Tags, cur.Version, cur.ProtectedUntil
			}
			task.Version++
			t.tasks.Put(taskKey(task), task)
		}
		if len(events) == 0 || service == "" {
			return nil
		}
		cur, _ := t.events.Get(key(cluster, service))
		all := slices.Clone(events)
		slices.Reverse(all)
		all = append(all, cur...)
		t.events.Put(key(cluster, service), all[:min(len(all), keptEvents)])
		return nil
	})
}

// SetImages keeps which images a deployment runs, as digests by container, with
// the service and in the history.
func (c *Catalogue) SetImages(ctx context.Context, cluster, name, deployment string, digests map[string]string) error {
	digests = maps.Clone(digests)
	_, err := c.changeService(ctx, cluster, name, func(t tables, svc *model.Service) {
		svc.ChangeDeployment(deployment, func(d *model.Deployment) { d.Images = digests })
		t.note(*svc, deployment, func(rec *model.ServiceDeployment) { rec.Images = digests })
	})
	return err
}
