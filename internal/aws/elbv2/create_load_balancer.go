package elbv2

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"neargate/internal/model"
)

// createLoadBalancer: codes ValidationError, DuplicateLoadBalancerName,
// SubnetNotFound, InvalidSubnet, InvalidSecurityGroup, TooManyLoadBalancers,
// TooManyTags, DuplicateTagKeys, InvalidConfigurationRequest. With the settings of a load
// balancer that exists it answers that one.
func (s *service) createLoadBalancer(ctx context.Context, in *elb.CreateLoadBalancerInput) (*elb.CreateLoadBalancerOutput, error) {
	lb, err := s.newLoadBalancer(in)
	if err != nil {
		return nil, err
	}
	made, err := s.lb.CreateLoadBalancer(ctx, lb)
	if e, ok := errors.AsType[*model.Error](err); ok && e.Code == "DuplicateLoadBalancerName" {
		made, err = s.sameLoadBalancer(lb, err)
	}
	if err != nil {
		return nil, err
	}
	return &elb.CreateLoadBalancerOutput{LoadBalancers: []types.LoadBalancer{s.showLoadBalancer(made)}}, nil
}

func (s *service) newLoadBalancer(in *elb.CreateLoadBalancerInput) (lb model.LoadBalancer, err error) {
	if lb.Name, err = required("name", in.Name); err != nil {
		return lb, err
	}
	if err := checkName("Load balancer", lb.Name); err != nil {
		return lb, err
	}
	if strings.HasPrefix(lb.Name, "internal-") {
		return lb, invalid("Load balancer name '%s' cannot begin with 'internal-'", lb.Name)
	}
	if in.Type != "" && in.Type != types.LoadBalancerTypeEnumApplication {
		return lb, notHere("Load balancers of type '%s' are not supported here, only 'application'", in.Type)
	}
	if in.IpamPools != nil || in.CustomerOwnedIpv4Pool != nil {
		return lb, notHere("Address pools are not supported here")
	}
	if lb.Scheme, err = scheme(in.Scheme); err != nil {
		return lb, err
	}
	if lb.IPAddressType, err = ipAddressType(in.IpAddressType, lb.Scheme); err != nil {
		return lb, err
	}
	if lb.Subnets, lb.VpcID, err = s.subnets(in.Subnets, in.SubnetMappings); err != nil {
		return lb, err
	}
	if err := s.checkGateway(lb); err != nil {
		return lb, err
	}
	if lb.SecurityGroups, err = s.securityGroups(in.SecurityGroups, lb.Subnets, lb.VpcID); err != nil {
		return lb, err
	}
	lb.Attributes = defaults(loadBalancerAttributes())
	if lb.Tags, err = mergeTags(nil, in.Tags); err != nil {
		return lb, err
	}
	known := s.lb.LoadBalancers()
	named := slices.ContainsFunc(known, func(o model.LoadBalancer) bool { return o.Name == lb.Name })
	if len(known) >= maxLoadBalancers && !named {
		return lb, model.Errorf(model.Throttled, "TooManyLoadBalancers", "The maximum number of load balancers has been reached")
	}
	return lb, nil
}

func scheme(v types.LoadBalancerSchemeEnum) (string, error) {
	switch v {
	case "":
		return string(types.LoadBalancerSchemeEnumInternetFacing), nil
	case types.LoadBalancerSchemeEnumInternetFacing, types.LoadBalancerSchemeEnumInternal:
		return string(v), nil
	}
	return "", model.Errorf(model.Invalid, "InvalidScheme", "Scheme '%s' is not valid", v)
}

// ipAddressType checks the type of a load balancer with the scheme. AWS asks the
// subnets of a dual-stack one for IPv6 networks; here --public says whether
// there is IPv6.
func ipAddressType(v types.IpAddressType, scheme string) (string, error) {
	switch v {
	case "":
		return string(types.IpAddressTypeIpv4), nil
	case types.IpAddressTypeIpv4, types.IpAddressTypeDualstack:
		return string(v), nil
	case types.IpAddressTypeDualstackWithoutPublicIpv4:
		if scheme == string(types.LoadBalancerSchemeEnumInternal) {
			return "", model.Errorf(model.Invalid, "InvalidConfigurationRequest", "IP address type '%s' is for internet-facing load balancers only", v)
		}
		return string(v), nil
	}
	return "", invalid("IP address type '%s' is not valid", v)
}

// sameLoadBalancer returns the load balancer that has want's name if it has its
// settings too, else duplicate.
func (s *service) sameLoadBalancer(want model.LoadBalancer, duplicate error) (model.LoadBalancer, error) {
	for _, lb := range s.lb.LoadBalancers() {
		if lb.Name == want.Name && lb.Scheme == want.Scheme && lb.IPAddressType == want.IPAddressType &&
			sameSet(lb.Subnets, want.Subnets) && sameSet(lb.SecurityGroups, want.SecurityGroups) {
			return lb, nil
		}
	}
	return want, duplicate
}

func sameSet(a, b []string) bool {
	return slices.Equal(slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b)))
}

// deleteLoadBalancer: codes ValidationError, OperationNotPermitted. One that is
// not there is deleted already, as on AWS.
func (s *service) deleteLoadBalancer(ctx context.Context, in *elb.DeleteLoadBalancerInput) (*elb.DeleteLoadBalancerOutput, error) {
	arn, err := required("loadBalancerArn", in.LoadBalancerArn)
	if err != nil {
		return nil, err
	}
	err = s.lb.DeleteLoadBalancer(ctx, arn)
	if err != nil && model.KindOf(err) != model.NotFound {
		return nil, err
	}
	return &elb.DeleteLoadBalancerOutput{}, nil
}

// showLoadBalancer is a load balancer in the API's shape.
func (s *service) showLoadBalancer(lb model.LoadBalancer) types.LoadBalancer {
	return types.LoadBalancer{
		AvailabilityZones:     s.zones(lb),
		CanonicalHostedZoneId: aws.String("Z35SXDOTRQ7X7K"), // ELB's zone in us-east-1; names here are in no zone
		CreatedTime:           aws.Time(lb.CreatedAt),
		DNSName:               aws.String(lb.DNSName),
		IpAddressType:         types.IpAddressType(lb.IPAddressType),
		LoadBalancerArn:       aws.String(lb.ARN),
		LoadBalancerName:      aws.String(lb.Name),
		Scheme:                types.LoadBalancerSchemeEnum(lb.Scheme),
		SecurityGroups:        lb.SecurityGroups,
		State:                 &types.LoadBalancerState{Code: types.LoadBalancerStateEnum(lb.State), Reason: optional(lb.StateReason)},
		Type:                  types.LoadBalancerTypeEnumApplication,
		VpcId:                 aws.String(lb.VpcID),
	}
}

func optional(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
