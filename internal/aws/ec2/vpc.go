package ec2

import (
	"context"
	"strconv"

	"neargate/internal/aws/wire"
	"neargate/internal/model"
	"neargate/internal/vpc"
)

func (s *service) vpcOperations() []wire.Operation {
	return []wire.Operation{
		op("AssociateVpcCidrBlock", s.associateVpcCidrBlock),
		op("CreateVpc", s.createVpc),
		op("DeleteVpc", s.deleteVpc),
		op("DescribeVpcAttribute", s.describeVpcAttribute),
		op("DescribeVpcClassicLink", classicLink),
		op("DescribeVpcClassicLinkDnsSupport", classicLink),
		op("DescribeVpcs", s.describeVpcs),
		op("DisableVpcClassicLink", classicLink),
		op("DisableVpcClassicLinkDnsSupport", classicLink),
		op("DisassociateVpcCidrBlock", s.disassociateVpcCidrBlock),
		op("EnableVpcClassicLink", classicLink),
		op("EnableVpcClassicLinkDnsSupport", classicLink),
		op("ModifyVpcAttribute", s.modifyVpcAttribute),
	}
}

type classicLinkInput struct {
	DryRun bool
}

// classicLink is refused as AWS has refused it since it was retired:
// UnsupportedOperation.
func classicLink(context.Context, *classicLinkInput) (*done, error) {
	return nil, model.Errorf(model.Invalid, "UnsupportedOperation", "The functionality you requested is not available in this region.")
}

type createVpcInput struct {
	CidrBlock, InstanceTenancy string

	AmazonProvidedIpv6CidrBlock     bool
	TagSpecifications               []tagSpecification `query:"TagSpecification"`
	Ipv6CidrBlock, Ipv6Pool         string
	Ipv4IpamPoolID, Ipv6IpamPoolID  string
	Ipv6CidrBlockNetworkBorderGroup string
	DryRun                          bool
}

type createVpcOutput struct {
	Vpc vpcOut
}

// createVpc: codes MissingParameter, InvalidVpc.Range, InvalidParameterValue,
// VpcLimitExceeded, TagLimitExceeded.
func (s *service) createVpc(ctx context.Context, in *createVpcInput) (*createVpcOutput, error) {
	if err := required("cidrBlock", in.CidrBlock); err != nil {
		return nil, err
	}
	tags, err := specified(in.TagSpecifications, vpc.KindVPC)
	if err != nil {
		return nil, err
	}
	v, err := s.n.CreateVPC(ctx, in.CidrBlock, in.InstanceTenancy, in.AmazonProvidedIpv6CidrBlock, tags)
	if err != nil {
		return nil, err
	}
	return &createVpcOutput{s.showVPC(v)}, nil
}

type vpcInput struct {
	VpcID  string
	DryRun bool
}

// deleteVpc: codes MissingParameter, InvalidVpcID.NotFound, DependencyViolation,
// OperationNotPermitted.
func (s *service) deleteVpc(ctx context.Context, in *vpcInput) (*done, error) {
	if err := required("vpcId", in.VpcID); err != nil {
		return nil, err
	}
	return finish(s.n.DeleteVPC(ctx, in.VpcID))
}

type describeVpcsInput struct {
	VpcIDs     []string `query:"VpcId"`
	Filters    []filter `query:"Filter"`
	MaxResults *int
	NextToken  string
	DryRun     bool
}

type describeVpcsOutput struct {
	Vpcs      []vpcOut `xml:"vpcSet"`
	NextToken string
}

type vpcOut struct {
	VpcID, OwnerID, State, CidrBlock, DhcpOptionsID, InstanceTenancy string

	IsDefault                   bool
	CidrBlockAssociationSet     []cidrAssociation
	Ipv6CidrBlockAssociationSet []ipv6Association
	Tags                        []tag `xml:"tagSet"`
}

type cidrAssociation struct {
	AssociationID, CidrBlock string

	CidrBlockState state
}

type ipv6Association struct {
	AssociationID, Ipv6CidrBlock, NetworkBorderGroup, Ipv6Pool, IPSource string

	Ipv6CidrBlockState state
}

type state struct {
	State string
}

// describeVpcs: codes InvalidVpcID.NotFound, InvalidParameterValue,
// InvalidNextToken.
func (s *service) describeVpcs(_ context.Context, in *describeVpcsInput) (*describeVpcsOutput, error) {
	cut, next, err := list(s, s.n.VPCs(), lister[vpc.VPC]{
		kind: vpc.KindVPC, id: func(v vpc.VPC) string { return v.ID }, attributes: s.vpcAttributes,
	}, query{in.VpcIDs, in.Filters, in.NextToken, in.MaxResults})
	if err != nil {
		return nil, err
	}
	out := &describeVpcsOutput{NextToken: next}
	for _, v := range cut {
		out.Vpcs = append(out.Vpcs, s.showVPC(v))
	}
	return out, nil
}

func (s *service) vpcAttributes(v vpc.VPC) attributes {
	isDefault := strconv.FormatBool(v.Default)
	a := attributes{
		"vpc-id": {v.ID}, "dhcp-options-id": {v.DHCPOptions}, "is-default": {isDefault}, "isDefault": {isDefault},
		"owner-id": {s.n.Place().Account}, "state": {"available"}, "cidr": nil, "cidrBlock": nil,
		"cidr-block-association.cidr-block": nil, "cidr-block-association.association-id": nil, "cidr-block-association.state": {"associated"},
		"ipv6-cidr-block-association.ipv6-cidr-block": nil, "ipv6-cidr-block-association.association-id": nil, "ipv6-cidr-block-association.state": {"associated"},
	}
	for i, b := range v.CIDRs {
		if i == 0 {
			a["cidr"], a["cidrBlock"] = []string{b.CIDR}, []string{b.CIDR}
		}
		a["cidr-block-association.cidr-block"] = append(a["cidr-block-association.cidr-block"], b.CIDR)
		a["cidr-block-association.association-id"] = append(a["cidr-block-association.association-id"], b.ID)
	}
	for _, b := range v.IPv6CIDRs {
		a["ipv6-cidr-block-association.ipv6-cidr-block"] = append(a["ipv6-cidr-block-association.ipv6-cidr-block"], b.CIDR)
		a["ipv6-cidr-block-association.association-id"] = append(a["ipv6-cidr-block-association.association-id"], b.ID)
	}
	return a
}

func (s *service) showVPC(v vpc.VPC) vpcOut {
	out := vpcOut{
		VpcID: v.ID, OwnerID: s.n.Place().Account, State: "available", CidrBlock: v.CIDRs[0].CIDR, DhcpOptionsID: v.DHCPOptions,
		InstanceTenancy: v.Tenancy, IsDefault: v.Default, Ipv6CidrBlockAssociationSet: s.ipv6(v.IPv6CIDRs), Tags: tagsOut(s.n.Tags(v.ID)),
	}
	for _, b := range v.CIDRs {
		out.CidrBlockAssociationSet = append(out.CidrBlockAssociationSet, cidrAssociation{b.ID, b.CIDR, state{"associated"}})
	}
	return out
}

func (s *service) ipv6(blocks []vpc.Block) []ipv6Association {
	var out []ipv6Association
	for _, b := range blocks {
		out = append(out, ipv6Association{b.ID, b.CIDR, s.n.Place().Region, "Amazon", "amazon", state{"associated"}})
	}
	return out
}
