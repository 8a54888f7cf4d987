package ecs

import (
	"cmp"
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"neargate/internal/model"
)

// createService: codes ClusterNotFoundException, ClientException,
// InvalidParameterException, PlatformUnknownException,
// UnsupportedFeatureException.
func (s *service) createService(ctx context.Context, in *ecs.CreateServiceInput) (*ecs.CreateServiceOutput, error) {
	if err := checkCreate(in); err != nil {
		return nil, err
	}
	svc := model.Service{
		Name: *in.ServiceName, Cluster: clusterName(in.Cluster), DesiredCount: int(aws.ToInt32(in.DesiredCount)),
		HealthCheckGrace: time.Duration(aws.ToInt32(in.HealthCheckGracePeriodSeconds)) * time.Second,
		PlatformVersion:  deref(in.PlatformVersion, "LATEST"), SchedulingStrategy: "REPLICA",
		PropagateTags: string(cmp.Or(in.PropagateTags, types.PropagateTagsNone)), EnableECSManagedTags: in.EnableECSManagedTags,
		EnableExecuteCommand: in.EnableExecuteCommand, CreatedBy: *s.caller(ctx), ClientToken: aws.ToString(in.ClientToken),
	}
	cluster, ok := s.ecs.Cluster(svc.Cluster)
	if !ok || cluster.Status != model.Active {
		return nil, model.Errorf(model.NotFound, "ClusterNotFoundException", "Cluster not found.")
	}
	var err error
	if svc.LaunchType, svc.Strategy, err = launch(in.LaunchType, in.CapacityProviderStrategy, cluster); err != nil {
		return nil, err
	}
	def, err := s.fargateDefinition(in.TaskDefinition)
	if err != nil {
		return nil, err
	}
	svc.TaskDefinitionARN = def.ARN
	if svc.Network, err = readNetwork(in.NetworkConfiguration); err != nil {
		return nil, err
	}
	if svc.LoadBalancers, err = s.readLoadBalancers(in.LoadBalancers, def); err != nil {
		return nil, err
	}
	if in.HealthCheckGracePeriodSeconds != nil && *in.HealthCheckGracePeriodSeconds > 0 && len(svc.LoadBalancers) == 0 {
		return nil, invalid("Health check grace period is only valid for services configured to use load balancers")
	}
	if svc.Rollout, err = readRollout(in.DeploymentConfiguration, model.RolloutConfig{MaximumPercent: 200, MinimumHealthyPercent: 100}); err != nil {
		return nil, err
	}
	if svc.Monitoring, err = readMonitoring(in.Monitoring); err != nil {
		return nil, err
	}
	svc.AZRebalancing = rebalancing(in.AvailabilityZoneRebalancing, svc.Rollout)
	if svc.Tags, err = readTags(nil, in.Tags); err != nil {
		return nil, err
	}
	if svc, err = s.ecs.CreateService(ctx, svc); err != nil {
		return nil, err
	}
	return &ecs.CreateServiceOutput{Service: s.service(svc, true)}, nil
}

func checkCreate(in *ecs.CreateServiceInput) error {
	switch {
	case in.ServiceName == nil || !nameForm.MatchString(*in.ServiceName):
		return invalid("Invalid service name. Up to 255 letters (uppercase and lowercase), numbers, underscores, and hyphens are allowed.")
	case aws.ToString(in.TaskDefinition) == "":
		return client("TaskDefinition can not be blank.")
	}
	return firstOf(
		checkCounts(in.DesiredCount, in.HealthCheckGracePeriodSeconds),
		checkPlatform(in.PlatformVersion),
		refuse(
			refusal{in.SchedulingStrategy == types.SchedulingStrategyDaemon, "schedulingStrategy DAEMON"},
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

// maxDesired is ECS's limit of tasks in one service.
const maxDesired = 5000

func checkCounts(desired, grace *int32) error {
	switch {
	case desired != nil && *desired < 0:
		return invalid("desiredCount cannot be negative.")
	case desired != nil && *desired > maxDesired:
		return invalid("desiredCount cannot be more than %d.", maxDesired)
	case grace != nil && *grace < 0:
		return invalid("healthCheckGracePeriodSeconds cannot be negative.")
	}
	return nil
}

func checkPlatform(version *string) error {
	switch aws.ToString(version) {
	case "", "LATEST", "1.4.0":
		return nil
	}
	return model.Errorf(model.Invalid, "PlatformUnknownException", "The specified platform does not exist.")
}

// launch gives the launch type or the strategy. Without either the cluster's
// default strategy counts, and without that FARGATE: there is nothing else.
func launch(t types.LaunchType, strategy []types.CapacityProviderStrategyItem, c model.Cluster) (string, []model.CapacityProviderShare, error) {
	shares, err := readStrategy(strategy)
	switch {
	case err != nil:
		return "", nil, err
	case t != "" && len(shares) > 0:
		return "", nil, invalid("Specifying both a launch type and capacity provider strategy is not supported. Remove one and try again.")
	case len(shares) > 0:
		return "", shares, nil
	case t == "" && len(c.DefaultStrategy) > 0:
		return "", c.DefaultStrategy, nil
	case t == "" || t == types.LaunchTypeFargate:
		return string(types.LaunchTypeFargate), nil, nil
	}
	return "", nil, unsupported("launchType " + string(t))
}

// fargateDefinition gives the definition for new tasks. ClientException,
// InvalidParameterException.
func (s *service) fargateDefinition(ref *string) (model.TaskDefinition, error) {
	def, ok := s.ecs.TaskDefinition(aws.ToString(ref))
	switch {
	case !ok:
		return def, client("TaskDefinition not found.")
	case def.Status != model.Active:
		return def, client("TaskDefinition is inactive")
	case def.CPUUnits == 0:
		return def, invalid("Task definition does not support launch_type FARGATE.")
	}
	return def, nil
}
