package ec2

import (
	"context"

	"neargate/internal/aws/wire"
	"neargate/internal/vpc"
)

func (s *service) gatewayOperations() []wire.Operation {
	return []wire.Operation{
		op("AttachInternetGateway", s.attachInternetGateway),
		op("CreateEgressOnlyInternetGateway", s.createEgressOnlyInternetGateway),
		op("CreateInternetGateway", s.createInternetGateway),
		op("CreateNatGateway", s.createNatGateway),
		op("DeleteEgressOnlyInternetGateway", s.deleteEgressOnlyInternetGateway),
		op("DeleteInternetGateway", s.deleteInternetGateway),
		op("DeleteNatGateway", s.deleteNatGateway),
		op("DescribeEgressOnlyInternetGateways", s.describeEgressOnlyInternetGateways),
		op("DescribeInternetGateways", s.describeInternetGateways),
		op("DescribeNatGateways", s.describeNatGateways),
		op("DetachInternetGateway", s.detachInternetGateway),
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
