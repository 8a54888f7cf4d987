package servicediscovery

import (
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/servicediscovery"
	"github.com/aws/aws-sdk-go-v2/service/servicediscovery/types"

	"neargate/internal/aws/wire"
	"neargate/internal/discovery"
	"neargate/internal/model"
)

// named returns the service and the instance that a call must name. InvalidInput.
func named(service, instance *string) (serviceID, instanceID string, err error) {
	var c wire.Checks
	serviceID, instanceID = c.Text("serviceId", service, 1, 255), c.Text("instanceId", instance, 1, 64)
	return serviceID, instanceID, c.Err(invalidInput)
}

// registerInstance: codes InvalidInput, ServiceNotFound.
func (s *service) registerInstance(ctx context.Context, in *sdk.RegisterInstanceInput) (*sdk.RegisterInstanceOutput, error) {
	service, instance, err := named(in.ServiceId, in.InstanceId)
	if err != nil {
		return nil, err
	}
	op, err := s.directory.RegisterInstance(ctx, model.Instance{
		ID: instance, ServiceID: service, Attributes: in.Attributes, CreatorRequestID: aws.ToString(in.CreatorRequestId),
	})
	if err != nil {
		return nil, err
	}
	return &sdk.RegisterInstanceOutput{OperationId: aws.String(op)}, nil
}

// deregisterInstance: codes InstanceNotFound, InvalidInput, ResourceInUse,
// ServiceNotFound.
func (s *service) deregisterInstance(ctx context.Context, in *sdk.DeregisterInstanceInput) (*sdk.DeregisterInstanceOutput, error) {
	service, instance, err := named(in.ServiceId, in.InstanceId)
	if err != nil {
		return nil, err
	}
	op, err := s.directory.DeregisterInstance(ctx, service, instance)
	if err != nil {
		return nil, err
	}
	return &sdk.DeregisterInstanceOutput{OperationId: aws.String(op)}, nil
}

// getInstance: codes InstanceNotFound, InvalidInput, ServiceNotFound.
func (s *service) getInstance(_ context.Context, in *sdk.GetInstanceInput) (*sdk.GetInstanceOutput, error) {
	service, instance, err := named(in.ServiceId, in.InstanceId)
	if err != nil {
		return nil, err
	}
	all, err := s.directory.Instances(service)
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(all, func(one model.Instance) bool { return one.ID == instance })
	if i < 0 {
		return nil, errNoInstance(instance)
	}
	return &sdk.GetInstanceOutput{ResourceOwner: aws.String(s.place.Account), Instance: &types.Instance{
		Id: aws.String(instance), Attributes: all[i].Attributes, CreatorRequestId: text(all[i].CreatorRequestID), CreatedByAccount: aws.String(s.place.Account),
	}}, nil
}

func errNoInstance(id string) error {
	return model.Errorf(model.NotFound, "InstanceNotFound", "Instance %s not found", id)
}

// listInstances: codes InvalidInput, ServiceNotFound.
func (s *service) listInstances(_ context.Context, in *sdk.ListInstancesInput) (*sdk.ListInstancesOutput, error) {
	id, err := identifier("serviceId", in.ServiceId)
	if err != nil {
		return nil, err
	}
	all, err := s.directory.Instances(id)
	if err != nil {
		return nil, err
	}
	all, next, err := page(all, func(one model.Instance) string { return one.ID }, in.NextToken, in.MaxResults)
	if err != nil {
		return nil, err
	}
	out := &sdk.ListInstancesOutput{Instances: []types.InstanceSummary{}, NextToken: next, ResourceOwner: aws.String(s.place.Account)}
	for _, one := range all {
		out.Instances = append(out.Instances, types.InstanceSummary{Id: aws.String(one.ID), Attributes: one.Attributes, CreatedByAccount: aws.String(s.place.Account)})
	}
	return out, nil
}

// getInstancesHealthStatus: codes InstanceNotFound, InvalidInput,
// ServiceNotFound.
func (s *service) getInstancesHealthStatus(_ context.Context, in *sdk.GetInstancesHealthStatusInput) (*sdk.GetInstancesHealthStatusOutput, error) {
	id, err := identifier("serviceId", in.ServiceId)
	if err != nil {
		return nil, err
	}
	one, err := s.directory.Service(id)
	if err != nil {
		return nil, err
	}
	all, err := s.directory.Instances(id)
	if err != nil {
		return nil, err
	}
	for _, wanted := range in.Instances {
		if !slices.ContainsFunc(all, func(one model.Instance) bool { return one.ID == wanted }) {
			return nil, errNoInstance(wanted)
		}
	}
	if in.Instances != nil {
		all = slices.DeleteFunc(all, func(one model.Instance) bool { return !slices.Contains(in.Instances, one.ID) })
	}
	all, next, err := page(all, func(one model.Instance) string { return one.ID }, in.NextToken, in.MaxResults)
	if err != nil {
		return nil, err
	}
	out := &sdk.GetInstancesHealthStatusOutput{Status: map[string]types.HealthStatus{}, NextToken: next}
	for _, in := range all {
		out.Status[in.ID] = healthOf(in, one)
	}
	return out, nil
}

// healthOf is UNKNOWN where nobody is to say.
func healthOf(in model.Instance, s model.DiscoveryService) types.HealthStatus {
	switch {
	case !s.CustomHealth:
		return types.HealthStatusUnknown
	case in.Unhealthy:
		return types.HealthStatusUnhealthy
	}
	return types.HealthStatusHealthy
}

// updateInstanceCustomHealthStatus: codes CustomHealthNotFound,
// InstanceNotFound, InvalidInput, ServiceNotFound.
func (s *service) updateInstanceCustomHealthStatus(ctx context.Context, in *sdk.UpdateInstanceCustomHealthStatusInput) (*sdk.UpdateInstanceCustomHealthStatusOutput, error) {
	service, instance, err := named(in.ServiceId, in.InstanceId)
	if err != nil {
		return nil, err
	}
	if !slices.Contains(in.Status.Values(), in.Status) {
		return nil, invalid("Status must be HEALTHY or UNHEALTHY")
	}
	if err := s.directory.SetHealth(ctx, service, instance, in.Status == types.CustomHealthStatusHealthy); err != nil {
		return nil, err
	}
	return &sdk.UpdateInstanceCustomHealthStatusOutput{}, nil
}

// discoverInstances: codes InvalidInput, NamespaceNotFound, ServiceNotFound.
func (s *service) discoverInstances(_ context.Context, in *sdk.DiscoverInstancesInput) (*sdk.DiscoverInstancesOutput, error) {
	var c wire.Checks
	namespace, name := c.Text("namespaceName", in.NamespaceName, 1, 1024), c.Text("serviceName", in.ServiceName, 1, 127)
	most := c.Range("maxResults", in.MaxResults, 1, 1000, 100)
	c.OneOf("healthStatus", string(in.HealthStatus), discovery.Healthy, discovery.Unhealthy, string(types.HealthStatusFilterAll), string(types.HealthStatusFilterHealthyOrElseAll))
	if err := c.Err(invalidInput); err != nil {
		return nil, err
	}
	one, all, err := s.directory.Discover(discovery.Discovery{
		Namespace: namespace, Service: name, Health: string(in.HealthStatus), Query: in.QueryParameters, Optional: in.OptionalParameters,
	})
	if err != nil {
		return nil, err
	}
	out := &sdk.DiscoverInstancesOutput{Instances: []types.HttpInstanceSummary{}}
	for _, in := range all[:min(int(most), len(all))] {
		out.Instances = append(out.Instances, types.HttpInstanceSummary{
			InstanceId: aws.String(in.ID), NamespaceName: aws.String(namespace), ServiceName: aws.String(name),
			HealthStatus: healthOf(in, one), Attributes: in.Attributes,
		})
	}
	return out, nil
}
