package ec2

import (
	"context"

	"neargate/internal/vpc"
)

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
