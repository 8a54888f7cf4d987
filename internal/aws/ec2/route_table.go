package ec2

import (
	"context"
	"slices"
	"strconv"

	"neargate/internal/vpc"
)

type createRouteTableInput struct {
	VpcID             string
	TagSpecifications []tagSpecification `query:"TagSpecification"`
	ClientToken       string
	DryRun            bool
}

type createRouteTableOutput struct {
	RouteTable  routeTable
	ClientToken string
}

// createRouteTable: codes MissingParameter, InvalidVpcID.NotFound,
// RouteTableLimitExceeded, TagLimitExceeded.
func (s *service) createRouteTable(ctx context.Context, in *createRouteTableInput) (*createRouteTableOutput, error) {
	if err := required("vpcId", in.VpcID); err != nil {
		return nil, err
	}
	tags, err := specified(in.TagSpecifications, vpc.KindRouteTable)
	if err != nil {
		return nil, err
	}
	r, err := s.n.CreateRouteTable(ctx, in.VpcID, tags)
	if err != nil {
		return nil, err
	}
	return &createRouteTableOutput{s.showRouteTable(r), in.ClientToken}, nil
}

type deleteRouteTableInput struct {
	RouteTableID string
	DryRun       bool
}

// deleteRouteTable: codes MissingParameter, InvalidRouteTableID.NotFound,
// DependencyViolation.
func (s *service) deleteRouteTable(ctx context.Context, in *deleteRouteTableInput) (*done, error) {
	if err := required("routeTableId", in.RouteTableID); err != nil {
		return nil, err
	}
	return finish(s.n.DeleteRouteTable(ctx, in.RouteTableID))
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
	NextToken   string
}

type routeTable struct {
	RouteTableID, VpcID, OwnerID string

	Routes          []route            `xml:"routeSet"`
	Associations    []routeAssociation `xml:"associationSet"`
	PropagatingVgws []string           `xml:"propagatingVgwSet"`
	Tags            []tag              `xml:"tagSet"`
}

type route struct {
	DestinationCidrBlock, DestinationIpv6CidrBlock, DestinationPrefixListID  string
	GatewayID, NatGatewayID, EgressOnlyInternetGatewayID, NetworkInterfaceID string
	State, Origin                                                            string
}

type routeAssociation struct {
	RouteTableAssociationID, RouteTableID, SubnetID, GatewayID string

	Main             bool
	AssociationState state
}

// describeRouteTables: codes InvalidRouteTableID.NotFound,
// InvalidParameterValue, InvalidNextToken.
func (s *service) describeRouteTables(_ context.Context, in *describeRouteTablesInput) (*describeRouteTablesOutput, error) {
	cut, next, err := list(s, s.n.RouteTables(), lister[vpc.RouteTable]{
		kind: vpc.KindRouteTable, id: func(r vpc.RouteTable) string { return r.ID }, attributes: s.routeTableAttributes,
	}, query{in.RouteTableIDs, in.Filters, in.NextToken, in.MaxResults})
	if err != nil {
		return nil, err
	}
	out := &describeRouteTablesOutput{NextToken: next}
	for _, r := range cut {
		out.RouteTables = append(out.RouteTables, s.showRouteTable(r))
	}
	return out, nil
}

func (s *service) routeTableAttributes(r vpc.RouteTable) attributes {
	a := attributes{
		"route-table-id": {r.ID}, "vpc-id": {r.VPC}, "owner-id": {s.n.Place().Account},
		"association.main": nil, "association.route-table-association-id": nil, "association.route-table-id": nil,
		"association.subnet-id": nil, "association.gateway-id": nil, "route.destination-cidr-block": nil, "route.destination-ipv6-cidr-block": nil,
		"route.destination-prefix-list-id": nil, "route.gateway-id": nil, "route.nat-gateway-id": nil,
		"route.egress-only-internet-gateway-id": nil, "route.state": {"active"}, "route.origin": nil,
	}
	add := func(name, value string) {
		if value != "" {
			a[name] = append(a[name], value)
		}
	}
	for _, x := range r.Associations {
		add("association.main", strconv.FormatBool(x.Main))
		add("association.route-table-association-id", x.ID)
		add("association.route-table-id", r.ID)
		add("association.subnet-id", x.Subnet)
		add("association.gateway-id", x.Gateway)
	}
	for _, x := range s.n.AllRoutes(r) {
		add("route.destination-cidr-block", x.CIDR)
		add("route.destination-ipv6-cidr-block", x.IPv6CIDR)
		add("route.destination-prefix-list-id", x.PrefixList)
		add("route.gateway-id", x.Gateway+x.Endpoint)
		add("route.nat-gateway-id", x.NATGateway)
		add("route.egress-only-internet-gateway-id", x.EgressGateway)
		add("route.origin", x.Origin)
	}
	return a
}

func (s *service) showRouteTable(r vpc.RouteTable) routeTable {
	out := routeTable{RouteTableID: r.ID, VpcID: r.VPC, OwnerID: s.n.Place().Account, Tags: tagsOut(s.n.Tags(r.ID))}
	for _, x := range s.n.AllRoutes(r) {
		out.Routes = append(out.Routes, route{
			x.CIDR, x.IPv6CIDR, x.PrefixList, x.Gateway + x.Endpoint, x.NATGateway, x.EgressGateway, x.Interface, s.routeState(x), x.Origin,
		})
	}
	for _, e := range s.n.Endpoints() {
		if e.Type == "Gateway" && slices.Contains(e.RouteTables, r.ID) {
			out.Routes = append(out.Routes, route{
				DestinationPrefixListID: s.prefixListOf(e.Service), GatewayID: e.ID, State: "active", Origin: "CreateRoute",
			})
		}
	}
	for _, a := range r.Associations {
		out.Associations = append(out.Associations, routeAssociation{a.ID, r.ID, a.Subnet, a.Gateway, a.Main, state{"associated"}})
	}
	return out
}

// routeState is "blackhole" for a route whose target is gone.
func (s *service) routeState(r vpc.Route) string {
	if r.NATGateway != "" && !slices.ContainsFunc(s.n.NATGateways(), func(g vpc.NATGateway) bool { return g.ID == r.NATGateway }) ||
		r.EgressGateway != "" && !slices.ContainsFunc(s.n.EgressGateways(), func(g vpc.EgressGateway) bool { return g.ID == r.EgressGateway }) ||
		r.Gateway != "" && r.Gateway != "local" && !slices.ContainsFunc(s.n.Gateways(), func(g vpc.Gateway) bool { return g.ID == r.Gateway && g.VPC != "" }) {
		return "blackhole"
	}
	return "active"
}
