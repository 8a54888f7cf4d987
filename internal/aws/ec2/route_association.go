package ec2

import "context"

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
