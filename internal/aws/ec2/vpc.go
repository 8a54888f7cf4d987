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

type associateVpcCidrBlockInput struct {
	VpcID, CidrBlock string

	AmazonProvidedIpv6CidrBlock bool
	DryRun                      bool
}

type vpcCidrBlockOutput struct {
	VpcID                    string
	CidrBlockAssociation     *cidrAssociation
	Ipv6CidrBlockAssociation *ipv6Association
}

// associateVpcCidrBlock: codes MissingParameter, InvalidVpcID.NotFound,
// InvalidVpc.Range, InvalidVpc.Conflict, InvalidParameterValue.
func (s *service) associateVpcCidrBlock(ctx context.Context, in *associateVpcCidrBlockInput) (*vpcCidrBlockOutput, error) {
	if err := required("vpcId", in.VpcID); err != nil {
		return nil, err
	}
	if (in.CidrBlock == "") != in.AmazonProvidedIpv6CidrBlock {
		return nil, missing("cidrBlock or amazonProvidedIpv6CidrBlock")
	}
	b, err := s.n.AssociateCIDR(ctx, in.VpcID, in.CidrBlock)
	if err != nil {
		return nil, err
	}
	return s.showBlock(in.VpcID, b, "associating"), nil
}

func (s *service) showBlock(id string, b vpc.Block, at string) *vpcCidrBlockOutput {
	out := &vpcCidrBlockOutput{VpcID: id}
	if six := s.ipv6([]vpc.Block{b}); isIPv6(b.CIDR) {
		six[0].Ipv6CidrBlockState.State = at
		out.Ipv6CidrBlockAssociation = &six[0]
		return out
	}
	out.CidrBlockAssociation = &cidrAssociation{b.ID, b.CIDR, state{at}}
	return out
}

type disassociateVpcCidrBlockInput struct {
	AssociationID string
	DryRun        bool
}

// disassociateVpcCidrBlock: codes MissingParameter,
// InvalidVpcCidrBlockAssociationID.NotFound, OperationNotPermitted,
// InvalidCidrBlock.InUse.
func (s *service) disassociateVpcCidrBlock(ctx context.Context, in *disassociateVpcCidrBlockInput) (*vpcCidrBlockOutput, error) {
	if err := required("associationId", in.AssociationID); err != nil {
		return nil, err
	}
	id, b, err := s.n.DisassociateCIDR(ctx, in.AssociationID)
	if err != nil {
		return nil, err
	}
	return s.showBlock(id, b, "disassociating"), nil
}
