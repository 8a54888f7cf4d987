package ecs

import (
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"neargate/internal/model"
)

func clusterName(nameOrARN *string) string {
	if aws.ToString(nameOrARN) == "" {
		return "default"
	}
	return model.ARNTail(*nameOrARN, 1)
}

func readNetwork(in *types.NetworkConfiguration) (model.Network, error) {
	if in == nil || in.AwsvpcConfiguration == nil {
		return model.Network{}, invalid("Network Configuration must be provided when networkMode 'awsvpc' is specified.")
	}
	c := in.AwsvpcConfiguration
	switch {
	case len(c.Subnets) == 0:
		return model.Network{}, invalid("subnets can not be empty.")
	case len(c.Subnets) > 16:
		return model.Network{}, invalid("subnets can have at most 16 items.")
	case len(c.SecurityGroups) > 5:
		return model.Network{}, invalid("securityGroups can have at most 5 items.")
	}
	n := model.Network{Subnets: c.Subnets, SecurityGroups: c.SecurityGroups, AssignPublicIP: string(c.AssignPublicIp)}
	if n.AssignPublicIP == "" {
		n.AssignPublicIP = string(types.AssignPublicIpDisabled)
	}
	return n, nil
}

func networkOf(n model.Network) *types.NetworkConfiguration {
	return &types.NetworkConfiguration{AwsvpcConfiguration: &types.AwsVpcConfiguration{
		Subnets: append([]string{}, n.Subnets...), SecurityGroups: append([]string{}, n.SecurityGroups...), AssignPublicIp: types.AssignPublicIp(n.AssignPublicIP),
	}}
}

const maxTargetGroups = 5

// readLoadBalancers checks that the service's target groups and its ports are
// there. InvalidParameterException.
func (s *service) readLoadBalancers(in []types.LoadBalancer, def model.TaskDefinition) ([]model.ServiceLoadBalancer, error) {
	if len(in) > maxTargetGroups {
		return nil, invalid("load balancers can have at most %d items.", maxTargetGroups)
	}
	var all []model.ServiceLoadBalancer
	for _, lb := range in {
		one := model.ServiceLoadBalancer{
			TargetGroupARN: aws.ToString(lb.TargetGroupArn), ContainerName: aws.ToString(lb.ContainerName), ContainerPort: int(aws.ToInt32(lb.ContainerPort)),
		}
		if err := firstOf(checkLoadBalancer(lb), checkPort(one, def), s.checkGroup(one.TargetGroupARN)); err != nil {
			return nil, err
		}
		all = append(all, one)
	}
	return all, nil
}

func checkLoadBalancer(lb types.LoadBalancer) error {
	if err := refuse(
		refusal{lb.LoadBalancerName != nil, "loadBalancerName"},
		refusal{lb.AdvancedConfiguration != nil, "advancedConfiguration"},
	); err != nil {
		return err
	}
	switch {
	case aws.ToString(lb.TargetGroupArn) == "":
		return invalid("targetGroupArn can not be blank.")
	case aws.ToString(lb.ContainerName) == "":
		return invalid("Container name can not be blank.")
	case lb.ContainerPort == nil:
		return invalid("Container port can not be blank.")
	}
	return nil
}

func checkPort(lb model.ServiceLoadBalancer, def model.TaskDefinition) error {
	for _, c := range def.Containers {
		if c.Name != lb.ContainerName {
			continue
		}
		if !slices.ContainsFunc(c.PortMappings, func(p model.PortMapping) bool { return p.ContainerPort == lb.ContainerPort }) {
			return invalid("The container %s did not have a container port %d defined.", c.Name, lb.ContainerPort)
		}
		return nil
	}
	return invalid("The container %s does not exist in the task definition.", lb.ContainerName)
}

func (s *service) checkGroup(arn string) error {
	tg, ok := s.groups.TargetGroup(arn)
	switch {
	case !ok:
		return invalid("The target group with targetGroupArn %s does not exist.", arn)
	case tg.TargetType != "ip":
		return invalid("The provided target group %s has target type %s, which is incompatible with the awsvpc network mode specified in the task definition.", arn, tg.TargetType)
	case len(s.groups.TargetGroupLoadBalancers(arn)) == 0:
		return invalid("The target group with targetGroupArn %s does not have an associated load balancer.", arn)
	}
	return nil
}

func loadBalancersOf(in []model.ServiceLoadBalancer) []types.LoadBalancer {
	all := make([]types.LoadBalancer, len(in))
	for i, lb := range in {
		all[i] = types.LoadBalancer{
			TargetGroupArn: aws.String(lb.TargetGroupARN), ContainerName: aws.String(lb.ContainerName), ContainerPort: aws.Int32(int32(lb.ContainerPort)),
		}
	}
	return all
}

// readRollout puts what a deployment configuration says over cfg.
func readRollout(in *types.DeploymentConfiguration, cfg model.RolloutConfig) (model.RolloutConfig, error) {
	if in == nil {
		return cfg, nil
	}
	if err := refuse(
		refusal{in.Strategy != "" && in.Strategy != types.DeploymentStrategyRolling, "deployment strategy " + string(in.Strategy)},
		refusal{in.Alarms != nil && in.Alarms.Enable, "deploymentConfiguration.alarms"},
		refusal{len(in.LifecycleHooks) > 0, "lifecycleHooks"},
		refusal{in.CanaryConfiguration != nil || in.LinearConfiguration != nil, "gradual traffic shift"},
		refusal{in.EarlySuccessCriteria != nil, "earlySuccessCriteria"},
		refusal{aws.ToInt32(in.BakeTimeInMinutes) > 0, "bakeTimeInMinutes"},
	); err != nil {
		return cfg, err
	}
	cfg.MaximumPercent = int(deref(in.MaximumPercent, int32(cfg.MaximumPercent)))
	cfg.MinimumHealthyPercent = int(deref(in.MinimumHealthyPercent, int32(cfg.MinimumHealthyPercent)))
	if err := readBreaker(in.DeploymentCircuitBreaker, &cfg); err != nil {
		return cfg, err
	}
	switch {
	case cfg.MaximumPercent < 100:
		return cfg, invalid("maximumPercent must be greater than or equal to 100.")
	case cfg.MinimumHealthyPercent < 0 || cfg.MinimumHealthyPercent > 100:
		return cfg, invalid("minimumHealthyPercent must be between 0 and 100.")
	case cfg.MaximumPercent == 100 && cfg.MinimumHealthyPercent == 100:
		return cfg, invalid("Both maximumPercent and minimumHealthyPercent cannot be 100 as this will block deployments.")
	}
	return cfg, nil
}

func readBreaker(in *types.DeploymentCircuitBreaker, cfg *model.RolloutConfig) error {
	if in == nil {
		return nil
	}
	cfg.CircuitBreaker, cfg.Rollback = in.Enable, in.Rollback
	cfg.KeepFailures = !deref(in.ResetOnHealthyTask, true)
	if t := in.ThresholdConfiguration; t != nil {
		if t.Value < 1 {
			return invalid("The value of thresholdConfiguration must be greater than or equal to 1.")
		}
		cfg.ThresholdType, cfg.ThresholdValue = string(t.Type), int(t.Value)
	}
	return nil
}

func rolloutOf(cfg model.RolloutConfig) *types.DeploymentConfiguration {
	threshold := &types.ThresholdConfiguration{Type: types.ThresholdTypeBoundedPercent, Value: 50}
	if cfg.ThresholdValue > 0 {
		threshold.Type, threshold.Value = types.ThresholdType(cfg.ThresholdType), int32(cfg.ThresholdValue)
	}
	return &types.DeploymentConfiguration{
		DeploymentCircuitBreaker: &types.DeploymentCircuitBreaker{
			Enable: cfg.CircuitBreaker, Rollback: cfg.Rollback, ResetOnHealthyTask: aws.Bool(!cfg.KeepFailures), ThresholdConfiguration: threshold,
		},
		MaximumPercent: aws.Int32(int32(cfg.MaximumPercent)), MinimumHealthyPercent: aws.Int32(int32(cfg.MinimumHealthyPercent)),
		Strategy: types.DeploymentStrategyRolling, BakeTimeInMinutes: aws.Int32(0),
	}
}

// rebalancing is ENABLED by default, and never with a maximum of 100 %.
func rebalancing(said types.AvailabilityZoneRebalancing, cfg model.RolloutConfig) string {
	if cfg.MaximumPercent <= 100 {
		return string(types.AvailabilityZoneRebalancingDisabled)
	}
	if said == "" {
		return string(types.AvailabilityZoneRebalancingEnabled)
	}
	return string(said)
}
