package ecs

import (
	"context"
	"slices"
	"time"

	"neargate/internal/decide/rollout"
	"neargate/internal/model"
	"neargate/internal/random"
)

// newDeployment returns the deployment that svc as it stands calls for.
func newDeployment(svc model.Service) model.Deployment {
	now := time.Now()
	id := "ecs-svc/" + random.Digits19()
	return model.Deployment{
		ID: id, Status: model.Primary, TaskDefinitionARN: svc.TaskDefinitionARN, Network: svc.Network,
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
	now := time.Now()
	_, err := c.changeService(ctx, cluster, name, func(t tables, svc *model.Service) {
		primary := svc.Deployments[0].ID
		svc.ChangeDeployment(primary, func(d *model.Deployment) {
			d.RolloutState, d.RolloutReason, d.UpdatedAt = rollout.Completed, "ECS deployment "+primary+" completed.", now
		})
		t.note(*svc, primary, func(rec *model.ServiceDeployment) {
			rec.Status, rec.StatusReason, rec.FinishedAt = model.DeploymentSuccessful, "", now
			rec.FailedTasks = svc.Deployments[0].FailedTasks
		})
		for _, rec := range t.history.List(serviceKey(*svc) + "/") {
			if rec.Status == model.DeploymentRollingBack && rec.RollbackARN == svc.RevisionARN(primary) {
				t.note(*svc, rec.Deployment, func(rec *model.ServiceDeployment) {
					rec.Status, rec.FinishedAt = model.DeploymentRolledBack, now
				})
			}
		}
	})
	return err
}

const breakerReason = "ECS deployment circuit breaker: tasks failed to start."

// FailDeployment ends the primary deployment badly and, if the service says so,
// goes back to the last one that completed: to the deployment itself while it
// has tasks, else to a new one like it. It returns the deployment gone back to;
// "" is none.
func (c *Catalogue) FailDeployment(ctx context.Context, cluster, name string) (back string, err error) {
	now := time.Now()
	_, err = c.changeService(ctx, cluster, name, func(t tables, svc *model.Service) {
		failed := svc.Deployments[0].ID
		svc.ChangeDeployment(failed, func(d *model.Deployment) {
			d.RolloutState, d.RolloutReason, d.UpdatedAt = rollout.Failed, breakerReason, now
		})
		t.note(*svc, failed, func(rec *model.ServiceDeployment) {
			rec.Status, rec.StatusReason, rec.StoppedAt = model.DeploymentStopped, breakerReason, now
			rec.Tripped, rec.FailedTasks = true, svc.Deployments[0].FailedTasks
		})
		last, ok := t.lastCompleted(*svc)
		if !svc.Rollout.Rollback || !ok || last.Deployment == failed {
			return
		}
		back = rollBack(svc, last)
		t.note(*svc, failed, func(rec *model.ServiceDeployment) {
			rec.Status, rec.RollbackARN, rec.RollbackAt = model.DeploymentRollingBack, svc.RevisionARN(back), now
		})
		if _, known := t.history.Get(historyKey(*svc, back)); !known {
			t.begin(*svc)
		}
	})
	if err != nil {
		return "", err
	}
	return back, nil
}

// rollBack makes the completed deployment, or one like it, primary; it runs the
// same images, whatever their tags mean by now.
func rollBack(svc *model.Service, last model.ServiceDeployment) string {
	svc.TaskDefinitionARN, svc.Network = last.Service.TaskDefinitionARN, last.Service.Network
	svc.LoadBalancers, svc.PlatformVersion = last.Service.LoadBalancers, last.Service.PlatformVersion
	back := newDeployment(*svc)
	back.Images = last.Images
	for _, d := range svc.Deployments {
		if d.ID == last.Deployment {
			back.ID, back.CreatedAt = d.ID, d.CreatedAt
		}
	}
	back.RolloutReason = "ECS deployment circuit breaker: rolling back to deploymentId " + back.ID + "."
	supersede(svc, back)
	return back.ID
}

// EndService makes a deleted service INACTIVE.
func (c *Catalogue) EndService(ctx context.Context, cluster, name string) error {
	_, err := c.ChangeService(ctx, cluster, name, func(svc *model.Service) {
		svc.Status, svc.InactiveAt = model.Inactive, time.Now()
	})
	return err
}
