package vpc

import (
	"context"
	"slices"

	"neargate/internal/model"
)

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
