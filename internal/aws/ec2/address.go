package ec2

import (
	"context"
	"slices"

	"neargate/internal/aws/wire"
	"neargate/internal/model"
	"neargate/internal/vpc"
)

func (s *service) addressOperations() []wire.Operation {
	return []wire.Operation{
		op("AllocateAddress", s.allocateAddress),
		op("DescribeAddresses", s.describeAddresses),
		op("DescribeAddressesAttribute", s.describeAddressesAttribute),
		op("DisassociateAddress", s.disassociateAddress),
		op("ReleaseAddress", s.releaseAddress),
	}
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
		return nil, model.Errorf(model.Invalid, "AuthFailure", "The address '%.80s' does not belong to you.", in.PublicIP)
	}
	if err := required("allocationId", id); err != nil {
		return nil, err
	}
	return finish(s.n.ReleaseAddress(ctx, id))
}

type disassociateAddressInput struct {
	AssociationID, PublicIP string

	DryRun bool
}

// disassociateAddress takes no address from anyone: only NAT gateways have
// addresses, and keep them as long as they exist. Codes MissingParameter,
// InvalidAssociationID.NotFound, InvalidAddress.NotFound, AuthFailure.
func (s *service) disassociateAddress(_ context.Context, in *disassociateAddressInput) (*done, error) {
	all, association := s.n.Addresses(), in.AssociationID
	if association == "" && in.PublicIP != "" {
		a, err := addressWith(all, in.PublicIP)
		if err != nil {
			return nil, err
		}
		association = a.AssociationID
	} else if err := required("associationId", association); err != nil {
		return nil, err
	}
	if association == "" || !slices.ContainsFunc(all, func(a vpc.Address) bool { return a.AssociationID == association }) {
		return nil, model.Errorf(model.NotFound, "InvalidAssociationID.NotFound", "The association ID '%.80s' does not exist", association)
	}
	return nil, model.Errorf(model.Invalid, "AuthFailure", "You do not have permission to access the specified resource.")
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
