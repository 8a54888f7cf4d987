package elbv2

import (
	"context"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"neargate/internal/model"
)

// The attributes that others depend on.
const (
	algorithm     = "load_balancing.algorithm.type"
	mitigation    = "load_balancing.algorithm.anomaly_mitigation"
	slowStart     = "slow_start.duration_seconds"
	stickyEnabled = "stickiness.enabled"
	stickyType    = "stickiness.type"
	appCookieName = "stickiness.app_cookie.cookie_name"
	dnsFailover   = "target_group_health.dns_failover.minimum_healthy_targets."
	failOpen      = "target_group_health.unhealthy_state_routing.minimum_healthy_targets."
)

// targetGroupAttributes are those of an ip target group of an application load
// balancer (API_TargetGroupAttribute).
func targetGroupAttributes() []attribute {
	return []attribute{
		{key: "deregistration_delay.timeout_seconds", initial: "300", allows: within(0, 3600)},
		{key: mitigation, initial: "off", allows: oneOf("on", "off")},
		{key: algorithm, initial: "round_robin", allows: oneOf("round_robin", "least_outstanding_requests", "weighted_random")},
		{key: "load_balancing.cross_zone.enabled", initial: "use_load_balancer_configuration", allows: oneOf("true", "false", "use_load_balancer_configuration"), idle: "there is one zone"},
		{key: slowStart, initial: "0", allows: func(v string) bool { return v == "0" || within(30, 900)(v) }},
		{key: appCookieName, allows: cookieName},
		{key: "stickiness.app_cookie.duration_seconds", initial: "86400", allows: within(1, 604800)},
		{key: stickyEnabled, initial: "false", allows: boolean},
		{key: "stickiness.lb_cookie.duration_seconds", initial: "86400", allows: within(1, 604800)},
		{key: stickyType, initial: "lb_cookie", allows: oneOf("lb_cookie", "app_cookie")},
		{key: dnsFailover + "count", initial: "1", allows: withinOrOff(1, maxTargets), idle: "the metric UnhealthyStateDNS obeys it; the name stays in DNS, as on AWS where no zone is healthy"},
		{key: dnsFailover + "percentage", initial: "off", allows: withinOrOff(1, 100), idle: "as the count"},
		{key: failOpen + "count", initial: "1", allows: within(1, maxTargets)},
		{key: failOpen + "percentage", initial: "off", allows: withinOrOff(1, 100)},
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
		if err == nil {
			err = checkTogether(tg.Attributes)
		}
		if err == nil && tg.Attributes[stickyEnabled] == "true" {
			err = s.checkStickyRules(tg.ARN)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return &elb.ModifyTargetGroupAttributesOutput{Attributes: inOrder(targetGroupAttributes(), tg.Attributes, showTGAttribute)}, nil
}

// checkTogether refuses attributes that exclude each other, as they are after a
// change. InvalidConfigurationRequest.
func checkTogether(a map[string]string) error {
	kind := a[algorithm]
	switch {
	case a[stickyEnabled] == "true" && a[stickyType] == "app_cookie" && a[appCookieName] == "":
		return invalid("The attribute '%s' must be set when '%s' is 'app_cookie'", appCookieName, stickyType)
	case a[mitigation] == "on" && kind != "weighted_random":
		return conflict("Anomaly mitigation can only be enabled when the load balancing algorithm is 'weighted_random'")
	case a[slowStart] != "0" && a[slowStart] != "" && kind != "round_robin":
		return conflict("Slow start can only be enabled when the load balancing algorithm is 'round_robin'")
	}
	for _, part := range []string{"count", "percentage"} {
		// target-group-health, "Requirements and considerations".
		dns, errDNS := strconv.Atoi(a[dnsFailover+part])
		routing, err := strconv.Atoi(a[failOpen+part])
		if errDNS == nil && err == nil && dns < routing {
			return conflict("The threshold of DNS failover ('%s%s') must be greater than or equal to that of routing failover", dnsFailover, part)
		}
	}
	return nil
}

// conflict is a setting that others rule out.
func conflict(format string, args ...any) error {
	return model.Errorf(model.Invalid, "InvalidConfigurationRequest", format, args...)
}
