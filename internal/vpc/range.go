package vpc

import (
	"net/netip"
	"slices"

	"neargate/internal/model"
)

// Ranges returns those of the subnets that tasks may have addresses of, with the
// addresses in them that gateways have. The default VPC's are left out: its tasks
// are in the server's own network, which it is made of.
func (n *Networks) Ranges(subnets []string) []model.Subnet {
	var out []model.Subnet
	for _, id := range subnets {
		s, ok := n.subnets.Get(id)
		p, err := netip.ParsePrefix(s.CIDR)
		if !ok || err != nil || s.VPC == n.home.vpc {
			continue
		}
		one := model.Subnet{ID: id, CIDR: p}
		for _, g := range n.natGateways.List("") {
			if a, err := netip.ParseAddr(g.PrivateIP); err == nil && g.Subnet == id {
				one.Reserved = append(one.Reserved, a)
			}
		}
		out = append(out, one)
	}
	return out
}

// SubnetAt returns the one of the subnets that an address is of, or else the
// first of them.
func (n *Networks) SubnetAt(a netip.Addr, subnets []string) string {
	i := slices.IndexFunc(subnets, func(id string) bool {
		s, _ := n.subnets.Get(id)
		p, err := netip.ParsePrefix(s.CIDR)
		return err == nil && p.Contains(a)
	})
	if i < 0 && len(subnets) == 0 {
		return ""
	}
	return subnets[max(i, 0)]
}

// Holds reports whether an address is of a VPC's range, and of a subnet of the
// VPC. All of the default VPC counts as its subnets: tasks are anywhere in it.
func (n *Networks) Holds(vpcID string, a netip.Addr) (within, placed bool) {
	holds := func(p netip.Prefix) bool { return p.Contains(a) }
	v, ok := n.vpcs.Get(vpcID)
	if !ok || !slices.ContainsFunc(cidrs(v.CIDRs), holds) {
		return false, false
	}
	return true, v.Default || slices.ContainsFunc(n.subnets.List(""), func(s Subnet) bool {
		return s.VPC == vpcID && slices.ContainsFunc(cidrs([]Block{{CIDR: s.CIDR}}), holds)
	})
}
