package main

import (
	"context"
	"fmt"
	"net"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cw "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"neargate/bench/rig"
	"neargate/internal/cli/demo"
)

// bench is a server with a service of two tasks whose traffic can be shifted.
type bench struct {
	ecs     *ecs.Client
	elb     *elb.Client
	metrics *cloudwatch.Client
	network demo.Network
	address string // of the load balancer
}

// deployed deploys the old revision.
func deployed(ctx context.Context, s *rig.Server) (b *bench, err error) {
	cfg := s.Config()
	b = &bench{ecs: ecs.NewFromConfig(cfg), elb: elb.NewFromConfig(cfg), metrics: cloudwatch.NewFromConfig(cfg)}
	if b.network, err = demo.FindNetwork(ctx, demo.Server{Endpoint: s.Endpoint, Region: s.Region, AccessKey: s.AccessKey, SecretKey: s.SecretKey}); err != nil {
		return nil, err
	}
	if _, err := b.ecs.CreateCluster(ctx, &ecs.CreateClusterInput{}); err != nil {
		return nil, err
	}
	image, err := s.PushProgram(ctx, "task")
	if err != nil {
		return nil, err
	}
	for _, r := range []string{oldRevision, newRevision} {
		if err := b.register(ctx, r, image); err != nil {
			return nil, err
		}
	}
	_, err = b.metrics.PutMetricAlarm(ctx, &cloudwatch.PutMetricAlarmInput{
		AlarmName: aws.String(alarm), Namespace: aws.String("App"), MetricName: aws.String("Errors"), Statistic: cw.StatisticSum,
		ComparisonOperator: cw.ComparisonOperatorGreaterThanThreshold, Threshold: aws.Float64(1), EvaluationPeriods: aws.Int32(1), Period: aws.Int32(86400),
	})
	if err != nil {
		return nil, err
	}
	balanced, err := b.balance(ctx)
	if err != nil {
		return nil, err
	}
	_, err = b.ecs.CreateService(ctx, &ecs.CreateServiceInput{
		ServiceName: aws.String(service), TaskDefinition: aws.String(oldRevision), DesiredCount: aws.Int32(2), LaunchType: types.LaunchTypeFargate,
		NetworkConfiguration: &types.NetworkConfiguration{AwsvpcConfiguration: &types.AwsVpcConfiguration{Subnets: b.network.Subnets}},
		LoadBalancers:        []types.LoadBalancer{balanced}, DeploymentConfiguration: &types.DeploymentConfiguration{Strategy: types.DeploymentStrategyBlueGreen, BakeTimeInMinutes: aws.Int32(0)},
	})
	if err != nil {
		return nil, err
	}
	return b, b.until(ctx, types.ServiceDeploymentStatusSuccessful)
}

func (b *bench) register(ctx context.Context, name, image string) error {
	_, err := b.ecs.RegisterTaskDefinition(ctx, &ecs.RegisterTaskDefinitionInput{
		Family: &name, NetworkMode: types.NetworkModeAwsvpc, Cpu: aws.String("512"), Memory: aws.String("1024"),
		ContainerDefinitions: []types.ContainerDefinition{{
			Name: aws.String("app"), Image: &image, EntryPoint: []string{rig.Program, taskArgument},
			Environment:  []types.KeyValuePair{{Name: aws.String(revision), Value: &name}},
			PortMappings: []types.PortMapping{{ContainerPort: aws.Int32(8080)}},
		}},
	})
	return err
}

// balance makes a load balancer with two target groups and the rule that leads
// to them.
func (b *bench) balance(ctx context.Context) (out types.LoadBalancer, err error) {
	var groups [2]string
	for i := range groups {
		made, err := b.elb.CreateTargetGroup(ctx, &elb.CreateTargetGroupInput{
			Name: aws.String(fmt.Sprintf("web-%d", i)), Protocol: elbtypes.ProtocolEnumHttp, Port: aws.Int32(8080), TargetType: elbtypes.TargetTypeEnumIp,
			VpcId: &b.network.VPC, HealthCheckIntervalSeconds: aws.Int32(5), HealthCheckTimeoutSeconds: aws.Int32(2),
		})
		if err != nil {
			return out, err
		}
		groups[i] = *made.TargetGroups[0].TargetGroupArn
	}
	made, err := b.elb.CreateLoadBalancer(ctx, &elb.CreateLoadBalancerInput{Name: aws.String("web"), Subnets: b.network.Subnets})
	if err != nil {
		return out, err
	}
	port, err := rig.FreePort(ctx)
	if err != nil {
		return out, err
	}
	lb := made.LoadBalancers[0]
	b.address = net.JoinHostPort(*lb.AvailabilityZones[0].LoadBalancerAddresses[0].IpAddress, strconv.Itoa(port))
	forward := []elbtypes.Action{{Type: elbtypes.ActionTypeEnumForward, ForwardConfig: &elbtypes.ForwardActionConfig{TargetGroups: []elbtypes.TargetGroupTuple{
		{TargetGroupArn: &groups[0], Weight: aws.Int32(1)}, {TargetGroupArn: &groups[1], Weight: aws.Int32(0)},
	}}}}
	listener, err := b.elb.CreateListener(ctx, &elb.CreateListenerInput{
		LoadBalancerArn: lb.LoadBalancerArn, Protocol: elbtypes.ProtocolEnumHttp, Port: aws.Int32(int32(port)), DefaultActions: forward,
	})
	if err != nil {
		return out, err
	}
	rule, err := b.elb.CreateRule(ctx, &elb.CreateRuleInput{
		ListenerArn: listener.Listeners[0].ListenerArn, Priority: aws.Int32(1), Actions: forward,
		Conditions: []elbtypes.RuleCondition{{Field: aws.String("path-pattern"), PathPatternConfig: &elbtypes.PathPatternConditionConfig{Values: []string{"*"}}}},
	})
	if err != nil {
		return out, err
	}
	return types.LoadBalancer{
		TargetGroupArn: &groups[0], ContainerName: aws.String("app"), ContainerPort: aws.Int32(8080),
		AdvancedConfiguration: &types.AdvancedConfiguration{
			AlternateTargetGroupArn: &groups[1], ProductionListenerRule: rule.Rules[0].RuleArn,
			RoleArn: aws.String("arn:aws:iam::000000000000:role/ecsInfrastructureRole"),
		},
	}, nil
}
