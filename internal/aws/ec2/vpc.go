package ec2

import "context"

type describeVpcsInput struct {
	VpcIds     []string `query:"VpcId"`
	Filters    []filter `query:"Filter"`
	MaxResults *int
	NextToken  string
	DryRun     bool
}

type describeVpcsOutput struct {
	Vpcs []vpc `xml:"vpcSet"`
}

type vpc struct {
	VpcId, OwnerId, State, CidrBlock, DhcpOptionsId, InstanceTenancy string

	IsDefault                   bool
	CidrBlockAssociationSet     []cidrAssociation
	Ipv6CidrBlockAssociationSet []cidrAssociation
	Tags                        []tag `xml:"tagSet"`
}

type cidrAssociation struct {
	AssociationId, CidrBlock string

	CidrBlockState state
}

type state struct {
	State string
}

// describeVpcs: there is one. Errors: InvalidVpcID.NotFound,
// InvalidParameterValue.
func (s *EC2) describeVpcs(_ context.Context, in *describeVpcsInput) (*describeVpcsOutput, error) {
	n := s.net
	if err := s.checkVPC(in.VpcIds...); err != nil {
		return nil, err
	}
	ok, err := matches(in.Filters, attributes{
		"vpc-id": {n.vpcID}, "cidr": {n.cidr.String()}, "cidr-block-association.cidr-block": {n.cidr.String()},
		"cidr-block-association.state": {"associated"}, "dhcp-options-id": {n.dhcpID}, "is-default": {"true"}, "isDefault": {"true"},
		"owner-id": {s.cfg.Place.Account}, "state": {"available"},
	}, s.tagsOf(n.vpcID))
	out := &describeVpcsOutput{}
	if ok && err == nil {
		out.Vpcs = []vpc{{
			VpcId: n.vpcID, OwnerId: s.cfg.Place.Account, State: "available", CidrBlock: n.cidr.String(),
			DhcpOptionsId: n.dhcpID, InstanceTenancy: "default", IsDefault: true,
			CidrBlockAssociationSet: []cidrAssociation{{n.cidrID, n.cidr.String(), state{"associated"}}},
			Tags:                    tagsOut(s.tagsOf(n.vpcID)),
		}}
	}
	return out, err
}

func (s *EC2) checkVPC(ids ...string) error {
	return checkIDs(ids, []string{s.net.vpcID}, "InvalidVpcID.NotFound", "The vpc ID '%.80s' does not exist")
}

type describeVpcAttributeInput struct {
	VpcId, Attribute string

	DryRun bool
}

type describeVpcAttributeOutput struct {
	VpcId                            string
	EnableDnsSupport                 *boolValue
	EnableDnsHostnames               *boolValue
	EnableNetworkAddressUsageMetrics *boolValue
}

type boolValue struct {
	Value bool
}

// describeVpcAttribute answers as for any default VPC. Errors:
// MissingParameter, InvalidVpcID.NotFound, InvalidParameterValue.
func (s *EC2) describeVpcAttribute(_ context.Context, in *describeVpcAttributeInput) (*describeVpcAttributeOutput, error) {
	if in.VpcId == "" {
		return nil, missing("vpcId")
	}
	if err := s.checkVPC(in.VpcId); err != nil {
		return nil, err
	}
	out := &describeVpcAttributeOutput{VpcId: in.VpcId}
	switch in.Attribute {
	case "enableDnsSupport":
		out.EnableDnsSupport = &boolValue{true}
	case "enableDnsHostnames":
		out.EnableDnsHostnames = &boolValue{true}
	case "enableNetworkAddressUsageMetrics":
		out.EnableNetworkAddressUsageMetrics = &boolValue{}
	case "":
		return nil, missing("attribute")
	default:
		return nil, invalid("Value (%.80s) for parameter attribute is invalid. Unknown attribute.", in.Attribute)
	}
	return out, nil
}
