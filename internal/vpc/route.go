package vpc

import (
	"context"
	"net/netip"
	"slices"

	"neargate/internal/model"
)

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
