package ecs

import (
	"context"
	"slices"
	"time"

	"neargate/internal/decide/rollout"
	"neargate/internal/decide/rollout/strategy"
	"neargate/internal/model"
	"neargate/internal/random"
)

// newDeployment returns the deployment that svc as it stands calls for.
func newDeployment(svc model.Service) model.Deployment {
	now := time.Now()
	id := "ecs-svc/" + random.Digits19()
	return model.Deployment{
		ID: id, Status: model.Primary, TaskDefinitionARN: svc.TaskDefinitionARN, Network: svc.Network,
		LoadBalancers: placed(svc), Registries: svc.Registries, Connect: svc.Connect, PlatformVersion: svc.PlatformVersion, DesiredCount: svc.DesiredCount,
		Strategy: svc.Rollout.Strategy, Progress: model.Progress{Source: strategy.Source(svc.Deployments)},
		RolloutState: rollout.InProgress, RolloutReason: "ECS deployment " + id + " in progress.",
		CreatedAt: now, UpdatedAt: now,
	}
}

// placed are the target groups for the tasks of a new deployment of svc. Traffic
// that a deployment before has shifted to an alternate group stays there in a
// rolling update, which shifts none.
func placed(svc model.Service) []model.ServiceLoadBalancer {
	all := slices.Clone(svc.LoadBalancers)
	if svc.Rollout.Strategy.Shifts() {
		return all
	}
	source := strategy.Source(svc.Deployments)
	for _, d := range svc.Deployments {
		if d.ID != source {
			continue
		}
		for i, lb := range all {
			if slices.ContainsFunc(d.LoadBalancers, func(was model.ServiceLoadBalancer) bool { return was.TargetGroupARN == lb.AlternateARN }) {
				all[i] = lb.Alternating()
			}
		}
	}
	return all
}

// supersede makes d the primary deployment.
func supersede(svc *model.Service, d model.Deployment) {
	all := []model.Deployment{d}
	for _, old := range svc.Deployments {
		if old.ID != d.ID {
			old.Status, old.UpdatedAt = model.Active, d.UpdatedAt
			all = append(all, old)
		}
	}
	svc.Deployments = all
}

// changeService is a transaction that changes a service in whatever state, and
// what belongs to it.
func (c *Catalogue) changeService(ctx context.Context, cluster, name string, change func(t tables, svc *model.Service)) (svc model.Service, err error) {
	err = c.update(ctx, func(t tables) error {
		var ok bool
		if svc, ok = t.services.Get(key(cluster, name)); !ok {
			return errServiceNotFound()
		}
		change(t, &svc)
		t.services.Put(key(cluster, name), svc)
		return nil
	})
	return svc, err
}

// ChangeService changes the record of a service in whatever state.
func (c *Catalogue) ChangeService(ctx context.Context, cluster, name string, change func(*model.Service)) (model.Service, error) {
	return c.changeService(ctx, cluster, name, func(_ tables, svc *model.Service) { change(svc) })
}

// RetireDeployments removes deployments that have no tasks any more from their
// service. Their records stay in the history.
func (c *Catalogue) RetireDeployments(ctx context.Context, cluster, name string, ids []string) (model.Service, error) {
	return c.ChangeService(ctx, cluster, name, func(svc *model.Service) {
		svc.Deployments = slices.DeleteFunc(slices.Clone(svc.Deployments), func(d model.Deployment) bool {
			return slices.Contains(ids, d.ID)
		})
	})
}

// CompleteDeployment ends the primary deployment well, and with it the rollback
// that it was.
func (c *Catalogue) CompleteDeployment(ctx context.Context, cluster, name string) error {
	_, err := c.changeService(ctx, cluster, name, func(t tables, svc *model.Service) { t.complete(svc) })
	return err
}

// complete ends the primary deployment well.
func (t tables) complete(svc *model.Service) {
	now, primary := time.Now(), svc.Deployments[0].ID
	svc.ChangeDeployment(primary, func(d *model.Deployment) {
		d.RolloutState, d.RolloutReason, d.UpdatedAt = rollout.Completed, "ECS deployment "+primary+" completed.", now
	})
	t.note(*svc, primary, func(rec *model.ServiceDeployment) {
		if rec.Status == model.DeploymentSuccessful {
			return // it was gone back to
		}
		rec.Status, rec.StatusReason, rec.FinishedAt = model.DeploymentSuccessful, "", now
		rec.FailedTasks = svc.Deployments[0].FailedTasks
	})
	t.settle(*svc, primary, model.DeploymentRolledBack, "")
}

// settle ends the rollback to a deployment, if one is under way.
func (t tables) settle(svc model.Service, to string, status model.DeploymentStatus, reason string) {
	for _, rec := range t.history.List(serviceKey(svc) + "/") {
		if rec.Status != model.DeploymentRollingBack || rec.RollbackARN != svc.RevisionARN(to) {
			continue
		}
		t.note(svc, rec.Deployment, func(rec *model.ServiceDeployment) {
			rec.Status, rec.FinishedAt = status, time.Now()
			if reason != "" {
				rec.StatusReason = reason
			}
		})
	}
}

// EndService makes a deleted service INACTIVE.
func (c *Catalogue) EndService(ctx context.Context, cluster, name string) error {
	_, err := c.ChangeService(ctx, cluster, name, func(svc *model.Service) {
		svc.Status, svc.InactiveAt = model.Inactive, time.Now()
	})
	return err
}
