package vpc

import (
	"context"
	"slices"

	"neargate/internal/model"
)

// belongings are the IDs of what every VPC has from its beginning to its end.
type belongings struct {
	group, routeTable, mainAssociation, acl string
}

// furnish gives a new VPC its default security group, main route table and
// default network ACL. The VPC's own range is added to the table by localRoutes.
func (c *change) furnish(vpc string, b belongings) {
	if g, ok := c.groups.Get(b.group); !ok || g.VPC == "" { // the default VPC's may be older than its record
		g = Group{ID: b.group, VPC: vpc, Name: "default", Description: "default VPC security group", Rules: g.Rules}
		if !ok {
			g.Rules = []Rule{{ID: newID("sgr"), Protocol: "-1", From: -1, To: -1, Peer: Peer{Group: b.group}}, allowAllOut()}
		}
		c.groups.Put(g.ID, g)
	}
	c.routeTables.Put(b.routeTable, RouteTable{ID: b.routeTable, VPC: vpc, Associations: []Association{{ID: b.mainAssociation, Main: true}}})
	c.acls.Put(b.acl, ACL{ID: b.acl, VPC: vpc, Default: true, Entries: slices.Concat(closing(), []ACLEntry{
		{Number: 100, Protocol: "-1", Action: "allow", CIDR: "0.0.0.0/0", Egress: true},
		{Number: 100, Protocol: "-1", Action: "allow", CIDR: "0.0.0.0/0"},
	})})
}

// CreateVPC makes a VPC with its default group, table and ACL. Errors:
// InvalidVpc.Range, InvalidParameterValue, VpcLimitExceeded.
func (n *Networks) CreateVPC(ctx context.Context, cidr, tenancy string, ipv6 bool, tags []model.Tag) (v VPC, err error) {
	p, err := block("cidrBlock", cidr)
	switch {
	case err != nil:
		return v, err
	case p.Bits() < 16 || p.Bits() > 28:
		return v, model.Errorf(model.Invalid, "InvalidVpc.Range", "The CIDR '%s' is invalid.", cidr)
	case tenancy != "" && tenancy != "default" && tenancy != "dedicated":
		return v, invalid("Value (%.80s) for parameter instanceTenancy is invalid.", tenancy)
	case tenancy == "":
		tenancy = "default"
	}
	v = VPC{ID: newID("vpc"), CIDRs: []Block{{newID("vpc-cidr-assoc"), p.String()}}, Tenancy: tenancy, DHCPOptions: n.home.dhcp, DNSSupport: true}
	if ipv6 {
		v.IPv6CIDRs = []Block{{newID("vpc-cidr-assoc"), ipv6Block(v.ID)}}
	}
	err = n.enforced(ctx, func(c *change) error {
		if err := limit(len(c.vpcs.List("")), "VpcLimitExceeded", "VPCs"); err != nil {
			return err
		}
		c.vpcs.Put(v.ID, v)
		c.furnish(v.ID, belongings{newID("sg"), newID("rtb"), newID("rtbassoc"), newID("acl")})
		c.tag(v.ID, tags)
		return nil
	})
	return v, err
}

// ChangeVPC changes a VPC's attributes. Errors: InvalidVpcID.NotFound,
// InvalidDhcpOptionID.NotFound, what fn returns.
func (n *Networks) ChangeVPC(ctx context.Context, id string, fn func(v *VPC) error) error {
	return n.update(ctx, func(c *change) error {
		v, err := find(c.vpcs, KindVPC, id)
		if err != nil {
			return err
		}
		if err := fn(&v); err != nil {
			return err
		}
		if _, err := find(c.dhcpOptions, KindDHCPOptions, v.DHCPOptions); err != nil {
			return err
		}
		c.vpcs.Put(id, v)
		return nil
	})
}

// DefaultDHCPOptions returns the ID of the options that every VPC has at first.
func (n *Networks) DefaultDHCPOptions() string { return n.home.dhcp }

// DeleteVPC removes a VPC that nothing is in any more, with what it had from its
// beginning. Errors: InvalidVpcID.NotFound, DependencyViolation,
// OperationNotPermitted.
func (n *Networks) DeleteVPC(ctx context.Context, id string) error {
	return n.enforced(ctx, func(c *change) error {
		v, err := find(c.vpcs, KindVPC, id)
		if err != nil {
			return err
		}
		if v.Default {
			return conflict("OperationNotPermitted", "The default VPC %s is the network of this server's tasks and cannot be deleted.", id)
		}
		if c.occupied(id) {
			return dependent("vpc", id)
		}
		c.empty(id)
		c.vpcs.Delete(id)
		c.tag(id, nil)
		return nil
	})
}

// occupied reports whether a VPC has more in it than what it had at first.
func (c *change) occupied(vpc string) bool {
	return slices.ContainsFunc(c.subnets.List(""), func(s Subnet) bool { return s.VPC == vpc }) ||
		slices.ContainsFunc(c.gateways.List(""), func(g Gateway) bool { return g.VPC == vpc }) ||
		slices.ContainsFunc(c.egressGateways.List(""), func(g EgressGateway) bool { return g.VPC == vpc }) ||
		slices.ContainsFunc(c.natGateways.List(""), func(g NATGateway) bool { return g.VPC == vpc }) ||
		slices.ContainsFunc(c.endpoints.List(""), func(e Endpoint) bool { return e.VPC == vpc }) ||
		slices.ContainsFunc(c.routeTables.List(""), func(r RouteTable) bool { return r.VPC == vpc && !r.Main() }) ||
		slices.ContainsFunc(c.acls.List(""), func(a ACL) bool { return a.VPC == vpc && !a.Default }) ||
		slices.ContainsFunc(c.groups.List(""), func(g Group) bool { return g.VPC == vpc && (g.Name != "default" || c.usesGroup(g.ID)) })
}

// empty removes what a VPC had from its beginning.
func (c *change) empty(vpc string) {
	for _, r := range c.routeTables.List("") {
		if r.VPC == vpc {
			c.routeTables.Delete(r.ID)
			c.tag(r.ID, nil)
		}
	}
	for _, a := range c.acls.List("") {
		if a.VPC == vpc {
			c.acls.Delete(a.ID)
			c.tag(a.ID, nil)
		}
	}
	for _, g := range c.groups.List("") {
		if g.VPC == vpc {
			c.removeGroup(g)
		}
	}
}
