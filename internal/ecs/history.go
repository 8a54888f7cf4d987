package ecs

import (
	"context"
	"strings"
	"time"

	"neargate/internal/model"
	"neargate/internal/random"
)

// keptDeployments is how many service deployments are kept for each service.
const keptDeployments = 100

func historyKey(svc model.Service, deployment string) string {
	return serviceKey(svc) + "/" + strings.TrimPrefix(deployment, "ecs-svc/")
}

// recordDeployment notes the beginning of the primary deployment and that it
// ends those still under way.
func (c *Catalogue) recordDeployment(ctx context.Context, svc model.Service) error {
	primary := svc.Deployments[0]
	now := time.Now()
	rec := model.ServiceDeployment{
		ARN:         strings.Replace(svc.ARN, ":service/", ":service-deployment/", 1) + "/" + random.Word(21),
		RevisionARN: svc.RevisionARN(primary.ID), Service: svc, Deployment: primary.ID,
		Status: model.DeploymentInProgress, CreatedAt: now, UpdatedAt: now,
	}
	for _, d := range svc.Deployments[1:] {
		rec.SourceRevisions = append(rec.SourceRevisions, svc.RevisionARN(d.ID))
		err := c.changeHistory(ctx, svc, d.ID, func(old *model.ServiceDeployment) {
			if old.Status == model.DeploymentInProgress {
				old.Status, old.StatusReason = model.DeploymentStopped, "Service deployment was stopped because a newer service deployment replaced it."
				old.StoppedAt, old.FinishedAt = now, now
			}
		})
		if err != nil {
			return err
		}
	}
	if err := c.history.Put(ctx, historyKey(svc, primary.ID), rec); err != nil {
		return err
	}
	return c.pruneHistory(ctx, svc)
}

// changeHistory changes the record of a deployment, if there is one.
func (c *Catalogue) changeHistory(ctx context.Context, svc model.Service, deployment string, change func(*model.ServiceDeployment)) error {
	key := historyKey(svc, deployment)
	if _, ok := c.history.Get(key); !ok {
		return nil
	}
	_, err := c.history.Update(ctx, key, func(cur model.ServiceDeployment, _ bool) (model.ServiceDeployment, error) {
		change(&cur)
		cur.UpdatedAt = time.Now()
		return cur, nil
	})
	return err
}

func (c *Catalogue) pruneHistory(ctx context.Context, svc model.Service) error {
	all := c.ServiceDeployments(svc)
	for _, old := range all[min(len(all), keptDeployments):] {
		if _, err := c.history.Delete(ctx, historyKey(svc, old.Deployment)); err != nil {
			return err
		}
	}
	return nil
}

// lastCompleted returns the record of the newest deployment that succeeded.
func (c *Catalogue) lastCompleted(svc model.Service) (model.ServiceDeployment, bool) {
	for _, rec := range c.ServiceDeployments(svc) {
		if rec.Status == model.DeploymentSuccessful {
			return rec, true
		}
	}
	return model.ServiceDeployment{}, false
}
