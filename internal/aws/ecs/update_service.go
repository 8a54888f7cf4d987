package ecs

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"neargate/internal/model"
)

// updateService changes what the caller names and leaves the rest: codes
// ClusterNotFoundException, ServiceNotFoundException,
// ServiceNotActiveException, ClientException, InvalidParameterException,
// PlatformUnknownException, UnsupportedFeatureException.
func (s *service) updateService(ctx context.Context, in *ecs.UpdateServiceInput) (*ecs.UpdateServiceOutput, error) {
	if err := checkUpdate(in); err != nil {
		return nil, err
	}
	svc, err := s.ecs.UpdateService(ctx, aws.ToString(in.Cluster), aws.ToString(in.Service), in.ForceNewDeployment, func(svc *model.Service) error {
		if err := s.changeTasks(in, svc); err != nil {
			return err
		}
		return changeService(in, svc)
	})
	if err != nil {
		return nil, err
	}
	return &ecs.UpdateServiceOutput{Service: s.service(svc, true)}, nil
}

func checkUpdate(in *ecs.UpdateServiceInput) error {
	return firstOf(
		checkCounts(in.DesiredCount, in.HealthCheckGracePeriodSeconds),
		checkPlatform(in.PlatformVersion),
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

// changeTasks changes what tasks are made of, which starts a deployment.
func (s *service) changeTasks(in *ecs.UpdateServiceInput, svc *model.Service) error {
	def, _ := s.ecs.TaskDefinition(svc.TaskDefinitionARN)
	var err error
	if in.TaskDefinition != nil {
		if def, err = s.fargateDefinition(in.TaskDefinition); err != nil {
			return err
		}
		svc.TaskDefinitionARN = def.ARN
	}
	if in.NetworkConfiguration != nil {
		if svc.Network, err = readNetwork(in.NetworkConfiguration); err != nil {
			return err
		}
	}
	if in.PlatformVersion != nil {
		svc.PlatformVersion = *in.PlatformVersion
	}
	if in.Monitoring != nil {
		if svc.Monitoring, err = readMonitoring(in.Monitoring); err != nil {
			return err
		}
	}
	if in.LoadBalancers != nil {
		svc.LoadBalancers, err = s.readLoadBalancers(in.LoadBalancers, def)
		return err
	}
	for _, lb := range svc.LoadBalancers {
		if err := checkPort(lb, def); err != nil {
			return err
		}
	}
	return nil
}

// changeService changes the rest, which starts none.
func changeService(in *ecs.UpdateServiceInput, svc *model.Service) error {
	var err error
	if svc.Rollout, err = readRollout(in.DeploymentConfiguration, svc.Rollout); err != nil {
		return err
	}
	if in.CapacityProviderStrategy != nil {
		if svc.Strategy, err = readStrategy(in.CapacityProviderStrategy); err != nil {
			return err
		}
		svc.LaunchType = ""
		if len(svc.Strategy) == 0 {
			svc.LaunchType = string(types.LaunchTypeFargate)
		}
	}
	if in.AvailabilityZoneRebalancing != "" || in.DeploymentConfiguration != nil {
		said := in.AvailabilityZoneRebalancing
		if said == "" {
			said = types.AvailabilityZoneRebalancing(svc.AZRebalancing)
		}
		svc.AZRebalancing = rebalancing(said, svc.Rollout)
	}
	if in.HealthCheckGracePeriodSeconds != nil {
		if *in.HealthCheckGracePeriodSeconds > 0 && len(svc.LoadBalancers) == 0 {
			return invalid("Health check grace period is only valid for services configured to use load balancers")
		}
		svc.HealthCheckGrace = time.Duration(*in.HealthCheckGracePeriodSeconds) * time.Second
	}
	if in.PropagateTags != "" {
		svc.PropagateTags = string(in.PropagateTags)
	}
	svc.DesiredCount = int(deref(in.DesiredCount, int32(svc.DesiredCount)))
	svc.EnableECSManagedTags = deref(in.EnableECSManagedTags, svc.EnableECSManagedTags)
	svc.EnableExecuteCommand = deref(in.EnableExecuteCommand, svc.EnableExecuteCommand)
	return nil
}
