package ecs

import (
	"context"

	"neargate/internal/decide/rollout"
	"neargate/internal/model"
)

// UpdateServiceRequest is what UpdateService takes.
type UpdateServiceRequest struct {
	Cluster, Name string
	Force         bool // a new deployment in any case
	Settings      ServiceSettings
}

// UpdateService changes an ACTIVE service. A new deployment begins when what
// tasks are made of changes, or with Force. ClusterNotFoundException,
// ServiceNotFoundException, ServiceNotActiveException, ClientException,
// InvalidParameterException, PlatformUnknownException.
func (c *Catalogue) UpdateService(ctx context.Context, req UpdateServiceRequest) (model.Service, error) {
	if n := req.Settings.DesiredCount; n != nil && *n < 0 {
		return model.Service{}, invalid("Task count can not be lesser than 0")
	}
	if err := firstError(c.checkGroups(req.Settings), c.checkRegistries(req.Settings),
		c.findNetwork(req.Settings.Network), c.resolveConnect(req.Cluster, req.Settings.Connect)); err != nil {
		return model.Service{}, err
	}
	return c.changeActive(ctx, req.Cluster, req.Name, func(t tables, svc *model.Service) error {
		before := *svc
		if err := req.Settings.apply(t, svc); err != nil {
			return err
		}
		if !req.Force && !redeploys(before, *svc) {
			setDesired(svc, svc.DesiredCount)
			return nil
		}
		if d := before.Deployments[0]; d.RolloutState == rollout.InProgress && d.Progress.Stage == model.StageCleanUp {
			t.complete(svc) // nothing is left of it but to remove what it has replaced
		}
		supersede(svc, newDeployment(*svc))
		t.begin(*svc)
		return nil
	})
}
