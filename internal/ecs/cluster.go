package ecs

import (
	"context"
	"time"

	"neargate/internal/model"
)

// CreateCluster creates a cluster like def, or returns the ACTIVE one of that
// name. A deleted one comes back as def.
func (c *Catalogue) CreateCluster(ctx context.Context, def model.Cluster) (model.Cluster, error) {
	def.ARN, def.Status, def.CreatedAt = c.cfg.Place.ClusterARN(def.Name), model.Active, time.Now()
	return c.clusters.Update(ctx, def.Name, func(cur model.Cluster, exists bool) (model.Cluster, error) {
		if exists && cur.Status == model.Active {
			return cur, nil
		}
		return def, nil
	})
}

// Cluster returns a cluster by name or ARN, also a deleted one; "" is "default".
func (c *Catalogue) Cluster(name string) (model.Cluster, bool) {
	return c.clusters.Get(clusterName(name))
}

// Clusters returns all clusters by name, also deleted ones.
func (c *Catalogue) Clusters() []model.Cluster { return c.clusters.List("") }

// UpdateCluster changes an ACTIVE cluster. ClusterNotFoundException.
func (c *Catalogue) UpdateCluster(ctx context.Context, name string, change func(*model.Cluster)) (model.Cluster, error) {
	return c.clusters.Update(ctx, clusterName(name), func(cur model.Cluster, _ bool) (model.Cluster, error) {
		if cur.Status != model.Active {
			return cur, errClusterNotFound()
		}
		change(&cur)
		return cur, nil
	})
}

// DeleteCluster makes the cluster INACTIVE. ClusterNotFoundException,
// ClusterContainsServicesException, ClusterContainsTasksException.
func (c *Catalogue) DeleteCluster(ctx context.Context, name string) (model.Cluster, error) {
	name = clusterName(name)
	return c.clusters.Update(ctx, name, func(cur model.Cluster, exists bool) (model.Cluster, error) {
		if !exists {
			return cur, errClusterNotFound()
		}
		for _, svc := range c.services.List(name + "/") {
			if svc.Status == model.Active {
				return cur, model.Errorf(model.Conflict, "ClusterContainsServicesException", "The Cluster cannot be deleted while Services are active.")
			}
		}
		for _, t := range c.tasks.List(name + "/") {
			if t.LastStatus != model.TaskStopped {
				return cur, model.Errorf(model.Conflict, "ClusterContainsTasksException", "The Cluster cannot be deleted while Tasks are active.")
			}
		}
		cur.Status = model.Inactive
		return cur, nil
	})
}

// ActiveCluster returns the named ACTIVE cluster. ClusterNotFoundException.
func (c *Catalogue) ActiveCluster(name string) (model.Cluster, error) {
	cluster, ok := c.Cluster(name)
	if !ok || cluster.Status != model.Active {
		return cluster, errClusterNotFound()
	}
	return cluster, nil
}

func errClusterNotFound() error {
	return model.Errorf(model.NotFound, "ClusterNotFoundException", "Cluster not found.")
}

func clusterName(nameOrARN string) string {
	if nameOrARN == "" {
		return "default"
	}
	return model.ARNTail(nameOrARN, 1)
}
