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
	if err := checkUpdate(in); err != nil {
		return nil, err
	}
	rollout, err := readRollout(in.DeploymentConfiguration)
	if err != nil {
		return nil, err
	}
	balancers, err := readLoadBalancers(in.LoadBalancers)
	if err != nil {
		return nil, err
	}
	svc, err := s.ecs.UpdateService(ctx, catalogue.UpdateServiceRequest{
		Cluster: aws.ToString(in.Cluster), Name: aws.ToString(in.Service), Force: in.ForceNewDeployment,
		Settings: catalogue.ServiceSettings{
			TaskDefinition: in.TaskDefinition, Network: readNetwork(in.NetworkConfiguration), LoadBalancers: balancers,
			PlatformVersion: in.PlatformVersion, Monitoring: readMonitoring(in.Monitoring), DesiredCount: number(in.DesiredCount),
			Grace: seconds(in.HealthCheckGracePeriodSeconds), Rollout: rollout, Strategy: readStrategy(in.CapacityProviderStrategy),
			AZRebalancing: enum(in.AvailabilityZoneRebalancing), PropagateTags: enum(in.PropagateTags),
			ManagedTags: in.EnableECSManagedTags, ExecuteCommand: in.EnableExecuteCommand,
		},
	})
	if err != nil {
		return nil, err
	}
	return &ecs.UpdateServiceOutput{Service: s.service(svc, true)}, nil
}

func checkUpdate(in *ecs.UpdateServiceInput) error {
	return firstOf(
		refuse(
			refusal{otherController(in.DeploymentController), "a deployment controller other than ECS"},
			refusal{in.ServiceConnectConfiguration != nil && in.ServiceConnectConfiguration.Enabled, "serviceConnectConfiguration"},
			refusal{len(in.ServiceRegistries) > 0, "serviceRegistries"},
			refusal{len(in.VolumeConfigurations) > 0, "volumeConfigurations"},
			refusal{len(in.VpcLatticeConfigurations) > 0, "vpcLatticeConfigurations"},
			refusal{len(in.GatewayConnectors) > 0, "gatewayConnectors"},
		),
		checkPlacement(in.PlacementConstraints, in.PlacementStrategy),
	)
}
