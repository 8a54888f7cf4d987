package ec2

import (
	"context"

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
