package elbv2

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"neargate/internal/model"
)

const noStickiness = "stickiness is not supported"

// targetGroupAttributes are those of an ip target group of an application load
// balancer (API_TargetGroupAttribute). Unlike on AWS the algorithm is
// least_outstanding_requests until it is set: a group that says round_robin was
// told so.
func targetGroupAttributes() []attribute {
	return []attribute{
		{key: "deregistration_delay.timeout_seconds", initial: "300", allows: within(0, 3600)},
		{key: "load_balancing.algorithm.anomaly_mitigation", initial: "off", allows: oneOf("off"), only: "anomaly mitigation is not supported"},
		{key: "load_balancing.algorithm.type", initial: "least_outstanding_requests", allows: oneOf("round_robin", "least_outstanding_requests", "weighted_random")},
		{key: "load_balancing.cross_zone.enabled", initial: "use_load_balancer_configuration", allows: oneOf("true", "false", "use_load_balancer_configuration")},
		{key: "slow_start.duration_seconds", initial: "0", allows: oneOf("0"), only: "slow start is not supported"},
		{key: "stickiness.app_cookie.cookie_name", allows: anything},
		{key: "stickiness.app_cookie.duration_seconds", initial: "86400", allows: within(1, 604800)},
		{key: "stickiness.enabled", initial: "false", allows: oneOf("false"), only: noStickiness},
		{key: "stickiness.lb_cookie.duration_seconds", initial: "86400", allows: within(1, 604800)},
		{key: "stickiness.type", initial: "lb_cookie", allows: oneOf("lb_cookie", "app_cookie")},
		{key: "target_group_health.dns_failover.minimum_healthy_targets.count", initial: "1", allows: withinOrOff(1, maxTargets)},
		{key: "target_group_health.dns_failover.minimum_healthy_targets.percentage", initial: "off", allows: withinOrOff(1, 100)},
		{key: "target_group_health.unhealthy_state_routing.minimum_healthy_targets.count", initial: "1", allows: within(1, maxTargets)},
		{key: "target_group_health.unhealthy_state_routing.minimum_healthy_targets.percentage", initial: "off", allows: withinOrOff(1, 100)},
	}
}

// describeTargetGroupAttributes: codes ValidationError, TargetGroupNotFound.
func (s *service) describeTargetGroupAttributes(_ context.Context, in *elb.DescribeTargetGroupAttributesInput) (*elb.DescribeTargetGroupAttributesOutput, error) {
	tg, err := s.targetGroup(in.TargetGroupArn)
	if err != nil {
		return nil, err
	}
	return &elb.DescribeTargetGroupAttributesOutput{Attributes: inOrder(targetGroupAttributes(), tg.Attributes, showTGAttribute)}, nil
}

func showTGAttribute(key, value string) types.TargetGroupAttribute {
	return types.TargetGroupAttribute{Key: aws.String(key), Value: aws.String(value)}
}

// modifyTargetGroupAttributes: codes ValidationError, TargetGroupNotFound,
// InvalidConfigurationRequest.
func (s *service) modifyTargetGroupAttributes(ctx context.Context, in *elb.ModifyTargetGroupAttributesInput) (*elb.ModifyTargetGroupAttributesOutput, error) {
	if _, err := s.targetGroup(in.TargetGroupArn); err != nil {
		return nil, err
	}
	pairs := make([]pair, len(in.Attributes))
	for i, a := range in.Attributes {
		pairs[i] = pair{aws.ToString(a.Key), aws.ToString(a.Value)}
	}
	tg, err := s.lb.UpdateTargetGroup(ctx, *in.TargetGroupArn, func(tg *model.TargetGroup) (err error) {
		tg.Attributes, err = changed("Target group", targetGroupAttributes(), tg.Attributes, pairs)
		return err
	})
	if err != nil {
		return nil, err
	}
	return &elb.ModifyTargetGroupAttributesOutput{Attributes: inOrder(targetGroupAttributes(), tg.Attributes, showTGAttribute)}, nil
}
