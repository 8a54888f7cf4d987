package ecs

import (
	"context"
	"reflect"
	"time"

	"neargate/internal/model"
)

// SetDesiredCount orders n tasks of a service. It is no deployment. It returns
// when the order is on disk; tasks start at the same moment.
// ClusterNotFoundException, ServiceNotFoundException, ServiceNotActiveException,
// InvalidParameterException.
func (c *Catalogue) SetDesiredCount(ctx context.Context, cluster, service string, n int) error {
	_, err := c.UpdateService(ctx, UpdateServiceRequest{Cluster: cluster, Name: service, Settings: ServiceSettings{DesiredCount: &n}})
	return err
}

func setDesired(svc *model.Service, n int) {
	svc.DesiredCount = n
	svc.ChangeDeployment(svc.Deployments[0].ID, func(d *model.Deployment) {
		d.DesiredCount, d.UpdatedAt = n, time.Now()
	})
}

// redeploys reports whether a change starts a deployment. [API_UpdateService].
func redeploys(a, b model.Service) bool {
	return a.TaskDefinitionARN != b.TaskDefinitionARN || a.PlatformVersion != b.PlatformVersion ||
		!reflect.DeepEqual(a.Network, b.Network) || !reflect.DeepEqual(a.LoadBalancers, b.LoadBalancers) ||
		!reflect.DeepEqual(a.Registries, b.Registries) ||
		!reflect.DeepEqual(a.Connect, b.Connect) || !reflect.DeepEqual(a.Monitoring, b.Monitoring)
}

// DeleteService begins to stop the service's tasks; it is INACTIVE when they
// are gone. Without force its desired count must be 0. ClusterNotFoundException,
// ServiceNotFoundException, ServiceNotActiveException, InvalidParameterException.
func (c *Catalogue) DeleteService(ctx context.Context, cluster, name string, force bool) (model.Service, error) {
	return c.changeActive(ctx, cluster, name, func(_ tables, svc *model.Service) error {
		if svc.DesiredCount > 0 && !force {
			return invalid("The service cannot be stopped while it is scaled above 0.")
		}
		svc.Status = model.Draining
		setDesired(svc, 0)
		return nil
	})
}

// changeActive is a transaction that changes an ACTIVE service, and what
// belongs to it.
func (c *Catalogue) changeActive(ctx context.Context, cluster, name string, change func(t tables, svc *model.Service) error) (svc model.Service, err error) {
	err = c.update(ctx, func(t tables) error {
		if _, err := activeCluster(t.clusters, cluster); err != nil {
			return err
		}
		key := key(clusterName(cluster), serviceName(name))
		var exists bool
		svc, exists = t.services.Get(key)
		switch {
		case !exists:
			return errServiceNotFound()
		case svc.Status != model.Active:
			return errServiceNotActive()
		}
		if err := change(t, &svc); err != nil {
			return err
		}
		t.services.Put(key, svc)
		return nil
	})
	if err == nil {
		c.changed(svc)
	}
	return svc, err
}

// Service returns a service by name or ARN, also an INACTIVE one.
func (c *Catalogue) Service(cluster, name string) (model.Service, bool) {
	return c.services.Get(key(clusterName(cluster), serviceName(name)))
}

// FindService is Service with AWS's error. ServiceNotFoundException.
func (c *Catalogue) FindService(cluster, name string) (model.Service, error) {
	svc, ok := c.Service(cluster, name)
	if !ok {
		return svc, errServiceNotFound()
	}
	return svc, nil
}

// Services returns a cluster's services by name, also INACTIVE ones.
func (c *Catalogue) Services(cluster string) []model.Service {
	return c.services.List(clusterName(cluster) + "/")
}

// AllServices returns the services of all clusters, also INACTIVE ones.
func (c *Catalogue) AllServices() []model.Service { return c.services.List("") }

func serviceKey(svc model.Service) string { return key(svc.Cluster, svc.Name) }

func key(cluster, service string) string { return cluster + "/" + service }

// serviceName is the last part of a service's name or ARN; the old form of
// ARNs has no cluster in it.
func serviceName(nameOrARN string) string { return model.ARNTail(nameOrARN, 2) }
