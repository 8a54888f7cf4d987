package ecs

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"reflect"
	"slices"
	"time"

	"neargate/internal/decide/rollout"
	"neargate/internal/model"
)

// AdvanceDeployment keeps how far the primary deployment of a service has come.
// It changes nothing when that is another one by now, or has come elsewhere than
// From: somebody has continued it, say.
func (c *Catalogue) AdvanceDeployment(ctx context.Context, cluster, name string, a model.Advance) error {
	_, err := c.changeService(ctx, cluster, name, func(t tables, svc *model.Service) {
		d := svc.Deployments[0]
		if d.ID != a.Deployment || d.RolloutState != rollout.InProgress || !reflect.DeepEqual(d.Progress, a.From) {
			return
		}
		now := time.Now()
		a.To.Pauses = named(a.To.Pauses)
		svc.ChangeDeployment(d.ID, func(d *model.Deployment) {
			d.Progress, d.UpdatedAt = a.To, now
			if a.LoadBalancers != nil {
				d.LoadBalancers = a.LoadBalancers
			}
		})
		t.note(*svc, d.ID, func(rec *model.ServiceDeployment) {
			if rec.Status == model.DeploymentPending {
				rec.Status, rec.StartedAt = model.DeploymentInProgress, now
			}
			if !a.To.Back {
				rec.Stage = a.To.Stage
			}
			if a.LoadBalancers != nil {
				rec.Placed = a.LoadBalancers
			}
		})
	})
	return err
}

// named returns pauses with IDs for those that have none.
func named(pauses []model.Pause) []model.Pause {
	all := slices.Clone(pauses)
	for i := range all {
		if all[i].ID == "" {
			all[i].ID = hookID()
		}
	}
	return all
}

// hookID returns an ID as ECS makes them: "ecs-pause-" and 43 characters.
func hookID() string {
	var id [32]byte
	_, _ = rand.Read(id[:]) // never fails
	return "ecs-pause-" + base64.RawURLEncoding.EncodeToString(id[:])
}
