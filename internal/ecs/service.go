package ecs

import (
	"context"
	"reflect"
	"time"

	"neargate/internal/model"
)

// CreateService creates the service with its first deployment. The caller has
// filled in everything but ARNs, states and times. The same client token
// returns the same service. ClusterNotFoundException, ClientException,
// InvalidParameterException.
func (c *Catalogue) CreateService(ctx context.Context, svc model.Service) (model.Service, error) {
	cluster, err := c.ActiveCluster(svc.Cluster)
	if err != nil {
		return svc, err
	}
	def, err := c.Runnable(svc.TaskDefinitionARN)
	if err != nil {
		return svc, err
	}
	svc.Cluster, svc.ClusterARN, svc.ARN = cluster.Name, cluster.ARN, c.cfg.Place.ServiceARN(cluster.Name, svc.Name)
	svc.TaskDefinitionARN, svc.Status, svc.CreatedAt = def.ARN, model.Active, time.Now()
	svc.Deployments = []model.Deployment{newDeployment(svc)}
	created := false
	svc, err = c.services.Update(ctx, serviceKey(svc), func(cur model.Service, exists bool) (model.Service, error) {
		switch {
		case exists && cur.Status == model.Active && svc.ClientToken != "" && cur.ClientToken == svc.ClientToken:
			return cur, nil
		case exists && cur.Status == model.Active:
			return cur, invalid("Creation of service was not idempotent.")
		case exists && cur.Status == model.Draining:
			return cur, invalid("Unable to Start a service that is still Draining.")
		}
		created = true
		return svc, nil
	})
	if err != nil || !created {
		return svc, err
	}
	if _, err := c.events.Delete(ctx, serviceKey(svc)); err != nil {
		return svc, err
	}
	return svc, c.begun(ctx, svc)
}

// begun records the service's new primary deployment and reports the change.
func (c *Catalogue) begun(ctx context.Context, svc model.Service) error {
	err := c.recordDeployment(ctx, svc)
	c.changed(svc)
	return err
}

// UpdateService changes an ACTIVE service. A new deployment begins when change
// touches what tasks are made of, or with force. ServiceNotFoundException,
// ServiceNotActiveException, and what change returns.
func (c *Catalogue) UpdateService(ctx context.Context, cluster, name string, force bool, change func(*model.Service) error) (model.Service, error) {
	deployed := false
	svc, err := c.changeActive(ctx, cluster, name, func(svc *model.Service) error {
		before := *svc
		if err := change(svc); err != nil {
			return err
		}
		deployed = force || redeploys(before, *svc)
		if deployed {
			supersede(svc, newDeployment(*svc))
		}
		setDesired(svc, svc.DesiredCount)
		return nil
	})
	if err != nil {
		return svc, err
	}
	if deployed {
		return svc, c.begun(ctx, svc)
	}
	c.changed(svc)
	return svc, nil
}

// redeploys reports whether a change starts a deployment. [API_UpdateService].
func redeploys(a, b model.Service) bool {
	return a.TaskDefinitionARN != b.TaskDefinitionARN || a.PlatformVersion != b.PlatformVersion ||
		!reflect.DeepEqual(a.Network, b.Network) || !reflect.DeepEqual(a.LoadBalancers, b.LoadBalancers) ||
		!reflect.DeepEqual(a.Monitoring, b.Monitoring)
}

// SetDesiredCount orders n tasks of a service. It is no deployment. It returns
// when the order is on disk; tasks start at the same moment.
// ClusterNotFoundException, ServiceNotFoundException, ServiceNotActiveException,
// InvalidParameterException.
func (c *Catalogue) SetDesiredCount(ctx context.Context, cluster, service string, n int) error {
	if n < 0 {
		return invalid("desiredCount cannot be negative.")
	}
	svc, err := c.changeActive(ctx, cluster, service, func(svc *model.Service) error {
		setDesired(svc, n)
		return nil
	})
	if err == nil {
		c.changed(svc)
	}
	return err
}

func setDesired(svc *model.Service, n int) {
	svc.DesiredCount = n
	svc.ChangeDeployment(svc.Deployments[0].ID, func(d *model.Deployment) {
		d.DesiredCount, d.UpdatedAt = n, time.Now()
	})
}

// DeleteService begins to stop the service's tasks; it is INACTIVE when they
// are gone. Without force its desired count must be 0.
func (c *Catalogue) DeleteService(ctx context.Context, cluster, name string, force bool) (model.Service, error) {
	svc, err := c.changeActive(ctx, cluster, name, func(svc *model.Service) error {
		if svc.DesiredCount > 0 && !force {
			return invalid("The service cannot be stopped while it is scaled above 0.")
		}
		svc.Status = model.Draining
		setDesired(svc, 0)
		return nil
	})
	if err == nil {
		c.changed(svc)
	}
	return svc, err
}

func (c *Catalogue) changeActive(ctx context.Context, cluster, name string, change func(*model.Service) error) (model.Service, error) {
	if _, err := c.ActiveCluster(cluster); err != nil {
		return model.Service{}, err
	}
	return c.services.Update(ctx, key(clusterName(cluster), serviceName(name)), func(cur model.Service, exists bool) (model.Service, error) {
		switch {
		case !exists:
			return cur, model.Errorf(model.NotFound, "ServiceNotFoundException", "Service not found.")
		case cur.Status != model.Active:
			return cur, model.Errorf(model.Conflict, "ServiceNotActiveException", "Service was not ACTIVE.")
		}
		err := change(&cur)
		return cur, err
	})
}

// ChangeService changes the record of a service in whatever state.
func (c *Catalogue) ChangeService(ctx context.Context, cluster, name string, change func(*model.Service)) (model.Service, error) {
	return c.services.Update(ctx, key(cluster, name), func(cur model.Service, _ bool) (model.Service, error) {
		change(&cur)
		return cur, nil
	})
}

// Service returns a service by name or ARN, also an INACTIVE one.
func (c *Catalogue) Service(cluster, name string) (model.Service, bool) {
	return c.services.Get(key(clusterName(cluster), serviceName(name)))
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
