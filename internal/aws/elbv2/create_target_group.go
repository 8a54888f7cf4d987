package elbv2

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"neargate/internal/model"
)

// createTargetGroup: codes ValidationError, DuplicateTargetGroupName,
// TooManyTargetGroups, TooManyTags, DuplicateTagKeys,
// InvalidConfigurationRequest. With the settings of a target group that exists
// it returns that one.
func (s *service) createTargetGroup(ctx context.Context, in *elb.CreateTargetGroupInput) (*elb.CreateTargetGroupOutput, error) {
	tg, err := newTargetGroup(in)
	if err != nil {
		return nil, err
	}
	if has := s.cfg.HasVPC; has != nil && !has(tg.VpcID) {
		return nil, invalid("The VPC ID '%s' is not found", tg.VpcID)
	}
	known := s.lb.TargetGroups()
	named := slices.ContainsFunc(known, func(o model.TargetGroup) bool { return o.Name == tg.Name })
	if len(known) >= maxTargetGroups && !named {
		return nil, model.Errorf(model.Throttled, "TooManyTargetGroups", "The maximum number of target groups has been reached")
	}
	made, err := s.lb.CreateTargetGroup(ctx, tg)
	if e, ok := errors.AsType[*model.Error](err); ok && e.Code == "DuplicateTargetGroupName" {
		made, err = s.sameTargetGroup(tg, err)
	}
	if err != nil {
		return nil, err
	}
	return &elb.CreateTargetGroupOutput{TargetGroups: []types.TargetGroup{s.showTargetGroup(made)}}, nil
}

func newTargetGroup(in *elb.CreateTargetGroupInput) (tg model.TargetGroup, err error) {
	if tg.Name, err = required("name", in.Name); err != nil {
		return tg, err
	}
	if err = checkName("Target group", tg.Name); err != nil {
		return tg, err
	}
	if err = supported(in); err != nil {
		return tg, err
	}
	if in.Port == nil {
		return tg, invalid("A port must be specified")
	}
	if tg.Port, err = number("port", in.Port, 1, 65535, 0); err != nil {
		return tg, err
	}
	if aws.ToString(in.VpcId) == "" {
		return tg, invalid("A VPC ID must be specified")
	}
	tg.Protocol, tg.ProtocolVersion = string(in.Protocol), cmp.Or(aws.ToString(in.ProtocolVersion), "HTTP1")
	tg.TargetType, tg.IPAddressType, tg.VpcID = "ip", "ipv4", *in.VpcId
	tg.Attributes = defaults(targetGroupAttributes())
	tg.HealthCheck, err = changedHealthCheck(defaultHealthCheck(tg.ProtocolVersion), tg.ProtocolVersion, healthCheckInput{
		in.HealthCheckEnabled, in.HealthCheckProtocol, in.HealthCheckPort, in.HealthCheckPath,
		in.HealthCheckIntervalSeconds, in.HealthCheckTimeoutSeconds, in.HealthyThresholdCount, in.UnhealthyThresholdCount, in.Matcher,
	})
	if err != nil {
		return tg, err
	}
	tg.Tags, err = mergeTags(nil, in.Tags)
	return tg, err
}

// supported refuses the kinds of target groups that the balancer has none of.
func supported(in *elb.CreateTargetGroupInput) error {
	// Terraform's provider sends the version empty where none is configured.
	version := aws.ToString(in.ProtocolVersion)
	switch {
	case in.TargetType == types.TargetTypeEnumLambda: // has neither protocol nor port
		return notHere("Target groups of target type '%s' are not supported here, only 'ip'", in.TargetType)
	case in.Protocol == "":
		return invalid("A protocol must be specified")
	case in.Protocol != types.ProtocolEnumHttp && in.Protocol != types.ProtocolEnumHttps:
		return notHere("Target groups of protocol '%s' are not supported here, only 'HTTP' and 'HTTPS'", in.Protocol)
	case !slices.Contains([]string{"", "HTTP1", "HTTP2", "GRPC"}, version):
		return invalid("Protocol version '%s' must be one of 'HTTP1', 'HTTP2', 'GRPC'", version)
	case in.TargetType != types.TargetTypeEnumIp:
		kind := in.TargetType
		if kind == "" {
			kind = types.TargetTypeEnumInstance
		}
		return notHere("Target groups of target type '%s' are not supported here, only 'ip'", kind)
	case in.IpAddressType != "" && in.IpAddressType != types.TargetGroupIpAddressTypeEnumIpv4:
		return notHere("Target groups of IP address type '%s' are not supported here, only 'ipv4'", in.IpAddressType)
	case in.TargetControlPort != nil:
		return notHere("The target optimizer (TargetControlPort) is not supported here")
	}
	return nil
}

// sameTargetGroup returns the target group that has want's name if it has its
// settings too, else duplicate.
func (s *service) sameTargetGroup(want model.TargetGroup, duplicate error) (model.TargetGroup, error) {
	for _, tg := range s.lb.TargetGroups() {
		if tg.Name == want.Name && tg.Protocol == want.Protocol && tg.ProtocolVersion == want.ProtocolVersion &&
			tg.Port == want.Port && tg.VpcID == want.VpcID && tg.HealthCheck == want.HealthCheck {
			return tg, nil
		}
	}
	return want, duplicate
}

// deleteTargetGroup: codes ValidationError, ResourceInUse.
func (s *service) deleteTargetGroup(ctx context.Context, in *elb.DeleteTargetGroupInput) (*elb.DeleteTargetGroupOutput, error) {
	arn, err := required("targetGroupArn", in.TargetGroupArn)
	if err != nil {
		return nil, err
	}
	if err := s.lb.DeleteTargetGroup(ctx, arn); err != nil {
		return nil, err
	}
	return &elb.DeleteTargetGroupOutput{}, nil
}
