package ec2

import (
	"context"

	"neargate/internal/vpc"
)

type describeVpcAttributeInput struct {
	VpcID, Attribute string

	DryRun bool
}

type describeVpcAttributeOutput struct {
	VpcID                            string
	EnableDNSSupport                 *boolValue
	EnableDNSHostnames               *boolValue
	EnableNetworkAddressUsageMetrics *boolValue
}

type boolValue struct {
	Value bool
}

// describeVpcAttribute: codes MissingParameter, InvalidVpcID.NotFound,
// InvalidParameterValue.
func (s *service) describeVpcAttribute(_ context.Context, in *describeVpcAttributeInput) (*describeVpcAttributeOutput, error) {
	if err := required("vpcId", in.VpcID, "attribute", in.Attribute); err != nil {
		return nil, err
	}
	v, err := s.n.VPC(in.VpcID)
	if err != nil {
		return nil, err
	}
	out := &describeVpcAttributeOutput{VpcID: in.VpcID}
	switch in.Attribute {
	case "enableDnsSupport":
		out.EnableDNSSupport = &boolValue{v.DNSSupport}
	case "enableDnsHostnames":
		out.EnableDNSHostnames = &boolValue{v.DNSHostnames}
	case "enableNetworkAddressUsageMetrics":
		out.EnableNetworkAddressUsageMetrics = &boolValue{v.UsageMetrics}
	default:
		return nil, invalid("Value (%.80s) for parameter attribute is invalid. Unknown attribute.", in.Attribute)
	}
	return out, nil
}

type modifyVpcAttributeInput struct {
	VpcID                            string
	EnableDNSSupport                 *boolValue
	EnableDNSHostnames               *boolValue
	EnableNetworkAddressUsageMetrics *boolValue
	DryRun                           bool
}

// modifyVpcAttribute keeps the attributes. They have no effect on names here: the
// server's resolver answers tasks of any VPC. Codes MissingParameter,
// InvalidVpcID.NotFound.
func (s *service) modifyVpcAttribute(ctx context.Context, in *modifyVpcAttributeInput) (*done, error) {
	if err := required("vpcId", in.VpcID); err != nil {
		return nil, err
	}
	return finish(s.n.ChangeVPC(ctx, in.VpcID, func(v *vpc.VPC) error {
		set(&v.DNSSupport, in.EnableDNSSupport)
		set(&v.DNSHostnames, in.EnableDNSHostnames)
		set(&v.UsageMetrics, in.EnableNetworkAddressUsageMetrics)
		return nil
	}))
}

func set(to *bool, v *boolValue) {
	if v != nil {
		*to = v.Value
	}
}
