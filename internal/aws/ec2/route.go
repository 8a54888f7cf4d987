package ec2

import (
	"context"
	"slices"
	"strconv"

	"neargate/internal/aws/wire"
	"neargate/internal/vpc"
)

func (s *service) routeOperations() []wire.Operation {
	return []wire.Operation{
		op("AssociateRouteTable", s.associateRouteTable),
		op("CreateRoute", s.createRoute),
		op("CreateRouteTable", s.createRouteTable),
		op("DeleteRoute", s.deleteRoute),
		op("DeleteRouteTable", s.deleteRouteTable),
		op("DescribeRouteTables", s.describeRouteTables),
		op("DisassociateRouteTable", s.disassociateRouteTable),
		op("ReplaceRoute", s.replaceRoute),
		op("ReplaceRouteTableAssociation", s.replaceRouteTableAssociation),
	}
}

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

type routeInput struct {
	RouteTableID, DestinationCidrBlock, DestinationIpv6CidrBlock, DestinationPrefixListID                  string
	GatewayID, NatGatewayID, EgressOnlyInternetGatewayID, NetworkInterfaceID, VpcEndpointID                string
	InstanceID, TransitGatewayID, VpcPeeringConnectionID, LocalGatewayID, CarrierGatewayID, CoreNetworkArn string

	LocalTarget bool
	DryRun      bool
}

// createRoute: codes MissingParameter, InvalidRouteTableID.NotFound,
// RouteAlreadyExists, InvalidParameterValue, the targets' NotFound codes.
func (s *service) createRoute(ctx context.Context, in *routeInput) (*done, error) {
	if err := s.checkRoute(in); err != nil {
		return nil, err
	}
	return finish(s.n.CreateRoute(ctx, in.RouteTableID, in.route()))
}

// replaceRoute: codes MissingParameter, InvalidRouteTableID.NotFound,
// InvalidParameterValue, the targets' NotFound codes.
func (s *service) replaceRoute(ctx context.Context, in *routeInput) (*done, error) {
	if err := s.checkRoute(in); err != nil {
		return nil, err
	}
	return finish(s.n.ReplaceRoute(ctx, in.RouteTableID, in.route()))
}

func (s *service) checkRoute(in *routeInput) error {
	if err := required("routeTableId", in.RouteTableID); err != nil {
		return err
	}
	if in.DestinationPrefixListID != "" {
		return s.n.CheckPrefixList(in.DestinationPrefixListID)
	}
	return nil
}

func (in *routeInput) route() vpc.Route {
	return vpc.Route{
		CIDR: in.DestinationCidrBlock, IPv6CIDR: in.DestinationIpv6CidrBlock, PrefixList: in.DestinationPrefixListID,
		Gateway: in.GatewayID, NATGateway: in.NatGatewayID, EgressGateway: in.EgressOnlyInternetGatewayID,
		Interface: in.NetworkInterfaceID, Endpoint: in.VpcEndpointID,
	}
}

type deleteRouteInput struct {
	RouteTableID, DestinationCidrBlock, DestinationIpv6CidrBlock, DestinationPrefixListID string

	DryRun bool
}

// deleteRoute: codes MissingParameter, InvalidRouteTableID.NotFound,
// InvalidRoute.NotFound, InvalidParameterValue.
func (s *service) deleteRoute(ctx context.Context, in *deleteRouteInput) (*done, error) {
	to := in.DestinationCidrBlock + in.DestinationIpv6CidrBlock + in.DestinationPrefixListID
	if err := required("routeTableId", in.RouteTableID, "destinationCidrBlock", to); err != nil {
		return nil, err
	}
	return finish(s.n.DeleteRoute(ctx, in.RouteTableID, to))
}

type associateRouteTableInput struct {
	RouteTableID, SubnetID, GatewayID, PublicIpv4Pool string

	DryRun bool
}

type associateRouteTableOutput struct {
	AssociationID    string
	AssociationState state
}

// associateRouteTable: codes MissingParameter, InvalidRouteTableID.NotFound,
// InvalidSubnetID.NotFound, InvalidInternetGatewayID.NotFound,
// Resource.AlreadyAssociated, InvalidParameterValue.
func (s *service) associateRouteTable(ctx context.Context, in *associateRouteTableInput) (*associateRouteTableOutput, error) {
	if err := required("routeTableId", in.RouteTableID, "subnetId", in.SubnetID+in.GatewayID); err != nil {
		return nil, err
	}
	id, err := s.n.AssociateRouteTable(ctx, in.RouteTableID, in.SubnetID, in.GatewayID)
	if err != nil {
		return nil, err
	}
	return &associateRouteTableOutput{id, state{"associated"}}, nil
}

type disassociateRouteTableInput struct {
	AssociationID string
	DryRun        bool
}

// disassociateRouteTable: codes MissingParameter, InvalidAssociationID.NotFound,
// InvalidParameterValue.
func (s *service) disassociateRouteTable(ctx context.Context, in *disassociateRouteTableInput) (*done, error) {
	if err := required("associationId", in.AssociationID); err != nil {
		return nil, err
	}
	return finish(s.n.DisassociateRouteTable(ctx, in.AssociationID))
}

type replaceRouteTableAssociationInput struct {
	AssociationID, RouteTableID string

	DryRun bool
}

type replaceRouteTableAssociationOutput struct {
	NewAssociationID string
	AssociationState state
}

// replaceRouteTableAssociation: codes MissingParameter,
// InvalidAssociationID.NotFound, InvalidRouteTableID.NotFound,
// InvalidParameterValue.
func (s *service) replaceRouteTableAssociation(ctx context.Context, in *replaceRouteTableAssociationInput) (*replaceRouteTableAssociationOutput, error) {
	if err := required("associationId", in.AssociationID, "routeTableId", in.RouteTableID); err != nil {
		return nil, err
	}
	a, err := s.n.ReplaceAssociation(ctx, in.AssociationID, in.RouteTableID)
	if err != nil {
		return nil, err
	}
	return &replaceRouteTableAssociationOutput{a.ID, state{"associated"}}, nil
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
