package vpc

import (
	"context"
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
