package ec2

import "context"

type describeVpcsInput struct {
	VpcIDs     []string `query:"VpcId"`
	Filters    []filter `query:"Filter"`
	MaxResults *int
	NextToken  string
	DryRun     bool
}

type describeVpcsOutput struct {
	Vpcs []vpc `xml:"vpcSet"`
}

type vpc struct {
	VpcID, OwnerID, State, CidrBlock, DhcpOptionsID, InstanceTenancy string

	IsDefault                   bool
	CidrBlockAssociationSet     []cidrAssociation
	Ipv6CidrBlockAssociationSet []cidrAssociation
	Tags                        []tag `xml:"tagSet"`
}

type cidrAssociation struct {
	AssociationID, CidrBlock string

	CidrBlockState state
}

type state struct {
	State string
}

// describeVpcs: there is one. Errors: InvalidVpcID.NotFound,
// InvalidParameterValue.
func (s *EC2) describeVpcs(_ context.Context, in *describeVpcsInput) (*describeVpcsOutput, error) {
	n := s.net
	if err := s.checkVPC(in.VpcIDs...); err != nil {
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
			VpcID: n.vpcID, OwnerID: s.cfg.Place.Account, State: "available", CidrBlock: n.cidr.String(),
			DhcpOptionsID: n.dhcpID, InstanceTenancy: "default", IsDefault: true,
			CidrBlockAssociationSet: []cidrAssociation{{n.cidrID, n.cidr.String(), state{"associated"}}},
			Tags:                    tagsOut(s.tagsOf(n.vpcID)),
		}}
	}
	return out, err
}

func (s *EC2) checkVPC(ids ...string) error {
	return checkIDs(ids, []string{s.net.vpcID}, "InvalidVpcID.NotFound", "The vpc ID '%.80s' does not exist")
}

// HasVPC reports whether there is a VPC with the ID.
func (s *EC2) HasVPC(id string) bool { return s.checkVPC(id) == nil }

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

// describeVpcAttribute answers as for any default VPC. Errors:
// MissingParameter, InvalidVpcID.NotFound, InvalidParameterValue.
func (s *EC2) describeVpcAttribute(_ context.Context, in *describeVpcAttributeInput) (*describeVpcAttributeOutput, error) {
	if in.VpcID == "" {
		return nil, missing("vpcId")
	}
	if err := s.checkVPC(in.VpcID); err != nil {
		return nil, err
	}
	out := &describeVpcAttributeOutput{VpcID: in.VpcID}
	switch in.Attribute {
	case "enableDnsSupport":
		out.EnableDNSSupport = &boolValue{true}
	case "enableDnsHostnames":
		out.EnableDNSHostnames = &boolValue{true}
	case "enableNetworkAddressUsageMetrics":
		out.EnableNetworkAddressUsageMetrics = &boolValue{}
	case "":
		return nil, missing("attribute")
	default:
		return nil, invalid("Value (%.80s) for parameter attribute is invalid. Unknown attribute.", in.Attribute)
	}
	return out, nil
}
