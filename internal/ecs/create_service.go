package ecs

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"neargate/internal/model"
)

// CreateServiceRequest is what CreateService takes.
type CreateServiceRequest struct {
	Cluster, Name      string
	LaunchType         string // "" with a strategy
	SchedulingStrategy string // "" is REPLICA
	ClientToken        string
	CreatedBy          string // an ARN
	Tags               []model.Tag
	Settings           ServiceSettings
}

// CreateService creates the service with its first deployment. The same client
// token with the same definition and count returns the same service. ClusterNotFoundException, ClientException,
// InvalidParameterException, PlatformUnknownException,
// UnsupportedFeatureException.
func (c *Catalogue) CreateService(ctx context.Context, req CreateServiceRequest) (model.Service, error) {
	if err := firstError(req.check(), checkTags(req.Tags), c.checkGroups(req.Settings), c.checkRegistries(req.Settings), c.findNetwork(req.Settings.Network),
		c.resolveConnect(req.Cluster, req.Settings.Connect)); err != nil {
		return model.Service{}, err
	}
	var created, svc model.Service
	isNew := false
	err := c.update(ctx, func(t tables) (err error) {
		if created, err = c.newService(t, req); err != nil {
			return err
		}
		cur, exists := t.services.Get(serviceKey(created))
		switch {
		case exists && cur.Status == model.Active:
			if created.ClientToken == "" || cur.ClientToken != created.ClientToken || cur.ClientRequest != created.ClientRequest {
				return errServiceNotIdempotent()
			}
			svc = cur
			return nil
		case exists && cur.Status == model.Draining:
			return errServiceDraining()
		}
		svc, isNew = created, true
		t.services.Put(serviceKey(svc), svc)
		t.events.Delete(serviceKey(svc))
		t.begin(svc)
		return nil
	})
	if err == nil && isNew {
		c.changed(svc)
	}
	return svc, err
}

// check refuses what is wrong whatever else there is.
func (req CreateServiceRequest) check() error {
	switch {
	case !validName(req.Name):
		return invalid("Invalid service name. Up to 255 letters (uppercase and lowercase), numbers, underscores, and hyphens are allowed.")
	case req.SchedulingStrategy == "DAEMON":
		return invalid("The daemon scheduling strategy does not support the FARGATE launch type. Change the launch type and try again")
	case req.SchedulingStrategy != "" && req.SchedulingStrategy != "REPLICA":
		return invalid("Scheduling strategy should be one of [REPLICA,DAEMON]")
	case len(req.ClientToken) > 36:
		return invalid("idempotency token longer than 36.")
	case req.Settings.TaskDefinition == nil || *req.Settings.TaskDefinition == "":
		return client("TaskDefinition can not be blank.")
	case req.Settings.DesiredCount == nil:
		return invalid("DesiredCount is missing")
	case *req.Settings.DesiredCount < 0:
		return invalid("DesiredCount can not be lesser than 0")
	}
	return nil
}

// newService returns the service as asked for, with AWS's defaults.
func (c *Catalogue) newService(t tables, req CreateServiceRequest) (model.Service, error) {
	cluster, err := activeCluster(t.clusters, req.Cluster)
	if err != nil {
		return model.Service{}, err
	}
	svc := model.Service{
		Name: req.Name, ARN: c.cfg.Place.ServiceARN(cluster.Name, req.Name), Cluster: cluster.Name, ClusterARN: cluster.ARN,
		Status: model.Active, CreatedAt: time.Now(), CreatedBy: req.CreatedBy, ClientToken: req.ClientToken, Tags: req.Tags,
		ClientRequest:   fmt.Sprintf("%s %d", *req.Settings.TaskDefinition, *req.Settings.DesiredCount),
		PlatformVersion: "LATEST", SchedulingStrategy: "REPLICA", PropagateTags: "NONE",
		Rollout: model.RolloutConfig{MaximumPercent: 200, MinimumHealthyPercent: 100},
	}
	launch, err := NewLaunch(req.LaunchType, req.Settings.Strategy, cluster)
	if err != nil {
		return svc, err
	}
	settings := req.Settings
	settings.AZRebalancing = new(cmp.Or(deref(settings.AZRebalancing), rebalancingOn))
	settings.Strategy = nil // in launch
	if err := settings.apply(t, &svc); err != nil {
		return svc, err
	}
	if len(svc.Network.Subnets) == 0 {
		return svc, errNoNetwork()
	}
	svc.LaunchType, svc.Strategy = launch.Type, launch.Strategy
	svc.Deployments = []model.Deployment{newDeployment(svc)}
	return svc, nil
}

// Launch is how tasks are launched: by type, or by a strategy.
type Launch struct {
	Type     string
	Strategy []model.CapacityProviderShare
}

// NewLaunch returns how to launch tasks. Without a launch type and a strategy
// the cluster's default strategy counts, and without that FARGATE: there is
// nothing else. InvalidParameterException, UnsupportedFeatureException.
func NewLaunch(launchType string, strategy []model.CapacityProviderShare, cluster model.Cluster) (Launch, error) {
	if err := checkStrategy(strategy); err != nil {
		return Launch{}, err
	}
	switch {
	case launchType != "" && len(strategy) > 0:
		return Launch{}, invalid("Specifying both a launch type and capacity provider strategy is not supported. Remove one and try again.")
	case len(strategy) > 0:
		return Launch{Strategy: strategy}, nil
	case launchType == "" && len(cluster.DefaultStrategy) > 0:
		return Launch{Strategy: cluster.DefaultStrategy}, nil
	case launchType == "" || launchType == launchFargate:
		return Launch{Type: launchFargate}, nil
	}
	return Launch{}, unsupported("launchType %s is not supported by Neargate.", launchType)
}

const launchFargate = "FARGATE"

func deref[T any](p *T) (v T) {
	if p != nil {
		v = *p
	}
	return v
}
