package scheduler

import (
	"context"
	"time"

	"neargate/internal/decide/rollout"
	"neargate/internal/model"
)

// complete ends the primary deployment well.
func (o *owner) complete(ctx context.Context, svc model.Service) {
	id := svc.Deployments[0].ID
	o.update(ctx, svc, func(svc *model.Service) {
		changeDeployment(svc, id, func(d model.Deployment) model.Deployment {
			d.RolloutState, d.RolloutReason = rollout.Completed, "ECS deployment "+id+" completed."
			return d
		})
	})
	o.say("(deployment %s) deployment completed.", id)
	now := time.Now()
	o.note(ctx, svc, id, func(rec *ServiceDeployment) {
		rec.Status, rec.StatusReason, rec.FinishedAt = successful, "", now
	})
	revision := o.s.RevisionARN(svc, id)
	for _, rec := range o.s.ServiceDeployments(svc) {
		if rec.Status == rollingBack && rec.RollbackARN == revision {
			o.note(ctx, svc, rec.Deployment, func(rec *ServiceDeployment) { rec.Status, rec.FinishedAt = rolledBack, now })
		}
	}
}

const breakerReason = "ECS deployment circuit breaker: tasks failed to start."

// fail ends the primary deployment badly and, if the service says so, goes back
// to the last one that completed: to the deployment itself while it has tasks,
// else to a new one like it.
func (o *owner) fail(ctx context.Context, svc model.Service) {
	failed := svc.Deployments[0].ID
	var back model.Deployment
	last, ok := o.s.lastCompleted(svc)
	rollback := svc.Rollout.Rollback && ok && last.Deployment != failed
	svc = o.update(ctx, svc, func(svc *model.Service) {
		changeDeployment(svc, failed, func(d model.Deployment) model.Deployment {
			d.RolloutState, d.RolloutReason = rollout.Failed, breakerReason
			return d
		})
		if rollback {
			back = rollBack(svc, last)
		}
	})
	o.say("(deployment %s) deployment failed: tasks failed to start.", failed)
	now := time.Now()
	o.note(ctx, svc, failed, func(rec *ServiceDeployment) {
		rec.Status, rec.StatusReason, rec.StoppedAt = stopped, breakerReason, now
		if rollback {
			rec.Status, rec.RollbackARN, rec.RollbackAt = rollingBack, o.s.RevisionARN(svc, back.ID), now
		}
	})
	if !rollback {
		return
	}
	o.say("rolling back to deployment %s.", back.ID)
	if _, known := o.s.history.Get(historyKey(svc, back.ID)); !known {
		if err := o.s.recordDeployment(context.WithoutCancel(ctx), svc); err != nil {
			o.s.log.Error("record deployment", "service", o.key, "err", err)
		}
	}
}

// rollBack makes the completed deployment, or one like it, primary.
func rollBack(svc *model.Service, last ServiceDeployment) model.Deployment {
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
	return back
}

// gone makes a deleted service INACTIVE.
func (o *owner) gone(ctx context.Context, svc model.Service) {
	o.update(ctx, svc, func(svc *model.Service) {
		svc.Status, svc.InactiveAt = inactive, time.Now()
	})
}

// note changes the record of a deployment; what cannot be written is logged.
func (o *owner) note(ctx context.Context, svc model.Service, deployment string, change func(*ServiceDeployment)) {
	if err := o.s.changeHistory(context.WithoutCancel(ctx), svc, deployment, change); err != nil {
		o.s.log.Error("write service deployment", "service", o.key, "err", err)
	}
}
