package scheduler

import (
	"context"
	"time"

	"neargate/internal/model"
)

// The states of clusters, services and task definitions.
const (
	active           = "ACTIVE"
	draining         = "DRAINING"
	inactive         = "INACTIVE"
	deleteInProgress = "DELETE_IN_PROGRESS"
)

// CreateCluster makes the cluster, or gives the one of that name. A deleted
// one comes back as c.
func (s *Scheduler) CreateCluster(ctx context.Context, c model.Cluster) (model.Cluster, error) {
	c.ARN, c.Status, c.CreatedAt = s.cfg.Place.ClusterARN(c.Name), active, time.Now()
	return s.clusters.Update(ctx, c.Name, func(cur model.Cluster, exists bool) (model.Cluster, error) {
		if exists && cur.Status == active {
			return cur, nil
		}
		return c, nil
	})
}

// Cluster gives a cluster by name or ARN, also a deleted one; "" is "default".
func (s *Scheduler) Cluster(name string) (model.Cluster, bool) {
	return s.clusters.Get(clusterName(name))
}

// Clusters gives all clusters by name, also deleted ones.
func (s *Scheduler) Clusters() []model.Cluster { return s.clusters.List("") }

// UpdateCluster changes an ACTIVE cluster. ClusterNotFoundException.
func (s *Scheduler) UpdateCluster(ctx context.Context, name string, change func(*model.Cluster)) (model.Cluster, error) {
	return s.clusters.Update(ctx, clusterName(name), func(cur model.Cluster, _ bool) (model.Cluster, error) {
		if cur.Status != active {
			return cur, errClusterNotFound()
		}
		change(&cur)
		return cur, nil
	})
}

// DeleteCluster makes the cluster INACTIVE. ClusterNotFoundException,
// ClusterContainsServicesException, ClusterContainsTasksException.
func (s *Scheduler) DeleteCluster(ctx context.Context, name string) (model.Cluster, error) {
	name = clusterName(name)
	return s.clusters.Update(ctx, name, func(cur model.Cluster, exists bool) (model.Cluster, error) {
		if !exists {
			return cur, errClusterNotFound()
		}
		for _, svc := range s.services.List(name + "/") {
			if svc.Status == active {
				return cur, model.Errorf(model.Conflict, "ClusterContainsServicesException", "The Cluster cannot be deleted while Services are active.")
			}
		}
		for _, t := range s.tasks.List(name + "/") {
			if t.LastStatus != model.TaskStopped {
				return cur, model.Errorf(model.Conflict, "ClusterContainsTasksException", "The Cluster cannot be deleted while Tasks are active.")
			}
		}
		cur.Status = inactive
		return cur, nil
	})
}

// activeCluster gives the named cluster or ClusterNotFoundException.
func (s *Scheduler) activeCluster(name string) (model.Cluster, error) {
	c, ok := s.Cluster(name)
	if !ok || c.Status != active {
		return c, errClusterNotFound()
	}
	return c, nil
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
