package vpc

import (
	"context"
	"net/netip"
	"slices"
	"strings"

	"neargate/internal/model"
)

// NewSubnet asks for a subnet. Zone, its name or ID, may be "".
type NewSubnet struct {
	VPC, CIDR, IPv6CIDR, Zone string

	Tags []model.Tag
}

// CreateSubnet makes a subnet. Errors: InvalidVpcID.NotFound,
// InvalidParameterValue, InvalidSubnet.Range, InvalidSubnet.Conflict,
// SubnetLimitExceeded.
func (n *Networks) CreateSubnet(ctx context.Context, req NewSubnet) (s Subnet, err error) {
	p, err := block("cidrBlock", req.CIDR)
	if err != nil {
		return s, err
	}
	zone, err := n.zone(req.Zone)
	if err != nil {
		return s, err
	}
	s = Subnet{ID: newID("subnet"), VPC: req.VPC, CIDR: p.String(), Zone: zone.Name, ZoneID: zone.ID, HostnameType: "ip-name", ACLAssociation: newID("aclassoc")}
	if req.IPv6CIDR != "" {
		s.IPv6CIDRs = []Block{{newID("subnet-cidr-assoc"), req.IPv6CIDR}}
	}
	err = n.update(ctx, func(c *change) error {
		v, err := find(c.vpcs, KindVPC, req.VPC)
		if err != nil {
			return err
		}
		if err := c.checkSubnet(v, p, req); err != nil {
			return err
		}
		for _, a := range c.acls.List("") {
			if a.VPC == v.ID && a.Default {
				s.ACL = a.ID
			}
		}
		c.subnets.Put(s.ID, s)
		c.tag(s.ID, req.Tags)
		return nil
	})
	return s, err
}

func (c *change) checkSubnet(v VPC, p netip.Prefix, req NewSubnet) error {
	if p.Bits() < 16 || p.Bits() > 28 || !within(p, cidrs(v.CIDRs)) {
		return model.Errorf(model.Invalid, "InvalidSubnet.Range", "The CIDR '%s' is invalid.", req.CIDR)
	}
	var others []netip.Prefix
	for _, s := range c.subnets.List("") {
		if s.VPC == v.ID {
			others = append(others, cidrs(append([]Block{{CIDR: s.CIDR}}, s.IPv6CIDRs...))...)
		}
	}
	if overlaps(p, others) {
		return conflict("InvalidSubnet.Conflict", "The CIDR '%s' conflicts with another subnet", req.CIDR)
	}
	if req.IPv6CIDR != "" {
		six, err := netip.ParsePrefix(req.IPv6CIDR)
		if err != nil || six.Addr().Is4() || six.Bits() != 64 || !within(six, cidrs(v.IPv6CIDRs)) {
			return model.Errorf(model.Invalid, "InvalidSubnet.Range", "The CIDR '%.80s' is invalid.", req.IPv6CIDR)
		}
		if overlaps(six, others) {
			return conflict("InvalidSubnet.Conflict", "The CIDR '%s' conflicts with another subnet", req.IPv6CIDR)
		}
	}
	return limit(len(others), "SubnetLimitExceeded", "subnets")
}

// zone returns a zone by its name or ID, the first for "".
func (n *Networks) zone(text string) (Zone, error) {
	var names []string
	for _, z := range n.home.zones {
		if text == "" || text == z.Name || text == z.ID {
			return z, nil
		}
		names = append(names, z.Name)
	}
	return Zone{}, invalid("Value (%.80s) for parameter availabilityZone is invalid. Subnets can currently only be created in the following availability zones: %s.",
		text, strings.Join(names, ", "))
}

// ChangeSubnet changes a subnet's attributes. Errors: InvalidSubnetID.NotFound,
// what fn returns.
func (n *Networks) ChangeSubnet(ctx context.Context, id string, fn func(s *Subnet) error) error {
	return n.update(ctx, func(c *change) error {
		s, err := find(c.subnets, KindSubnet, id)
		if err != nil {
			return err
		}
		if err := fn(&s); err != nil {
			return err
		}
		c.subnets.Put(id, s)
		return nil
	})
}

// DeleteSubnet removes a subnet that nothing is in. Errors:
// InvalidSubnetID.NotFound, DependencyViolation, OperationNotPermitted.
func (n *Networks) DeleteSubnet(ctx context.Context, id string) error {
	return n.update(ctx, func(c *change) error {
		s, err := find(c.subnets, KindSubnet, id)
		if err != nil {
			return err
		}
		if s.Default {
			return conflict("OperationNotPermitted", "The default subnet %s is of the network of this server's tasks and cannot be deleted.", id)
		}
		if slices.ContainsFunc(c.inUse, func(i Interface) bool { return i.Subnet == id }) ||
			slices.ContainsFunc(c.natGateways.List(""), func(g NATGateway) bool { return g.Subnet == id }) ||
			slices.ContainsFunc(c.endpoints.List(""), func(e Endpoint) bool { return slices.Contains(e.Subnets, id) }) {
			return dependent("subnet", id)
		}
		for _, r := range c.routeTables.List("") {
			left := slices.DeleteFunc(slices.Clone(r.Associations), func(a Association) bool { return a.Subnet == id })
			if len(left) != len(r.Associations) {
				r.Associations = left
				c.routeTables.Put(r.ID, r)
			}
		}
		c.subnets.Delete(id)
		c.tag(id, nil)
		return nil
	})
}
