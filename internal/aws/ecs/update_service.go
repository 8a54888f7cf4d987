package ecs

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"

	catalogue "neargate/internal/ecs"
)

// updateService changes what the caller names and leaves the rest: codes
// ClusterNotFoundException, ServiceNotFoundException,
// ServiceNotActiveException, ClientException, InvalidParameterException,
// PlatformUnknownException, UnsupportedFeatureException.
func (s *service) updateService(ctx context.Context, in *ecs.UpdateServiceInput) (*ecs.UpdateServiceOutput, error) {
	connect, err := s.readConnect(in.ServiceConnectConfiguration)
	if err != nil {
		return nil, err
	}
	svc, err := s.ecs.UpdateService(ctx, catalogue.UpdateServiceRequest{
		Cluster: aws.ToString(in.Cluster), Name: aws.ToString(in.Service), Force: in.ForceNewDeployment,
		Settings: catalogue.ServiceSettings{
			TaskDefinition: in.TaskDefinition, Network: readNetwork(in.NetworkConfiguration), LoadBalancers: readLoadBalancers(in.LoadBalancers), Connect: connect,
			Registries:      readRegistries(in.ServiceRegistries),
			PlatformVersion: in.PlatformVersion, Monitoring: readMonitoring(in.Monitoring), DesiredCount: number(in.DesiredCount),
			Grace: seconds(in.HealthCheckGracePeriodSeconds), Rollout: readRollout(in.DeploymentConfiguration), Strategy: readStrategy(in.CapacityProviderStrategy),
			AZRebalancing: enum(in.AvailabilityZoneRebalancing), PropagateTags: enum(in.PropagateTags),
			ManagedTags: in.EnableECSManagedTags, ExecuteCommand: in.EnableExecuteCommand,
		},
	})
	if err != nil {
		return nil, err
	}
	return &ecs.UpdateServiceOutput{Service: s.service(svc, true)}, nil
}
