package ecs

import (
	"context"
	"time"

	"neargate/internal/decide/rollout"
	"neargate/internal/model"
)

// noCandidate is why a rollback fails that has nowhere to go, in ECS's words.
const noCandidate = "No rollback candidate was found to run the rollback."

// FailDeployment ends the primary deployment badly and, if it is to, goes back to
// the last one that completed, which is primary then whether it has tasks left or
// not. It returns that deployment; "" is none. A deployment that was itself to go
// back is not gone back from.
func (c *Catalogue) FailDeployment(ctx context.Context, cluster, name string, f model.DeploymentFailure) (back string, err error) {
	_, err = c.changeService(ctx, cluster, name, func(t tables, svc *model.Service) { back = t.fail(svc, f) })
	if err != nil {
		return "", err
	}
	return back, nil
}

func (t tables) fail(svc *model.Service, f model.DeploymentFailure) (back string) {
	now, failed := time.Now(), svc.Deployments[0]
	svc.ChangeDeployment(failed.ID, func(d *model.Deployment) {
		d.RolloutState, d.RolloutReason, d.UpdatedAt = rollout.Failed, f.RolloutReason, now
	})
	if failed.Progress.Back {
		t.settle(*svc, failed.ID, model.DeploymentRollbackFailed, f.StatusReason)
		return ""
	}
	t.note(*svc, failed.ID, func(rec *model.ServiceDeployment) {
		rec.Status, rec.StatusReason, rec.StoppedAt = model.DeploymentStopped, f.StatusReason, now
		rec.Tripped, rec.Alarms, rec.FailedTasks = f.Tripped, f.Alarms, failed.FailedTasks
		if !f.Rollback {
			rec.FinishedAt = now
		}
	})
	if !f.Rollback {
		return ""
	}
	last, ok := t.lastCompleted(*svc)
	if !ok || last.Deployment == failed.ID {
		t.note(*svc, failed.ID, func(rec *model.ServiceDeployment) {
			rec.Status, rec.StatusReason, rec.FinishedAt = model.DeploymentRollbackFailed, noCandidate, now
		})
		return ""
	}
	back = rollBack(svc, last)
	t.note(*svc, failed.ID, func(rec *model.ServiceDeployment) {
		rec.Status, rec.RollbackARN, rec.RollbackAt = model.DeploymentRollingBack, svc.RevisionARN(back), now
	})
	return back
}

// rollBack makes the completed deployment primary again; it runs the same images,
// whatever their tags mean by now.
func rollBack(svc *model.Service, last model.ServiceDeployment) string {
	svc.TaskDefinitionARN, svc.Network = last.Service.TaskDefinitionARN, last.Service.Network
	svc.LoadBalancers, svc.PlatformVersion = last.Service.LoadBalancers, last.Service.PlatformVersion
	svc.Registries, svc.Connect = last.Service.Registries, last.Service.Connect
	back := newDeployment(*svc)
	back.Images, back.Strategy = last.Images, svc.Deployments[0].Strategy
	back.ID, back.CreatedAt = last.Deployment, last.CreatedAt
	back.Progress = model.Progress{Back: true, Source: svc.Deployments[0].ID}
	for _, d := range svc.Deployments {
		if d.ID == last.Deployment {
			back.LoadBalancers, back.Progress.Placed = d.LoadBalancers, true
		}
	}
	back.RolloutReason = "ECS deployment circuit breaker: rolling back to deploymentId " + back.ID + "."
	supersede(svc, back)
	return back.ID
}
