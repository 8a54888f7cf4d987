package ecs

import (
	"context"
	"maps"
	"slices"

	"neargate/internal/model"
	"neargate/internal/store"
)

// Record is a transaction that writes tasks, each as its next version, and adds
// events, oldest first, to a service; a service of no name has none. The tags of
// a task that is there are kept: they change by ChangeTags alone.
func (c *Catalogue) Record(ctx context.Context, cluster, service string, tasks []model.Task, events []model.ServiceEvent) error {
	return c.db.Update(ctx, func(tx *store.Tx) error {
		for _, task := range tasks {
			if cur, ok := c.tasks.In(tx).Get(taskKey(task)); ok {
				task.Tags, task.Version = cur.Tags, cur.Version
			}
			task.Version++
			c.tasks.In(tx).Put(taskKey(task), task)
		}
		if len(events) == 0 || service == "" {
			return nil
		}
		cur, _ := c.events.In(tx).Get(key(cluster, service))
		all := slices.Clone(events)
		slices.Reverse(all)
		all = append(all, cur...)
		c.events.In(tx).Put(key(cluster, service), all[:min(len(all), keptEvents)])
		return nil
	})
}

// SetImages keeps which images a deployment runs, as digests by container, with
// the service and in the history.
func (c *Catalogue) SetImages(ctx context.Context, cluster, name, deployment string, digests map[string]string) error {
	digests = maps.Clone(digests)
	svc, err := c.ChangeService(ctx, cluster, name, func(svc *model.Service) {
		svc.ChangeDeployment(deployment, func(d *model.Deployment) { d.Images = digests })
	})
	if err != nil {
		return err
	}
	return c.changeHistory(ctx, svc, deployment, func(rec *model.ServiceDeployment) { rec.Images = digests })
}
