package ecs

import (
	"context"
	"time"

	"neargate/internal/model"
)

// CreateClusterRequest is what CreateCluster takes.
type CreateClusterRequest struct {
	Name          string          // "" is "default"
	Settings      []model.Setting // none: AWS's defaults
	Tags          []model.Tag
	Providers     Providers
	Configuration []byte // JSON in AWS's field names; nil is none
	// Namespace is the default one of Service Connect, a name or an ARN; nil is
	// none. One of a new name is created.
	Namespace *string
}

// UpdateClusterRequest is what UpdateCluster takes; nil leaves a part as it is.
type UpdateClusterRequest struct {
	Cluster       string
	Settings      []model.Setting
	Providers     *Providers
	Configuration []byte
	Namespace     *string // as in CreateClusterRequest; "" is none
}

// CreateCluster creates a cluster, or returns the ACTIVE one of that name. A
// deleted one comes back as asked for. InvalidParameterException.
func (c *Catalogue) CreateCluster(ctx context.Context, req CreateClusterRequest) (model.Cluster, error) {
	settings, err := checkSettings(req.Settings)
	if err != nil {
		return model.Cluster{}, err
	}
	created := model.Cluster{
		Name: clusterName(req.Name), Status: model.Active, Settings: settings, Tags: req.Tags,
		CapacityProviders: req.Providers.Names, DefaultStrategy: req.Providers.Strategy, Configuration: req.Configuration,
	}
	if !validName(created.Name) {
		return created, invalid("Invalid identifier for cluster name: up to 255 letters (uppercase and lowercase), numbers, underscores, and hyphens are allowed.")
	}
	if err := firstError(req.Providers.check(), checkTags(req.Tags)); err != nil {
		return created, err
	}
	if created.ConnectNamespace, err = c.defaultNamespace(ctx, req.Namespace); err != nil {
		return created, err
	}
	created.ARN, created.CreatedAt = c.cfg.Place.ClusterARN(created.Name), time.Now()
	return c.clusters.Update(ctx, created.Name, func(cur model.Cluster, exists bool) (model.Cluster, error) {
		if exists && cur.Status == model.Active {
			return cur, nil
		}
		return created, nil
	})
}

// UpdateCluster changes an ACTIVE cluster. ClusterNotFoundException,
// InvalidParameterException.
func (c *Catalogue) UpdateCluster(ctx context.Context, req UpdateClusterRequest) (model.Cluster, error) {
	settings, err := checkSettings(req.Settings)
	if err != nil {
		return model.Cluster{}, err
	}
	if req.Providers != nil {
		if err := req.Providers.check(); err != nil {
			return model.Cluster{}, err
		}
	}
	namespace, err := c.defaultNamespace(ctx, req.Namespace)
	if err != nil {
		return model.Cluster{}, err
	}
	return c.clusters.Update(ctx, clusterName(req.Cluster), func(cur model.Cluster, _ bool) (model.Cluster, error) {
		if cur.Status != model.Active {
			return cur, errClusterNotFound()
		}
		if len(req.Settings) > 0 {
			cur.Settings = settings
		}
		if req.Providers != nil {
			cur.CapacityProviders, cur.DefaultStrategy = req.Providers.Names, req.Providers.Strategy
		}
		if req.Configuration != nil {
			cur.Configuration = req.Configuration
		}
		if req.Namespace != nil {
			cur.ConnectNamespace = namespace
		}
		return cur, nil
	})
}

// DeleteCluster makes the cluster INACTIVE. ClusterNotFoundException,
// ClusterContainsServicesException, ClusterContainsTasksException.
func (c *Catalogue) DeleteCluster(ctx context.Context, name string) (deleted model.Cluster, err error) {
	name = clusterName(name)
	err = c.update(ctx, func(t tables) error {
		cluster, exists := t.clusters.Get(name)
		if !exists {
			return errClusterNotFound()
		}
		for _, svc := range t.services.List(name + "/") {
			if svc.Status == model.Active {
				return errClusterHasServices()
			}
		}
		for _, task := range t.tasks.List(name + "/") {
			if task.LastStatus != model.TaskStopped {
				return errClusterHasTasks()
			}
		}
		cluster.Status = model.Inactive
		t.clusters.Put(name, cluster)
		deleted = cluster
		return nil
	})
	return deleted, err
}

// Cluster returns a cluster by name or ARN, also a deleted one; "" is "default".
func (c *Catalogue) Cluster(name string) (model.Cluster, bool) {
	return c.clusters.Get(clusterName(name))
}

// Clusters returns all clusters by name, also deleted ones.
func (c *Catalogue) Clusters() []model.Cluster { return c.clusters.List("") }

// ActiveCluster returns the named ACTIVE cluster. ClusterNotFoundException.
func (c *Catalogue) ActiveCluster(name string) (model.Cluster, error) {
	return activeCluster(c.clusters, name)
}

// reader is a table, or a table within a transaction.
type reader[T any] interface {
	Get(key string) (T, bool)
	List(prefix string) []T
}

func activeCluster(clusters reader[model.Cluster], name string) (model.Cluster, error) {
	cluster, _ := clusters.Get(clusterName(name))
	if cluster.Status != model.Active {
		return cluster, errClusterNotFound()
	}
	return cluster, nil
}

func clusterName(nameOrARN string) string {
	if nameOrARN == "" {
		return "default"
	}
	return model.ARNTail(nameOrARN, 1)
}
