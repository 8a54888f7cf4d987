package ec2

import (
	"context"

	"neargate/internal/vpc"
)

type describeVpcEndpointsInput struct {
	VpcEndpointIDs []string `query:"VpcEndpointId"`
	Filters        []filter `query:"Filter"`
	MaxResults     *int
	NextToken      string
	DryRun         bool
}

type describeVpcEndpointsOutput struct {
	VpcEndpoints []vpcEndpoint `xml:"vpcEndpointSet"`
	NextToken    string
}

// describeVpcEndpoints: codes InvalidVpcEndpointId.NotFound,
// InvalidParameterValue, InvalidNextToken.
func (s *service) describeVpcEndpoints(_ context.Context, in *describeVpcEndpointsInput) (*describeVpcEndpointsOutput, error) {
	cut, next, err := list(s, s.n.Endpoints(), lister[vpc.Endpoint]{
		kind: vpc.KindEndpoint, id: func(e vpc.Endpoint) string { return e.ID }, attributes: func(e vpc.Endpoint) attributes {
			return attributes{
				"vpc-endpoint-id": {e.ID}, "vpc-id": {e.VPC}, "service-name": {e.Service}, "vpc-endpoint-type": {e.Type},
				"vpc-endpoint-state": {"available"}, "ip-address-type": {e.IPAddressType},
			}
		},
	}, query{in.VpcEndpointIDs, in.Filters, in.NextToken, in.MaxResults})
	if err != nil {
		return nil, err
	}
	out := &describeVpcEndpointsOutput{NextToken: next}
	for _, e := range cut {
		out.VpcEndpoints = append(out.VpcEndpoints, s.showEndpoint(e))
	}
	return out, nil
}
