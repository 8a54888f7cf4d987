package ecs

import (
	"context"
	"slices"
	"strings"
	"time"

	"neargate/internal/decide/rollout"
	"neargate/internal/model"
)

// StopServiceDeployment has a deployment stop: stopType is ROLLBACK, which "" is
// too, or ABORT, after which nothing is gone back to. It returns when the order is on disk;
// one that stops already goes on doing so. ServiceDeploymentNotFoundException,
// ConflictException, InvalidParameterException.
func (c *Catalogue) StopServiceDeployment(ctx context.Context, arn, stopType string) error {
	switch stopType {
	case "", model.OrderRollback:
		return c.order(ctx, arn, func(t tables, svc *model.Service, rec model.ServiceDeployment) error {
			t.stop(svc, rec, model.OrderRollback)
			return nil
		})
	case model.OrderAbort:
		return c.order(ctx, arn, func(t tables, svc *model.Service, rec model.ServiceDeployment) error {
			t.stop(svc, rec, model.OrderAbort)
			return nil
		})
	}
	return invalid("Invalid stopType. Valid values are: ABORT, ROLLBACK")
}

// order is a transaction about a service deployment that has not ended.
func (c *Catalogue) order(ctx context.Context, arn string, change func(tables, *model.Service, model.ServiceDeployment) error) error {
	var svc model.Service
	err := c.update(ctx, func(t tables) error {
		rec, ok := t.serviceDeployment(arn)
		if !ok {
			return errDeploymentNotFound()
		}
		if rec.Status.Ended() {
			return errDeploymentEnded()
		}
		if svc, ok = t.services.Get(serviceKey(rec.Service)); !ok || svc.Status != model.Active {
			return errDeploymentEnded()
		}
		if err := change(t, &svc, rec); err != nil {
			return err
		}
		t.services.Put(serviceKey(svc), svc)
		return nil
	})
	if err == nil {
		c.changed(svc)
	}
	return err
}

func (t tables) serviceDeployment(arn string) (model.ServiceDeployment, bool) {
	prefix, ok := servicePrefix(arn)
	if !ok {
		return model.ServiceDeployment{}, false
	}
	all := t.history.List(prefix)
	i := slices.IndexFunc(all, func(rec model.ServiceDeployment) bool { return rec.ARN == arn })
	if i < 0 {
		return model.ServiceDeployment{}, false
	}
	return all[i], true
}

// stop orders a deployment to end, unless it has been ordered to.
func (t tables) stop(svc *model.Service, rec model.ServiceDeployment, what string) {
	d := svc.Deployments[0]
	if d.ID != rec.Deployment || d.RolloutState != rollout.InProgress || d.Progress.Ordered != "" {
		return
	}
	svc.ChangeDeployment(d.ID, func(d *model.Deployment) { d.Progress.Ordered, d.UpdatedAt = what, time.Now() })
	t.note(*svc, d.ID, func(rec *model.ServiceDeployment) {
		rec.Status = model.DeploymentBackRequested
		if what == model.OrderAbort {
			rec.Status = model.DeploymentStopRequested
		}
	})
}

// ContinueServiceDeployment ends a pause of a deployment: action is CONTINUE,
// which "" is too, or ROLLBACK. ServiceDeploymentNotFoundException,
// InvalidParameterException, ConflictException.
func (c *Catalogue) ContinueServiceDeployment(ctx context.Context, arn, hookID, action string) error {
	switch {
	case !strings.HasPrefix(hookID, "ecs-pause-"):
		return invalid("Invalid hookId: hookId must follow the format: ecs-{hookType}-{id}")
	case action != "" && action != model.PauseContinue && action != model.OrderRollback:
		return invalid("Invalid action. Valid values are: CONTINUE, ROLLBACK")
	}
	return c.order(ctx, arn, func(t tables, svc *model.Service, rec model.ServiceDeployment) error {
		d := svc.Deployments[0]
		waits := slices.IndexFunc(d.Progress.Pauses, func(p model.Pause) bool { return p.ID == hookID && p.Status == model.PauseAwaiting })
		if d.ID != rec.Deployment || waits < 0 {
			return invalid("Provided hookId is either completed, unavailable, or not associated with the given Resource ARN")
		}
		svc.ChangeDeployment(d.ID, func(d *model.Deployment) {
			d.Progress.Pauses = slices.Clone(d.Progress.Pauses)
			d.Progress.Pauses[waits].Status, d.UpdatedAt = model.PauseSucceeded, time.Now()
			if action == model.OrderRollback {
				d.Progress.Pauses[waits].Status = model.PauseFailed
			}
		})
		if action == model.OrderRollback {
			t.stop(svc, rec, model.OrderRollback)
		}
		return nil
	})
}
