package scheduler

import (
	"context"
	"reflect"
	"time"

	"neargate/internal/decide/rollout"
	"neargate/internal/model"
)

// CreateService makes the service with its first deployment. The caller has
// filled in everything but ARNs, states and times. The same client token gives
// the same service. ClusterNotFoundException, ClientException,
// InvalidParameterException.
func (s *Scheduler) CreateService(ctx context.Context, svc model.Service) (model.Service, error) {
	c, err := s.activeCluster(svc.Cluster)
	if err != nil {
		return svc, err
	}
	def, err := s.runnable(svc.TaskDefinitionARN)
	if err != nil {
		return svc, err
	}
	svc.Cluster, svc.ClusterARN, svc.ARN = c.Name, c.ARN, s.cfg.Place.ServiceARN(c.Name, svc.Name)
	svc.TaskDefinitionARN, svc.Status, svc.CreatedAt = def.ARN, active, time.Now()
	svc.Deployments = []model.Deployment{newDeployment(svc)}
	made := false
	svc, err = s.services.Update(ctx, serviceKey(svc), func(cur model.Service, exists bool) (model.Service, error) {
		switch {
		case exists && cur.Status == active && svc.ClientToken != "" && cur.ClientToken == svc.ClientToken:
			return cur, nil
		case exists && cur.Status == active:
			return cur, invalid("Creation of service was not idempotent.")
		case exists && cur.Status == draining:
			return cur, invalid("Unable to Start a service that is still Draining.")
		}
		made = true
		return svc, nil
	})
	if err != nil || !made {
		return svc, err
	}
	if _, err := s.events.Delete(ctx, serviceKey(svc)); err != nil {
		return svc, err
	}
	return svc, s.begun(ctx, svc)
}

// begun records the service's new primary deployment and wakes its owner.
func (s *Scheduler) begun(ctx context.Context, svc model.Service) error {
	err := s.recordDeployment(ctx, svc)
	s.wake(svc)
	return err
}

func (s *Scheduler) wake(svc model.Service) { s.owner(serviceKey(svc)).post(func() {}) }

// UpdateService changes an ACTIVE service. A new deployment begins when change
// touches what tasks are made of, or when force says so. ServiceNotFoundException,
// ServiceNotActiveException, and what change returns.
func (s *Scheduler) UpdateService(ctx context.Context, cluster, name string, force bool, change func(*model.Service) error) (model.Service, error) {
	deployed := false
	svc, err := s.changeService(ctx, cluster, name, func(svc *model.Service) error {
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
		return svc, s.begun(ctx, svc)
	}
	s.wake(svc)
	return svc, nil
}

// redeploys says whether a change starts a deployment. API_UpdateService.
func redeploys(a, b model.Service) bool {
	return a.TaskDefinitionARN != b.TaskDefinitionARN || a.PlatformVersion != b.PlatformVersion ||
		!reflect.DeepEqual(a.Network, b.Network) || !reflect.DeepEqual(a.LoadBalancers, b.LoadBalancers) ||
		!reflect.DeepEqual(a.Monitoring, b.Monitoring)
}

// SetDesiredCount orders n tasks of a service. It is no deployment. It returns
// when the order is on disk; tasks start at the same moment.
// ClusterNotFoundException, ServiceNotFoundException, ServiceNotActiveException,
// InvalidParameterException.
func (s *Scheduler) SetDesiredCount(ctx context.Context, cluster, service string, n int) error {
	if n < 0 {
		return invalid("desiredCount cannot be negative.")
	}
	svc, err := s.changeService(ctx, cluster, service, func(svc *model.Service) error {
		setDesired(svc, n)
		return nil
	})
	if err == nil {
		s.wake(svc)
	}
	return err
}

func setDesired(svc *model.Service, n int) {
	svc.DesiredCount = n
	changeDeployment(svc, svc.Deployments[0].ID, func(d model.Deployment) model.Deployment {
		d.DesiredCount = n
		return d
	})
}

// DeleteService begins to stop the service's tasks; it is INACTIVE when they
// are gone. Without force its desired count must be 0.
func (s *Scheduler) DeleteService(ctx context.Context, cluster, name string, force bool) (model.Service, error) {
	svc, err := s.changeService(ctx, cluster, name, func(svc *model.Service) error {
		if svc.DesiredCount > 0 && !force {
			return invalid("The service cannot be stopped while it is scaled above 0.")
		}
		svc.Status = draining
		setDesired(svc, 0)
		return nil
	})
	if err == nil {
		s.wake(svc)
	}
	return svc, err
}

func (s *Scheduler) changeService(ctx context.Context, cluster, name string, change func(*model.Service) error) (model.Service, error) {
	if _, err := s.activeCluster(cluster); err != nil {
		return model.Service{}, err
	}
	key := ownerKey(clusterName(cluster), serviceName(name))
	return s.services.Update(ctx, key, func(cur model.Service, exists bool) (model.Service, error) {
		switch {
		case !exists:
			return cur, model.Errorf(model.NotFound, "ServiceNotFoundException", "Service not found.")
		case cur.Status != active:
			return cur, model.Errorf(model.Conflict, "ServiceNotActiveException", "Service was not ACTIVE.")
		}
		err := change(&cur)
		return cur, err
	})
}

// Service gives a service by name or ARN, also an INACTIVE one.
func (s *Scheduler) Service(cluster, name string) (model.Service, bool) {
	return s.services.Get(ownerKey(clusterName(cluster), serviceName(name)))
}

// Services gives a cluster's services by name, also INACTIVE ones.
func (s *Scheduler) Services(cluster string) []model.Service {
	return s.services.List(clusterName(cluster) + "/")
}

func serviceKey(svc model.Service) string { return ownerKey(svc.Cluster, svc.Name) }

// serviceName is the last part of a service's name or ARN; the old form of
// ARNs has no cluster in it.
func serviceName(nameOrARN string) string { return model.ARNTail(nameOrARN, 2) }

// newDeployment makes the deployment that svc as it stands calls for.
func newDeployment(svc model.Service) model.Deployment {
	now := time.Now()
	id := "ecs-svc/" + newDeploymentNumber()
	return model.Deployment{
		ID: id, Status: "PRIMARY", TaskDefinitionARN: svc.TaskDefinitionARN, Network: svc.Network,
		LoadBalancers: svc.LoadBalancers, PlatformVersion: svc.PlatformVersion, DesiredCount: svc.DesiredCount,
		RolloutState: rollout.InProgress, RolloutReason: "ECS deployment " + id + " in progress.",
		CreatedAt: now, UpdatedAt: now,
	}
}

// supersede makes d the primary deployment.
func supersede(svc *model.Service, d model.Deployment) {
	all := []model.Deployment{d}
	for _, old := range svc.Deployments {
		if old.ID != d.ID {
			old.Status, old.UpdatedAt = active, d.UpdatedAt
			all = append(all, old)
		}
	}
	svc.Deployments = all
}

// changeDeployment changes one deployment of svc in a copy of the list.
func changeDeployment(svc *model.Service, id string, change func(model.Deployment) model.Deployment) {
	all := make([]model.Deployment, len(svc.Deployments))
	for i, d := range svc.Deployments {
		if d.ID == id {
			d = change(d)
			d.UpdatedAt = time.Now()
		}
		all[i] = d
	}
	svc.Deployments = all
}
