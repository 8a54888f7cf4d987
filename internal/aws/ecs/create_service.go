package ecs

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"

	catalogue "neargate/internal/ecs"
)

// createService: codes ClusterNotFoundException, ClientException,
// InvalidParameterException, PlatformUnknownException,
// UnsupportedFeatureException.
func (s *service) createService(ctx context.Context, in *ecs.CreateServiceInput) (*ecs.CreateServiceOutput, error) {
	connect, err := s.readConnect(in.ServiceConnectConfiguration)
	if err != nil {
		return nil, err
	}
	svc, err := s.ecs.CreateService(ctx, catalogue.CreateServiceRequest{
		Cluster: aws.ToString(in.Cluster), Name: aws.ToString(in.ServiceName), ClientToken: aws.ToString(in.ClientToken),
		LaunchType: string(in.LaunchType), SchedulingStrategy: string(in.SchedulingStrategy), CreatedBy: *s.caller(ctx), Tags: readTags(in.Tags),
		Settings: catalogue.ServiceSettings{
			TaskDefinition: in.TaskDefinition, Network: readNetwork(in.NetworkConfiguration), LoadBalancers: readLoadBalancers(in.LoadBalancers), Connect: connect,
			Registries:      readRegistries(in.ServiceRegistries),
			PlatformVersion: in.PlatformVersion, Monitoring: readMonitoring(in.Monitoring), DesiredCount: number(in.DesiredCount),
			Grace: seconds(in.HealthCheckGracePeriodSeconds), Rollout: readRollout(in.DeploymentConfiguration), Strategy: readStrategy(in.CapacityProviderStrategy),
			AZRebalancing: enum(in.AvailabilityZoneRebalancing), PropagateTags: enum(in.PropagateTags),
			ManagedTags: &in.EnableECSManagedTags, ExecuteCommand: &in.EnableExecuteCommand,
		},
	})
	if err != nil {
		return nil, err
	}
	return &ecs.CreateServiceOutput{Service: s.service(svc, true)}, nil
}
