package vpc

import (
	"context"
	"net/netip"
	"slices"

	"neargate/internal/model"
)

// Main reports whether a table is its VPC's main one.
func (r RouteTable) Main() bool {
	return slices.ContainsFunc(r.Associations, func(a Association) bool { return a.Main })
}

// AllRoutes returns a table's routes, those within its VPC first.
func (n *Networks) AllRoutes(r RouteTable) []Route {
	v, _ := n.vpcs.Get(r.VPC)
	return append(v.local(), r.Routes...)
}

// local returns the routes that every table of the VPC has.
func (v VPC) local() []Route {
	var out []Route
	for _, b := range v.CIDRs {
		out = append(out, Route{CIDR: b.CIDR, Gateway: "local", Origin: "CreateRouteTable"})
	}
	for _, b := range v.IPv6CIDRs {
		out = append(out, Route{IPv6CIDR: b.CIDR, Gateway: "local", Origin: "CreateRouteTable"})
	}
	return out
}

// CreateRouteTable makes a route table. Errors: InvalidVpcID.NotFound,
// RouteTableLimitExceeded.
func (n *Networks) CreateRouteTable(ctx context.Context, vpc string, tags []model.Tag) (r RouteTable, err error) {
	r = RouteTable{ID: newID("rtb"), VPC: vpc}
	err = n.update(ctx, func(c *change) error {
		if _, err := find(c.vpcs, KindVPC, vpc); err != nil {
			return err
		}
		if err := limit(len(c.routeTables.List("")), "RouteTableLimitExceeded", "route tables"); err != nil {
			return err
		}
		c.routeTables.Put(r.ID, r)
		c.tag(r.ID, tags)
		return nil
	})
	return r, err
}

// DeleteRouteTable removes a route table that holds for nothing. Errors:
// InvalidRouteTableID.NotFound, DependencyViolation.
func (n *Networks) DeleteRouteTable(ctx context.Context, id string) error {
	return n.update(ctx, func(c *change) error {
		r, err := find(c.routeTables, KindRouteTable, id)
		if err != nil {
			return err
		}
		if len(r.Associations) > 0 {
			return dependent("routeTable", id)
		}
		c.routeTables.Delete(id)
		c.tag(id, nil)
		return nil
	})
}

// route adds or replaces a route of a table.
func (c *change) route(table string, route Route) {
	r, _ := c.routeTables.Get(table)
	r.Routes = slices.DeleteFunc(slices.Clone(r.Routes), func(o Route) bool { return o.Destination() == route.Destination() })
	r.Routes = append(r.Routes, route)
	c.routeTables.Put(table, r)
}

// CreateRoute adds a route to a table. Errors: InvalidRouteTableID.NotFound,
// RouteAlreadyExists, InvalidParameterValue, the targets' NotFound codes.
func (n *Networks) CreateRoute(ctx context.Context, table string, route Route) error {
	return n.putRoute(ctx, table, route, func(exists bool) error {
		if exists {
			return conflict("RouteAlreadyExists", "The route identified by %s already exists.", route.Destination())
		}
		return nil
	})
}

// ReplaceRoute changes the target of a table's route. Errors:
// InvalidRouteTableID.NotFound, InvalidParameterValue, the targets' NotFound
// codes.
func (n *Networks) ReplaceRoute(ctx context.Context, table string, route Route) error {
	return n.putRoute(ctx, table, route, func(exists bool) error {
		if !exists {
			return invalid("There is no route defined for '%s' in the route table. Use CreateRoute instead.", route.Destination())
		}
		return nil
	})
}

func (n *Networks) putRoute(ctx context.Context, table string, route Route, may func(exists bool) error) error {
	if err := route.check(); err != nil {
		return err
	}
	route.Origin = "CreateRoute"
	return n.update(ctx, func(c *change) error {
		r, err := find(c.routeTables, KindRouteTable, table)
		if err != nil {
			return err
		}
		if err := c.checkTarget(r, route); err != nil {
			return err
		}
		v, _ := c.vpcs.Get(r.VPC)
		if p, err := netip.ParsePrefix(route.CIDR); err == nil && within(p, cidrs(v.CIDRs)) {
			return invalid("The destination CIDR block %s is equal to or more specific than one of this VPC's CIDR blocks. This route can target only an interface or an instance.", route.CIDR)
		}
		if err := may(slices.ContainsFunc(r.Routes, func(o Route) bool { return o.Destination() == route.Destination() })); err != nil {
			return err
		}
		c.route(table, route)
		return nil
	})
}

// check wants one destination and one target.
func (r *Route) check() error {
	for _, cidr := range []*string{&r.CIDR, &r.IPv6CIDR} {
		if *cidr == "" {
			continue
		}
		p, err := netip.ParsePrefix(*cidr)
		if err != nil || p.Addr().Is4() != (cidr == &r.CIDR) {
			return invalid("Value (%.80s) for parameter destinationCidrBlock is invalid. This is not a valid CIDR block.", *cidr)
		}
		*cidr = p.Masked().String()
	}
	given := func(all ...string) (n int) {
		for _, s := range all {
			if s != "" {
				n++
			}
		}
		return n
	}
	if given(r.CIDR, r.IPv6CIDR, r.PrefixList) != 1 {
		return model.Errorf(model.Invalid, "MissingParameter", "The request must contain exactly one of destinationCidrBlock, destinationIpv6CidrBlock, destinationPrefixListId")
	}
	if given(r.Gateway, r.NATGateway, r.EgressGateway, r.Interface, r.Endpoint) != 1 {
		return model.Errorf(model.Invalid, "MissingParameter",
			"The request must contain exactly one of gatewayId, natGatewayId, networkInterfaceId, vpcPeeringConnectionId, egressOnlyInternetGatewayId, transitGatewayId, localGatewayId, carrierGatewayId")
	}
	return nil
}

// checkTarget wants a route's target to exist in the table's VPC.
func (c *change) checkTarget(table RouteTable, r Route) (err error) {
	vpc := table.VPC
	switch {
	case r.NATGateway != "":
		var g NATGateway
		g, err = find(c.natGateways, KindNATGateway, r.NATGateway)
		vpc = g.VPC
	case r.EgressGateway != "":
		var g EgressGateway
		g, err = find(c.egressGateways, KindEgressGateway, r.EgressGateway)
		vpc = g.VPC
	case r.Endpoint != "":
		var e Endpoint
		e, err = find(c.endpoints, KindEndpoint, r.Endpoint)
		vpc = e.VPC
	case r.Interface != "":
		if !slices.ContainsFunc(c.inUse, func(i Interface) bool { return i.ID == r.Interface }) {
			err = KindInterface.Missing(r.Interface)
		}
	default:
		var g Gateway
		g, err = find(c.gateways, KindGateway, r.Gateway)
		vpc = g.VPC
	}
	if err == nil && vpc != table.VPC {
		return invalid("route table %s and network gateway %s belong to different networks", table.ID, r.Gateway+r.NATGateway+r.EgressGateway+r.Endpoint)
	}
	return err
}

// DeleteRoute removes a route. Errors: InvalidRouteTableID.NotFound,
// InvalidRoute.NotFound, InvalidParameterValue.
func (n *Networks) DeleteRoute(ctx context.Context, table, destination string) error {
	return n.update(ctx, func(c *change) error {
		r, err := find(c.routeTables, KindRouteTable, table)
		if err != nil {
			return err
		}
		same := func(o Route) bool { return o.Destination() == destination }
		v, _ := c.vpcs.Get(r.VPC)
		if slices.ContainsFunc(v.local(), same) {
			return invalid("cannot remove local route %s in route table %s", destination, table)
		}
		left := slices.DeleteFunc(slices.Clone(r.Routes), same)
		if len(left) == len(r.Routes) {
			return model.Errorf(model.NotFound, "InvalidRoute.NotFound", "no route with destination-cidr-block %.80s in route table %s", destination, table)
		}
		r.Routes = left
		c.routeTables.Put(table, r)
		return nil
	})
}

// AssociateRouteTable lets a table hold for a subnet or an internet gateway.
// Errors: InvalidRouteTableID.NotFound, InvalidSubnetID.NotFound,
// InvalidInternetGatewayID.NotFound, Resource.AlreadyAssociated,
// InvalidParameterValue.
func (n *Networks) AssociateRouteTable(ctx context.Context, table, subnet, gateway string) (id string, err error) {
	a := Association{ID: newID("rtbassoc"), Subnet: subnet, Gateway: gateway}
	err = n.update(ctx, func(c *change) error {
		r, err := find(c.routeTables, KindRouteTable, table)
		if err != nil {
			return err
		}
		var vpc string
		if gateway != "" {
			var g Gateway
			g, err = find(c.gateways, KindGateway, gateway)
			vpc = g.VPC
		} else {
			var s Subnet
			s, err = find(c.subnets, KindSubnet, subnet)
			vpc = s.VPC
		}
		if err != nil {
			return err
		}
		if vpc != r.VPC {
			return invalid("route table %s and network %s belong to different networks", table, subnet+gateway)
		}
		for _, o := range c.routeTables.List("") {
			for _, have := range o.Associations {
				if have.Main || have.Subnet != subnet || have.Gateway != gateway {
					continue
				}
				if o.ID == table { // asked for again
					a.ID = have.ID
					return nil
				}
				return conflict("Resource.AlreadyAssociated", "the specified association for route table %s conflicts with an existing association", table)
			}
		}
		r.Associations = append(slices.Clone(r.Associations), a)
		c.routeTables.Put(table, r)
		return nil
	})
	return a.ID, err
}

// DisassociateRouteTable ends an association. Errors:
// InvalidAssociationID.NotFound, InvalidParameterValue.
func (n *Networks) DisassociateRouteTable(ctx context.Context, id string) error {
	return n.update(ctx, func(c *change) error {
		r, a, err := c.takeAssociation(id)
		if err != nil {
			return err
		}
		if a.Main {
			return invalid("cannot disassociate the main route table association %s", id)
		}
		c.routeTables.Put(r.ID, r)
		return nil
	})
}

// takeAssociation returns the table with an association, without it, and the
// association.
func (c *change) takeAssociation(id string) (RouteTable, Association, error) {
	for _, r := range c.routeTables.List("") {
		if i := slices.IndexFunc(r.Associations, func(a Association) bool { return a.ID == id }); i >= 0 {
			a := r.Associations[i]
			r.Associations = slices.Delete(slices.Clone(r.Associations), i, i+1)
			return r, a, nil
		}
	}
	return RouteTable{}, Association{}, model.Errorf(model.NotFound, "InvalidAssociationID.NotFound", "The association ID '%.80s' does not exist", id)
}

// ReplaceAssociation lets another table hold for what an association names, also
// as the main one. Errors: InvalidAssociationID.NotFound,
// InvalidRouteTableID.NotFound, InvalidParameterValue.
func (n *Networks) ReplaceAssociation(ctx context.Context, id, table string) (a Association, err error) {
	err = n.update(ctx, func(c *change) error {
		from, have, err := c.takeAssociation(id)
		if err != nil {
			return err
		}
		to, err := find(c.routeTables, KindRouteTable, table)
		if err != nil {
			return err
		}
		if from.VPC != to.VPC {
			return invalid("route table %s and network %s belong to different networks", table, from.VPC)
		}
		if from.ID == to.ID {
			to = from
		}
		a = have
		a.ID = newID("rtbassoc")
		c.routeTables.Put(from.ID, from)
		to.Associations = append(slices.Clone(to.Associations), a)
		c.routeTables.Put(to.ID, to)
		return nil
	})
	return a, err
}
