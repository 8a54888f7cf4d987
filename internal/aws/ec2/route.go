package ec2

import "context"

type describeInternetGatewaysInput struct {
	InternetGatewayIDs []string `query:"InternetGatewayId"`
	Filters            []filter `query:"Filter"`
	MaxResults         *int
	NextToken          string
	DryRun             bool
}

type describeInternetGatewaysOutput struct {
	InternetGateways []internetGateway `xml:"internetGatewaySet"`
}

type internetGateway struct {
	InternetGatewayID, OwnerID string

	Attachments []gatewayAttachment `xml:"attachmentSet"`
	Tags        []tag               `xml:"tagSet"`
}

type gatewayAttachment struct {
	VpcID, State string
}

// describeInternetGateways: the default VPC's. Errors:
// InvalidInternetGatewayID.NotFound, InvalidParameterValue.
func (s *EC2) describeInternetGateways(_ context.Context, in *describeInternetGatewaysInput) (*describeInternetGatewaysOutput, error) {
	id := s.net.gatewayID
	if err := checkIDs(in.InternetGatewayIDs, []string{id}, "InvalidInternetGatewayID.NotFound", "The internetGateway ID '%.80s' does not exist"); err != nil {
		return nil, err
	}
	ok, err := matches(in.Filters, attributes{
		"internet-gateway-id": {id}, "attachment.vpc-id": {s.net.vpcID}, "attachment.state": {"available"}, "owner-id": {s.cfg.Place.Account},
	}, s.tagsOf(id))
	out := &describeInternetGatewaysOutput{}
	if ok && err == nil {
		out.InternetGateways = []internetGateway{{
			InternetGatewayID: id, OwnerID: s.cfg.Place.Account,
			Attachments: []gatewayAttachment{{s.net.vpcID, "available"}}, Tags: tagsOut(s.tagsOf(id)),
		}}
	}
	return out, err
}

type describeRouteTablesInput struct {
	RouteTableIDs []string `query:"RouteTableId"`
	Filters       []filter `query:"Filter"`
	MaxResults    *int
	NextToken     string
	DryRun        bool
}

type describeRouteTablesOutput struct {
	RouteTables []routeTable `xml:"routeTableSet"`
}

type routeTable struct {
	RouteTableID, VpcID, OwnerID string

	Routes          []route            `xml:"routeSet"`
	Associations    []routeAssociation `xml:"associationSet"`
	PropagatingVgws []string           `xml:"propagatingVgwSet"`
	Tags            []tag              `xml:"tagSet"`
}

type route struct {
	DestinationCidrBlock, GatewayID, State, Origin string
}

type routeAssociation struct {
	RouteTableAssociationID, RouteTableID string

	Main             bool
	AssociationState state
}

// describeRouteTables: the main one. Errors: InvalidRouteTableID.NotFound,
// InvalidParameterValue.
func (s *EC2) describeRouteTables(_ context.Context, in *describeRouteTablesInput) (*describeRouteTablesOutput, error) {
	n := s.net
	if err := checkIDs(in.RouteTableIDs, []string{n.routeTableID}, "InvalidRouteTableID.NotFound", "The routeTable ID '%.80s' does not exist"); err != nil {
		return nil, err
	}
	ok, err := matches(in.Filters, attributes{
		"route-table-id": {n.routeTableID}, "vpc-id": {n.vpcID}, "owner-id": {s.cfg.Place.Account},
		"association.main": {"true"}, "association.route-table-association-id": {n.routesID}, "association.route-table-id": {n.routeTableID},
		"association.subnet-id": nil, "route.destination-cidr-block": {n.cidr.String(), "0.0.0.0/0"},
		"route.gateway-id": {"local", n.gatewayID}, "route.state": {"active"}, "route.origin": {"CreateRouteTable", "CreateRoute"},
	}, s.tagsOf(n.routeTableID))
	out := &describeRouteTablesOutput{}
	if ok && err == nil {
		out.RouteTables = []routeTable{{
			RouteTableID: n.routeTableID, VpcID: n.vpcID, OwnerID: s.cfg.Place.Account,
			Routes: []route{
				{n.cidr.String(), "local", "active", "CreateRouteTable"},
				{"0.0.0.0/0", n.gatewayID, "active", "CreateRoute"},
			},
			Associations: []routeAssociation{{n.routesID, n.routeTableID, true, state{"associated"}}},
			Tags:         tagsOut(s.tagsOf(n.routeTableID)),
		}}
	}
	return out, err
}
