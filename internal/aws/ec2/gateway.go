package ec2

import (
	"context"
	"time"

	"neargate/internal/aws/wire"
	"neargate/internal/model"
	"neargate/internal/vpc"
)

func (s *service) gatewayOperations() []wire.Operation {
	return []wire.Operation{
		op("AllocateAddress", s.allocateAddress),
		op("AttachInternetGateway", s.attachInternetGateway),
		op("CreateEgressOnlyInternetGateway", s.createEgressOnlyInternetGateway),
		op("CreateInternetGateway", s.createInternetGateway),
		op("CreateNatGateway", s.createNatGateway),
		op("DeleteEgressOnlyInternetGateway", s.deleteEgressOnlyInternetGateway),
		op("DeleteInternetGateway", s.deleteInternetGateway),
		op("DeleteNatGateway", s.deleteNatGateway),
		op("DescribeAddresses", s.describeAddresses),
		op("DescribeAddressesAttribute", s.describeAddressesAttribute),
		op("DescribeEgressOnlyInternetGateways", s.describeEgressOnlyInternetGateways),
		op("DescribeInternetGateways", s.describeInternetGateways),
		op("DescribeNatGateways", s.describeNatGateways),
		op("DetachInternetGateway", s.detachInternetGateway),
		op("ReleaseAddress", s.releaseAddress),
	}
}

type createInternetGatewayInput struct {
	TagSpecifications []tagSpecification `query:"TagSpecification"`
	DryRun            bool
}

type createInternetGatewayOutput struct {
	InternetGateway internetGateway
}

// createInternetGateway: codes InternetGatewayLimitExceeded,
// InvalidParameterValue, TagLimitExceeded.
func (s *service) createInternetGateway(ctx context.Context, in *createInternetGatewayInput) (*createInternetGatewayOutput, error) {
	tags, err := specified(in.TagSpecifications, vpc.KindGateway)
	if err != nil {
		return nil, err
	}
	g, err := s.n.CreateGateway(ctx, tags)
	if err != nil {
		return nil, err
	}
	return &createInternetGatewayOutput{s.showGateway(g)}, nil
}

type attachInternetGatewayInput struct {
	InternetGatewayID, VpcID string

	DryRun bool
}

// attachInternetGateway: codes MissingParameter,
// InvalidInternetGatewayID.NotFound, InvalidVpcID.NotFound,
// Resource.AlreadyAssociated, InvalidParameterValue.
func (s *service) attachInternetGateway(ctx context.Context, in *attachInternetGatewayInput) (*done, error) {
	if err := required("internetGatewayId", in.InternetGatewayID, "vpcId", in.VpcID); err != nil {
		return nil, err
	}
	return finish(s.n.AttachGateway(ctx, in.InternetGatewayID, in.VpcID))
}

// detachInternetGateway: codes MissingParameter,
// InvalidInternetGatewayID.NotFound, Gateway.NotAttached, DependencyViolation.
func (s *service) detachInternetGateway(ctx context.Context, in *attachInternetGatewayInput) (*done, error) {
	if err := required("internetGatewayId", in.InternetGatewayID, "vpcId", in.VpcID); err != nil {
		return nil, err
	}
	return finish(s.n.DetachGateway(ctx, in.InternetGatewayID, in.VpcID))
}

type deleteInternetGatewayInput struct {
	InternetGatewayID string
	DryRun            bool
}

// deleteInternetGateway: codes MissingParameter,
// InvalidInternetGatewayID.NotFound, DependencyViolation.
func (s *service) deleteInternetGateway(ctx context.Context, in *deleteInternetGatewayInput) (*done, error) {
	if err := required("internetGatewayId", in.InternetGatewayID); err != nil {
		return nil, err
	}
	return finish(s.n.DeleteGateway(ctx, in.InternetGatewayID))
}

type describeInternetGatewaysInput struct {
	InternetGatewayIDs []string `query:"InternetGatewayId"`
	Filters            []filter `query:"Filter"`
	MaxResults         *int
	NextToken          string
	DryRun             bool
}

type describeInternetGatewaysOutput struct {
	InternetGateways []internetGateway `xml:"internetGatewaySet"`
	NextToken        string
}

type internetGateway struct {
	InternetGatewayID, OwnerID string

	Attachments []gatewayAttachment `xml:"attachmentSet"`
	Tags        []tag               `xml:"tagSet"`
}

type gatewayAttachment struct {
	VpcID, State string
}

// describeInternetGateways: codes InvalidInternetGatewayID.NotFound,
// InvalidParameterValue, InvalidNextToken.
func (s *service) describeInternetGateways(_ context.Context, in *describeInternetGatewaysInput) (*describeInternetGatewaysOutput, error) {
	cut, next, err := list(s, s.n.Gateways(), lister[vpc.Gateway]{
		kind: vpc.KindGateway, id: func(g vpc.Gateway) string { return g.ID }, attributes: func(g vpc.Gateway) attributes {
			a := attributes{"internet-gateway-id": {g.ID}, "owner-id": {s.n.Place().Account}, "attachment.vpc-id": nil, "attachment.state": nil}
			if g.VPC != "" {
				a["attachment.vpc-id"], a["attachment.state"] = []string{g.VPC}, []string{"available"}
			}
			return a
		},
	}, query{in.InternetGatewayIDs, in.Filters, in.NextToken, in.MaxResults})
	if err != nil {
		return nil, err
	}
	out := &describeInternetGatewaysOutput{NextToken: next}
	for _, g := range cut {
		out.InternetGateways = append(out.InternetGateways, s.showGateway(g))
	}
	return out, nil
}

func (s *service) showGateway(g vpc.Gateway) internetGateway {
	out := internetGateway{InternetGatewayID: g.ID, OwnerID: s.n.Place().Account, Tags: tagsOut(s.n.Tags(g.ID))}
	if g.VPC != "" {
		out.Attachments = []gatewayAttachment{{g.VPC, "available"}}
	}
	return out
}

type createEgressOnlyInternetGatewayInput struct {
	VpcID             string
	TagSpecifications []tagSpecification `query:"TagSpecification"`
	ClientToken       string
	DryRun            bool
}

type createEgressOnlyInternetGatewayOutput struct {
	ClientToken                string
	EgressOnlyInternetGateways egressGateway `xml:"egressOnlyInternetGateway"`
}

type egressGateway struct {
	EgressOnlyInternetGatewayID string
	Attachments                 []gatewayAttachment `xml:"attachmentSet"`
	Tags                        []tag               `xml:"tagSet"`
}

// createEgressOnlyInternetGateway: codes MissingParameter,
// InvalidVpcID.NotFound, EgressOnlyInternetGatewayLimitExceeded.
func (s *service) createEgressOnlyInternetGateway(ctx context.Context, in *createEgressOnlyInternetGatewayInput) (*createEgressOnlyInternetGatewayOutput, error) {
	if err := required("vpcId", in.VpcID); err != nil {
		return nil, err
	}
	tags, err := specified(in.TagSpecifications, vpc.KindEgressGateway)
	if err != nil {
		return nil, err
	}
	g, err := s.n.CreateEgressGateway(ctx, in.VpcID, tags)
	if err != nil {
		return nil, err
	}
	return &createEgressOnlyInternetGatewayOutput{in.ClientToken, s.showEgressGateway(g)}, nil
}

type deleteEgressOnlyInternetGatewayInput struct {
	EgressOnlyInternetGatewayID string
	DryRun                      bool
}

type deleteEgressOnlyInternetGatewayOutput struct {
	ReturnCode bool
}

// deleteEgressOnlyInternetGateway: codes MissingParameter,
// InvalidGatewayID.NotFound.
func (s *service) deleteEgressOnlyInternetGateway(ctx context.Context, in *deleteEgressOnlyInternetGatewayInput) (*deleteEgressOnlyInternetGatewayOutput, error) {
	if err := required("egressOnlyInternetGatewayId", in.EgressOnlyInternetGatewayID); err != nil {
		return nil, err
	}
	if err := s.n.DeleteEgressGateway(ctx, in.EgressOnlyInternetGatewayID); err != nil {
		return nil, err
	}
	return &deleteEgressOnlyInternetGatewayOutput{true}, nil
}

type describeEgressOnlyInternetGatewaysInput struct {
	EgressOnlyInternetGatewayIDs []string `query:"EgressOnlyInternetGatewayId"`
	Filters                      []filter `query:"Filter"`
	MaxResults                   *int
	NextToken                    string
	DryRun                       bool
}

type describeEgressOnlyInternetGatewaysOutput struct {
	EgressOnlyInternetGateways []egressGateway `xml:"egressOnlyInternetGatewaySet"`
	NextToken                  string
}

// describeEgressOnlyInternetGateways: codes InvalidGatewayID.NotFound,
// InvalidParameterValue, InvalidNextToken.
func (s *service) describeEgressOnlyInternetGateways(_ context.Context, in *describeEgressOnlyInternetGatewaysInput) (*describeEgressOnlyInternetGatewaysOutput, error) {
	cut, next, err := list(s, s.n.EgressGateways(), lister[vpc.EgressGateway]{
		kind: vpc.KindEgressGateway, id: func(g vpc.EgressGateway) string { return g.ID },
		attributes: func(vpc.EgressGateway) attributes { return attributes{} }, // tags are the only filters
	}, query{in.EgressOnlyInternetGatewayIDs, in.Filters, in.NextToken, in.MaxResults})
	if err != nil {
		return nil, err
	}
	out := &describeEgressOnlyInternetGatewaysOutput{NextToken: next}
	for _, g := range cut {
		out.EgressOnlyInternetGateways = append(out.EgressOnlyInternetGateways, s.showEgressGateway(g))
	}
	return out, nil
}

func (s *service) showEgressGateway(g vpc.EgressGateway) egressGateway {
	return egressGateway{g.ID, []gatewayAttachment{{g.VPC, "attached"}}, tagsOut(s.n.Tags(g.ID))}
}

type createNatGatewayInput struct {
	SubnetID, AllocationID, ConnectivityType, PrivateIPAddress, ClientToken string

	TagSpecifications              []tagSpecification `query:"TagSpecification"`
	SecondaryAllocationIDs         []string           `query:"SecondaryAllocationId"`
	SecondaryPrivateIPAddresses    []string           `query:"SecondaryPrivateIpAddress"`
	SecondaryPrivateIPAddressCount *int
	VpcID, AvailabilityMode        string
	DryRun                         bool
}

type createNatGatewayOutput struct {
	ClientToken string
	NatGateway  natGateway
}

type natGateway struct {
	NatGatewayID, SubnetID, VpcID, State, ConnectivityType string

	CreateTime          time.Time
	NatGatewayAddresses []natAddress `xml:"natGatewayAddressSet"`
	Tags                []tag        `xml:"tagSet"`
}

type natAddress struct {
	AllocationID, AssociationID, NetworkInterfaceID, PrivateIP, PublicIP, Status string

	IsPrimary bool
}

// createNatGateway: codes MissingParameter, InvalidSubnetID.NotFound,
// InvalidAllocationID.NotFound, Gateway.NotAttached, Resource.AlreadyAssociated,
// InvalidParameterValue, NatGatewayLimitExceeded.
func (s *service) createNatGateway(ctx context.Context, in *createNatGatewayInput) (*createNatGatewayOutput, error) {
	if err := required("subnetId", in.SubnetID); err != nil {
		return nil, err
	}
	tags, err := specified(in.TagSpecifications, vpc.KindNATGateway)
	if err != nil {
		return nil, err
	}
	g, err := s.n.CreateNATGateway(ctx, vpc.NewNATGateway{
		Subnet: in.SubnetID, Allocation: in.AllocationID, Connectivity: in.ConnectivityType, PrivateIP: in.PrivateIPAddress, Tags: tags,
	})
	if err != nil {
		return nil, err
	}
	return &createNatGatewayOutput{in.ClientToken, s.showNAT(g)}, nil
}

func (s *service) showNAT(g vpc.NATGateway) natGateway {
	return natGateway{
		NatGatewayID: g.ID, SubnetID: g.Subnet, VpcID: g.VPC, State: "available", ConnectivityType: g.Connectivity, CreateTime: g.CreatedAt,
		NatGatewayAddresses: []natAddress{{g.Allocation, g.AddrAID, g.Interface, g.PrivateIP, g.PublicIP, "succeeded", true}},
		Tags:                tagsOut(s.n.Tags(g.ID)),
	}
}

type deleteNatGatewayInput struct {
	NatGatewayID string
	DryRun       bool
}

type deleteNatGatewayOutput struct {
	NatGatewayID string
}

// deleteNatGateway: codes MissingParameter, NatGatewayNotFound.
func (s *service) deleteNatGateway(ctx context.Context, in *deleteNatGatewayInput) (*deleteNatGatewayOutput, error) {
	if err := required("natGatewayId", in.NatGatewayID); err != nil {
		return nil, err
	}
	if err := s.n.DeleteNATGateway(ctx, in.NatGatewayID); err != nil {
		return nil, err
	}
	return &deleteNatGatewayOutput{in.NatGatewayID}, nil
}

type describeNatGatewaysInput struct {
	NatGatewayIDs []string `query:"NatGatewayId"`
	Filters       []filter `query:"Filter"`
	MaxResults    *int
	NextToken     string
	DryRun        bool
}

type describeNatGatewaysOutput struct {
	NatGateways []natGateway `xml:"natGatewaySet"`
	NextToken   string
}

// describeNatGateways: codes NatGatewayNotFound, InvalidParameterValue,
// InvalidNextToken.
func (s *service) describeNatGateways(_ context.Context, in *describeNatGatewaysInput) (*describeNatGatewaysOutput, error) {
	cut, next, err := list(s, s.n.NATGateways(), lister[vpc.NATGateway]{
		kind: vpc.KindNATGateway, id: func(g vpc.NATGateway) string { return g.ID }, attributes: func(g vpc.NATGateway) attributes {
			return attributes{"nat-gateway-id": {g.ID}, "state": {"available"}, "subnet-id": {g.Subnet}, "vpc-id": {g.VPC}, "connectivity-type": {g.Connectivity}}
		},
	}, query{in.NatGatewayIDs, in.Filters, in.NextToken, in.MaxResults})
	if err != nil {
		return nil, err
	}
	out := &describeNatGatewaysOutput{NextToken: next}
	for _, g := range cut {
		out.NatGateways = append(out.NatGateways, s.showNAT(g))
	}
	return out, nil
}

type allocateAddressInput struct {
	Domain                string
	TagSpecifications     []tagSpecification `query:"TagSpecification"`
	Address               string
	PublicIpv4Pool        string
	NetworkBorderGroup    string
	CustomerOwnedIpv4Pool string
	IpamPoolID            string
	DryRun                bool
}

type allocateAddressOutput struct {
	AllocationID, PublicIP, PublicIpv4Pool, Domain, NetworkBorderGroup string
}

// allocateAddress: codes InvalidParameterValue, AddressLimitExceeded,
// TagLimitExceeded.
func (s *service) allocateAddress(ctx context.Context, in *allocateAddressInput) (*allocateAddressOutput, error) {
	if in.Domain != "" && in.Domain != "vpc" {
		return nil, invalid("Value (%.80s) for parameter domain is invalid.", in.Domain)
	}
	tags, err := specified(in.TagSpecifications, vpc.KindAddress)
	if err != nil {
		return nil, err
	}
	a, err := s.n.AllocateAddress(ctx, tags)
	if err != nil {
		return nil, err
	}
	return &allocateAddressOutput{a.ID, a.IP, "amazon", "vpc", s.n.Place().Region}, nil
}

type releaseAddressInput struct {
	AllocationID, PublicIP, NetworkBorderGroup string

	DryRun bool
}

// releaseAddress: codes MissingParameter, InvalidAllocationID.NotFound,
// AuthFailure, InvalidIPAddress.InUse.
func (s *service) releaseAddress(ctx context.Context, in *releaseAddressInput) (*done, error) {
	id := in.AllocationID
	for _, a := range s.n.Addresses() {
		if id == "" && a.IP == in.PublicIP {
			id = a.ID
		}
	}
	if id == "" && in.PublicIP != "" {
		return nil, model.Errorf(model.Denied, "AuthFailure", "The address '%.80s' does not belong to you.", in.PublicIP)
	}
	if err := required("allocationId", id); err != nil {
		return nil, err
	}
	return finish(s.n.ReleaseAddress(ctx, id))
}

type describeAddressesInput struct {
	AllocationIDs []string `query:"AllocationId"`
	PublicIPs     []string `query:"PublicIp"`
	Filters       []filter `query:"Filter"`
	DryRun        bool
}

type describeAddressesOutput struct {
	Addresses []addressOut `xml:"addressesSet"`
}

type addressOut struct {
	AllocationID, PublicIP, AssociationID, NetworkInterfaceID, PrivateIPAddress, Domain, PublicIpv4Pool, NetworkBorderGroup string

	Tags []tag `xml:"tagSet"`
}

// describeAddresses: codes InvalidAllocationID.NotFound,
// InvalidAddress.NotFound, InvalidParameterValue.
func (s *service) describeAddresses(_ context.Context, in *describeAddressesInput) (*describeAddressesOutput, error) {
	all := s.n.Addresses()
	for _, ip := range in.PublicIPs {
		if _, err := addressWith(all, ip); err != nil {
			return nil, err
		}
	}
	cut, _, err := list(s, all, lister[vpc.Address]{
		kind: vpc.KindAddress, id: func(a vpc.Address) string { return a.ID }, attributes: func(a vpc.Address) attributes {
			return attributes{
				"allocation-id": {a.ID}, "public-ip": {a.IP}, "association-id": {a.AssociationID}, "domain": {"vpc"},
				"network-interface-id": {a.Interface}, "private-ip-address": {a.PrivateIP}, "instance-id": nil,
			}
		},
	}, query{ids: in.AllocationIDs, filters: in.Filters})
	if err != nil {
		return nil, err
	}
	out := &describeAddressesOutput{}
	for _, a := range cut {
		if asked(in.PublicIPs, a.IP) {
			out.Addresses = append(out.Addresses, addressOut{
				a.ID, a.IP, a.AssociationID, a.Interface, a.PrivateIP, "vpc", "amazon", s.n.Place().Region, tagsOut(s.n.Tags(a.ID)),
			})
		}
	}
	return out, nil
}

func addressWith(all []vpc.Address, ip string) (vpc.Address, error) {
	for _, a := range all {
		if a.IP == ip {
			return a, nil
		}
	}
	return vpc.Address{}, model.Errorf(model.NotFound, "InvalidAddress.NotFound", "Address '%.80s' not found.", ip)
}

type describeAddressesAttributeInput struct {
	AllocationIDs []string `query:"AllocationId"`
	Attribute     string
	MaxResults    *int
	NextToken     string
	DryRun        bool
}

type describeAddressesAttributeOutput struct {
	Addresses []addressAttribute `xml:"addressSet"`
	NextToken string
}

type addressAttribute struct {
	AllocationID, PublicIP string
}

// describeAddressesAttribute lists addresses; none has a name in the DNS. Codes
// InvalidAllocationID.NotFound, InvalidParameterValue, InvalidNextToken.
func (s *service) describeAddressesAttribute(_ context.Context, in *describeAddressesAttributeInput) (*describeAddressesAttributeOutput, error) {
	if in.Attribute != "" && in.Attribute != "domain-name" {
		return nil, invalid("Value (%.80s) for parameter attribute is invalid.", in.Attribute)
	}
	cut, next, err := list(s, s.n.Addresses(), lister[vpc.Address]{
		kind: vpc.KindAddress, id: func(a vpc.Address) string { return a.ID }, attributes: func(vpc.Address) attributes { return nil },
	}, query{ids: in.AllocationIDs, token: in.NextToken, maxResults: in.MaxResults})
	if err != nil {
		return nil, err
	}
	out := &describeAddressesAttributeOutput{NextToken: next}
	for _, a := range cut {
		out.Addresses = append(out.Addresses, addressAttribute{a.ID, a.IP})
	}
	return out, nil
}
