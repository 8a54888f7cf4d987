package elbv2

import (
	"context"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"neargate/internal/model"
)

// describeTargetGroups: codes ValidationError, TargetGroupNotFound,
// LoadBalancerNotFound.
func (s *service) describeTargetGroups(_ context.Context, in *elb.DescribeTargetGroupsInput) (*elb.DescribeTargetGroupsOutput, error) {
	all := s.lb.TargetGroups()
	arn := func(tg model.TargetGroup) string { return tg.ARN }
	var missing string
	switch {
	case len(in.TargetGroupArns) > 0:
		all, missing = only(all, in.TargetGroupArns, arn)
	case len(in.Names) > 0:
		all, missing = only(all, in.Names, func(tg model.TargetGroup) string { return tg.Name })
	case in.LoadBalancerArn != nil:
		if _, err := s.loadBalancer(in.LoadBalancerArn); err != nil {
			return nil, err
		}
		all = slices.DeleteFunc(all, func(tg model.TargetGroup) bool {
			return !slices.Contains(s.lb.TargetGroupLoadBalancers(tg.ARN), *in.LoadBalancerArn)
		})
	}
	if missing != "" {
		return nil, noTargetGroup()
	}
	groups, next, err := page(all, arn, in.Marker, in.PageSize)
	if err != nil {
		return nil, err
	}
	out := &elb.DescribeTargetGroupsOutput{NextMarker: next, TargetGroups: []types.TargetGroup{}}
	for _, tg := range groups {
		out.TargetGroups = append(out.TargetGroups, s.showTargetGroup(tg))
	}
	return out, nil
}

func noTargetGroup() error {
	return model.Errorf(model.NotFound, "TargetGroupNotFound", "One or more target groups not found")
}

// targetGroup returns the target group that an operation is about.
func (s *service) targetGroup(arn *string) (model.TargetGroup, error) {
	id, err := required("targetGroupArn", arn)
	if err != nil {
		return model.TargetGroup{}, err
	}
	tg, ok := s.lb.TargetGroup(id)
	if !ok {
		return tg, noTargetGroup()
	}
	return tg, nil
}

// showTargetGroup is a target group in the API's shape.
func (s *service) showTargetGroup(tg model.TargetGroup) types.TargetGroup {
	hc := tg.HealthCheck
	seconds := func(d time.Duration) *int32 { return aws.Int32(int32(d / time.Second)) }
	return types.TargetGroup{
		HealthCheckEnabled:         aws.Bool(hc.Enabled),
		HealthCheckIntervalSeconds: seconds(hc.Interval),
		HealthCheckPath:            aws.String(hc.Path),
		HealthCheckPort:            aws.String(hc.Port),
		HealthCheckProtocol:        types.ProtocolEnum(hc.Protocol),
		HealthCheckTimeoutSeconds:  seconds(hc.Timeout),
		HealthyThresholdCount:      aws.Int32(int32(hc.HealthyThreshold)),
		IpAddressType:              types.TargetGroupIpAddressTypeEnum(tg.IPAddressType),
		LoadBalancerArns:           s.lb.TargetGroupLoadBalancers(tg.ARN),
		Matcher:                    showMatcher(tg),
		Port:                       aws.Int32(int32(tg.Port)),
		Protocol:                   types.ProtocolEnum(tg.Protocol),
		ProtocolVersion:            aws.String(tg.ProtocolVersion),
		TargetGroupArn:             aws.String(tg.ARN),
		TargetGroupName:            aws.String(tg.Name),
		TargetType:                 types.TargetTypeEnum(tg.TargetType),
		UnhealthyThresholdCount:    aws.Int32(int32(hc.UnhealthyThreshold)),
		VpcId:                      aws.String(tg.VpcID),
	}
}

func showMatcher(tg model.TargetGroup) *types.Matcher {
	if tg.ProtocolVersion == "GRPC" {
		return &types.Matcher{GrpcCode: aws.String(tg.HealthCheck.Matcher)}
	}
	return &types.Matcher{HttpCode: aws.String(tg.HealthCheck.Matcher)}
}
