package elbv2

import (
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"neargate/internal/model"
)

// anyVPC is the VPC of subnets that nobody knows.
const anyVPC = "vpc-00000001"

// subnets checks the subnets of a load balancer, given in either form, and
// returns their VPC. There must be two or more, in different zones.
func (s *service) subnets(ids []string, mappings []types.SubnetMapping) (subnets []string, vpcID string, err error) {
	if len(ids) > 0 && len(mappings) > 0 {
		return nil, "", invalid("You can specify either subnets or subnet mappings, not both")
	}
	subnets = slices.Clone(ids)
	for _, m := range mappings {
		if m.AllocationId != nil || m.PrivateIPv4Address != nil || m.IPv6Address != nil {
			return nil, "", invalid("Addresses can be mapped to subnets of network load balancers only")
		}
		subnets = append(subnets, aws.ToString(m.SubnetId))
	}
	zones := map[string]string{}
	for i, id := range subnets {
		vpc, zone, ok := s.subnet(id, i)
		switch {
		case !ok:
			return nil, "", model.Errorf(model.NotFound, "SubnetNotFound", "The subnet ID '%s' does not exist", id)
		case vpcID != "" && vpc != vpcID:
			return nil, "", model.Errorf(model.Invalid, "InvalidSubnet", "Subnets must belong to the same VPC")
		case zones[zone] != "":
			return nil, "", model.Errorf(model.Invalid, "InvalidConfigurationRequest", "A load balancer cannot be attached to multiple subnets in the same Availability Zone")
		}
		vpcID, zones[zone] = vpc, id
	}
	if len(subnets) < 2 {
		return nil, "", invalid("At least two subnets in two different Availability Zones must be specified")
	}
	return subnets, vpcID, nil
}

// checkGateway refuses a load balancer that faces the internet in a VPC that has
// no way there. InvalidSubnet.
func (s *service) checkGateway(lb model.LoadBalancer) error {
	if lb.Scheme != string(types.LoadBalancerSchemeEnumInternetFacing) || s.cfg.HasGateway == nil || s.cfg.HasGateway(lb.VpcID) {
		return nil
	}
	return model.Errorf(model.Invalid, "InvalidSubnet", "VPC %s has no internet gateway", lb.VpcID)
}

func (s *service) subnet(id string, n int) (vpcID, zone string, ok bool) {
	if s.cfg.Subnet != nil {
		return s.cfg.Subnet(id)
	}
	return anyVPC, s.cfg.Place.Region + string(rune('a'+n)), id != ""
}

// zones shows a load balancer's subnets, and in each its address: there is one
// machine behind all zones.
func (s *service) zones(lb model.LoadBalancer) []types.AvailabilityZone {
	out := make([]types.AvailabilityZone, len(lb.Subnets))
	for i, id := range lb.Subnets {
		_, zone, _ := s.subnet(id, i)
		out[i] = types.AvailabilityZone{
			SubnetId: aws.String(id), ZoneName: aws.String(zone),
			LoadBalancerAddresses: []types.LoadBalancerAddress{{IpAddress: aws.String(lb.Address)}},
		}
	}
	return out
}

// setSubnets: codes ValidationError, LoadBalancerNotFound, SubnetNotFound,
// InvalidSubnet, InvalidConfigurationRequest.
func (s *service) setSubnets(ctx context.Context, in *elb.SetSubnetsInput) (*elb.SetSubnetsOutput, error) {
	arn, err := required("loadBalancerArn", in.LoadBalancerArn)
	if err != nil {
		return nil, err
	}
	subnets, vpcID, err := s.subnets(in.Subnets, in.SubnetMappings)
	if err != nil {
		return nil, err
	}
	lb, err := s.lb.UpdateLoadBalancer(ctx, arn, func(lb *model.LoadBalancer) error {
		if in.IpAddressType != "" {
			kind, err := ipAddressType(in.IpAddressType, lb.Scheme)
			if err != nil {
				return err
			}
			lb.IPAddressType = kind
		}
		if lb.VpcID != vpcID {
			return model.Errorf(model.Invalid, "InvalidSubnet", "Subnets must belong to the load balancer's VPC '%s'", lb.VpcID)
		}
		lb.Subnets = subnets
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &elb.SetSubnetsOutput{AvailabilityZones: s.zones(lb), IpAddressType: types.IpAddressType(lb.IPAddressType)}, nil
}

// securityGroups refuses groups that there are none of, and those of another VPC
// than the load balancer's; none is the default one of the subnets' VPC. Codes
// InvalidSecurityGroup, InvalidConfigurationRequest.
func (s *service) securityGroups(named, subnets []string, vpcID string) ([]string, error) {
	if s.cfg.Groups == nil {
		return named, nil
	}
	for _, id := range named {
		of, ok := s.cfg.Groups.GroupVPC(id)
		switch {
		case !ok:
			return nil, model.Errorf(model.Invalid, "InvalidSecurityGroup", "The security group '%s' does not exist", id)
		case of != vpcID:
			return nil, model.Errorf(model.Invalid, "InvalidConfigurationRequest", "One or more security groups are invalid")
		}
	}
	if len(named) == 0 {
		return []string{s.cfg.Groups.DefaultGroupOf(subnets[0])}, nil
	}
	return named, nil
}

// setSecurityGroups: codes ValidationError, LoadBalancerNotFound,
// InvalidSecurityGroup, InvalidConfigurationRequest.
func (s *service) setSecurityGroups(ctx context.Context, in *elb.SetSecurityGroupsInput) (*elb.SetSecurityGroupsOutput, error) {
	arn, err := required("loadBalancerArn", in.LoadBalancerArn)
	if err != nil {
		return nil, err
	}
	if len(in.SecurityGroups) == 0 || slices.Contains(in.SecurityGroups, "") {
		return nil, model.Errorf(model.Invalid, "InvalidSecurityGroup", "At least one security group must be specified")
	}
	lb, err := s.lb.UpdateLoadBalancer(ctx, arn, func(lb *model.LoadBalancer) (err error) {
		lb.SecurityGroups, err = s.securityGroups(in.SecurityGroups, lb.Subnets, lb.VpcID)
		return err
	})
	if err != nil {
		return nil, err
	}
	return &elb.SetSecurityGroupsOutput{SecurityGroupIds: lb.SecurityGroups}, nil
}

// setIPAddressType: codes ValidationError, LoadBalancerNotFound,
// InvalidConfigurationRequest.
func (s *service) setIPAddressType(ctx context.Context, in *elb.SetIpAddressTypeInput) (*elb.SetIpAddressTypeOutput, error) {
	arn, err := required("loadBalancerArn", in.LoadBalancerArn)
	if err != nil {
		return nil, err
	}
	if in.IpAddressType == "" {
		return nil, invalid("An IP address type must be specified")
	}
	lb, err := s.lb.UpdateLoadBalancer(ctx, arn, func(lb *model.LoadBalancer) (err error) {
		lb.IPAddressType, err = ipAddressType(in.IpAddressType, lb.Scheme)
		return err
	})
	if err != nil {
		return nil, err
	}
	return &elb.SetIpAddressTypeOutput{IpAddressType: types.IpAddressType(lb.IPAddressType)}, nil
}
