package ec2

import (
	"context"
	"time"

	"neargate/internal/vpc"
)

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
