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
	var primary string
	svc, err := c.ChangeService(ctx, cluster, name, func(svc *model.Service) {
		primary = svc.Deployments[0].ID
		svc.ChangeDeployment(primary, func(d *model.Deployment) {
			d.RolloutState, d.RolloutReason, d.UpdatedAt = rollout.Completed, "ECS deployment "+primary+" completed.", now
		})
	})
	if err != nil {
		return err
	}
	err = c.changeHistory(ctx, svc, primary, func(rec *model.ServiceDeployment) {
		rec.Status, rec.StatusReason, rec.FinishedAt = model.DeploymentSuccessful, "", now
	})
	if err != nil {
		return err
	}
	for _, rec := range c.ServiceDeployments(svc) {
		if rec.Status != model.DeploymentRollingBack || rec.RollbackARN != svc.RevisionARN(primary) {
			continue
		}
		err := c.changeHistory(ctx, svc, rec.Deployment, func(rec *model.ServiceDeployment) {
			rec.Status, rec.FinishedAt = model.DeploymentRolledBack, now
		})
		if err != nil {
			return err
		}
	}
	return nil
}

const breakerReason = "ECS deployment circuit breaker: tasks failed to start."

// FailDeployment ends the primary deployment badly and, if the service says so,
// goes back to the last one that completed: to the deployment itself while it
// has tasks, else to a new one like it. It returns the deployment gone back to;
// "" is none.
func (c *Catalogue) FailDeployment(ctx context.Context, cluster, name string) (back string, err error) {
	now := time.Now()
	var failed string
	svc, err := c.ChangeService(ctx, cluster, name, func(svc *model.Service) {
		failed, back = svc.Deployments[0].ID, ""
		svc.ChangeDeployment(failed, func(d *model.Deployment) {
			d.RolloutState, d.RolloutReason, d.UpdatedAt = rollout.Failed, breakerReason, now
		})
		if last, ok := c.lastCompleted(*svc); svc.Rollout.Rollback && ok && last.Deployment != failed {
			back = rollBack(svc, last)
		}
	})
	if err != nil {
		return "", err
	}
	err = c.changeHistory(ctx, svc, failed, func(rec *model.ServiceDeployment) {
		rec.Status, rec.StatusReason, rec.StoppedAt = model.DeploymentStopped, breakerReason, now
		if back != "" {
			rec.Status, rec.RollbackARN, rec.RollbackAt = model.DeploymentRollingBack, svc.RevisionARN(back), now
		}
	})
	if err != nil || back == "" {
		return back, err
	}
	if _, known := c.history.Get(historyKey(svc, back)); !known {
		err = c.recordDeployment(ctx, svc)
	}
	return back, err
}

// rollBack makes the completed deployment, or one like it, primary.
func rollBack(svc *model.Service, last model.ServiceDeployment) string {
	svc.TaskDefinitionARN, svc.Network = last.Service.TaskDefinitionARN, last.Service.Network
	svc.LoadBalancers, svc.PlatformVersion = last.Service.LoadBalancers, last.Service.PlatformVersion
	back := newDeployment(*svc)
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
