package vpc

import (
	"context"
	"net/netip"
	"slices"
	"strings"

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

// ipv6Block is a /56 of the range for unique local addresses that follows from
// an ID.
func ipv6Block(id string) string {
	hex := id[strings.LastIndex(id, "-")+1:]
	return "fd" + hex[:2] + ":" + hex[2:6] + ":" + hex[6:10] + ":" + hex[10:12] + "00::/56"
}

// block reads a network and wants its host bits to be zero or cuts them, as EC2
// does.
func block(parameter, text string) (netip.Prefix, error) {
	p, err := netip.ParsePrefix(text)
	if err != nil || !p.Addr().Is4() {
		return p, invalid("Value (%.80s) for parameter %s is invalid. This is not a valid CIDR block.", text, parameter)
	}
	return p.Masked(), nil
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

// AssociateCIDR gives a VPC another range, with cidr "" one of IPv6. Errors:
// InvalidVpcID.NotFound, InvalidVpc.Range, InvalidParameterValue.
func (n *Networks) AssociateCIDR(ctx context.Context, vpc, cidr string) (b Block, err error) {
	b = Block{newID("vpc-cidr-assoc"), cidr}
	err = n.ChangeVPC(ctx, vpc, func(v *VPC) error {
		if cidr == "" {
			if len(v.IPv6CIDRs) > 0 {
				return invalid("The vpc %s already has an IPv6 CIDR block.", vpc)
			}
			b.CIDR = ipv6Block(v.ID)
			v.IPv6CIDRs = append(v.IPv6CIDRs, b)
			return nil
		}
		p, err := block("cidrBlock", cidr)
		if err != nil {
			return err
		}
		if p.Bits() < 16 || p.Bits() > 28 || v.Default {
			return model.Errorf(model.Invalid, "InvalidVpc.Range", "The CIDR '%s' is invalid.", cidr)
		}
		if overlaps(p, cidrs(v.CIDRs)) {
			return conflict("InvalidVpc.Conflict", "The CIDR '%s' conflicts with another block of the VPC.", cidr)
		}
		b.CIDR = p.String()
		v.CIDRs = append(v.CIDRs, b)
		return nil
	})
	return b, err
}

// DisassociateCIDR takes a range from the VPC that has it. Errors:
// InvalidVpcCidrBlockAssociationID.NotFound, OperationNotPermitted,
// InvalidCidrBlock.InUse.
func (n *Networks) DisassociateCIDR(ctx context.Context, id string) (vpc string, b Block, err error) {
	err = n.update(ctx, func(c *change) error {
		for _, v := range c.vpcs.List("") {
			i := slices.IndexFunc(v.CIDRs, func(b Block) bool { return b.ID == id })
			j := slices.IndexFunc(v.IPv6CIDRs, func(b Block) bool { return b.ID == id })
			switch {
			case i == 0:
				return conflict("OperationNotPermitted", "The vpc CIDR block with association ID %s may not be disassociated. It is the primary IPv4 CIDR block of the VPC", id)
			case i > 0:
				b = v.CIDRs[i]
				v.CIDRs = slices.Delete(slices.Clone(v.CIDRs), i, i+1)
			case j >= 0:
				b = v.IPv6CIDRs[j]
				v.IPv6CIDRs = slices.Delete(slices.Clone(v.IPv6CIDRs), j, j+1)
			default:
				continue
			}
			if c.hasSubnetIn(v.ID, b.CIDR) {
				return conflict("InvalidCidrBlock.InUse", "The vpc %s currently has a subnet within CIDR block %s", v.ID, b.CIDR)
			}
			vpc = v.ID
			c.vpcs.Put(v.ID, v)
			return nil
		}
		return model.Errorf(model.NotFound, "InvalidVpcCidrBlockAssociationID.NotFound", "The vpc CIDR block association ID '%.80s' does not exist", id)
	})
	return vpc, b, err
}

func (c *change) hasSubnetIn(vpc, cidr string) bool {
	p, _ := netip.ParsePrefix(cidr)
	return slices.ContainsFunc(c.subnets.List(""), func(s Subnet) bool {
		return s.VPC == vpc && overlaps(p, append(cidrs(s.IPv6CIDRs), cidrs([]Block{{CIDR: s.CIDR}})...))
	})
}

func cidrs(blocks []Block) []netip.Prefix {
	var out []netip.Prefix
	for _, b := range blocks {
		if p, err := netip.ParsePrefix(b.CIDR); err == nil {
			out = append(out, p)
		}
	}
	return out
}

func overlaps(p netip.Prefix, others []netip.Prefix) bool {
	return slices.ContainsFunc(others, p.Overlaps)
}

func within(p netip.Prefix, others []netip.Prefix) bool {
	return slices.ContainsFunc(others, func(o netip.Prefix) bool { return o.Bits() <= p.Bits() && o.Contains(p.Addr()) })
}

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
