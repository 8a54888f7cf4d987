package ecs

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	catalogue "neargate/internal/ecs"
)

// createService: codes ClusterNotFoundException, ClientException,
// InvalidParameterException, PlatformUnknownException,
// UnsupportedFeatureException.
func (s *service) createService(ctx context.Context, in *ecs.CreateServiceInput) (*ecs.CreateServiceOutput, error) {
	if err := checkCreate(in); err != nil {
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
	svc, err := s.ecs.CreateService(ctx, catalogue.CreateServiceRequest{
		Cluster: aws.ToString(in.Cluster), Name: aws.ToString(in.ServiceName), ClientToken: aws.ToString(in.ClientToken),
		LaunchType: string(in.LaunchType), SchedulingStrategy: string(in.SchedulingStrategy), CreatedBy: *s.caller(ctx), Tags: readTags(in.Tags),
		Settings: catalogue.ServiceSettings{
			TaskDefinition: in.TaskDefinition, Network: readNetwork(in.NetworkConfiguration), LoadBalancers: balancers,
			PlatformVersion: in.PlatformVersion, Monitoring: readMonitoring(in.Monitoring), DesiredCount: number(in.DesiredCount),
			Grace: seconds(in.HealthCheckGracePeriodSeconds), Rollout: rollout, Strategy: readStrategy(in.CapacityProviderStrategy),
			AZRebalancing: enum(in.AvailabilityZoneRebalancing), PropagateTags: enum(in.PropagateTags),
			ManagedTags: &in.EnableECSManagedTags, ExecuteCommand: &in.EnableExecuteCommand,
		},
	})
	if err != nil {
		return nil, err
	}
	return &ecs.CreateServiceOutput{Service: s.service(svc, true)}, nil
}

func checkCreate(in *ecs.CreateServiceInput) error {
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

func otherController(c *types.DeploymentController) bool {
	return c != nil && c.Type != "" && c.Type != types.DeploymentControllerTypeEcs
}

func firstOf(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

func checkPlacement(constraints []types.PlacementConstraint, strategy []types.PlacementStrategy) error {
	switch {
	case len(constraints) > 0:
		return invalid("Placement constraints are not supported with FARGATE launch type.")
	case len(strategy) > 0:
		return invalid("Placement strategies are not supported with FARGATE launch type.")
	}
	return nil
}
