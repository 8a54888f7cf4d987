package vpc

import (
	"context"
	"net/netip"
	"slices"
	"strings"

	"neargate/internal/model"
)

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
