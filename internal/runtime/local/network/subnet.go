package network

import (
	"errors"
	"fmt"
	"net/netip"

	"github.com/vishvananda/netlink"
)

// subnetBits is the size of an instance's subnet: as that of a subnet of AWS's
// default VPC.
const subnetBits = 20

// candidates are the subnets to choose from: those of the default VPC first.
func candidates() []netip.Prefix {
	var out []netip.Prefix
	for _, vpc := range []string{"172.31.0.0/16", "10.31.0.0/16", "10.131.0.0/16", "10.231.0.0/16"} {
		base := netip.MustParsePrefix(vpc).Addr().As4()
		for third := 0; third < 256; third += 1 << (24 - subnetBits) {
			base[2] = byte(third)
			out = append(out, netip.PrefixFrom(netip.AddrFrom4(base), subnetBits))
		}
	}
	return out
}

// freeSubnet gives the first candidate that touches none of the taken ones.
func freeSubnet(taken []netip.Prefix) (netip.Prefix, error) {
next:
	for _, c := range candidates() {
		for _, t := range taken {
			if c.Overlaps(t) {
				continue next
			}
		}
		return c, nil
	}
	return netip.Prefix{}, errors.New("choose subnet: every candidate (172.31.0.0/16, 10.31.0.0/16 and others) overlaps a route of this machine")
}

// routed lists the IPv4 networks that the machine knows a way to, without the
// default route.
func routed() ([]netip.Prefix, error) {
	routes, err := netlink.RouteListFiltered(netlink.FAMILY_V4, &netlink.Route{}, netlink.RT_FILTER_TABLE)
	if err != nil {
		return nil, fmt.Errorf("list routes: %w", err)
	}
	var out []netip.Prefix
	for _, r := range routes {
		if r.Dst == nil {
			continue
		}
		addr, ok := netip.AddrFromSlice(r.Dst.IP.To4())
		ones, _ := r.Dst.Mask.Size()
		if ok && ones > 0 {
			out = append(out, netip.PrefixFrom(addr, ones))
		}
	}
	return out, nil
}

// pool hands out the addresses of a subnet in turn, so that one just released
// is not used again soon. The first is the gateway's. Not for concurrent use.
type pool struct {
	subnet netip.Prefix
	last   netip.Addr
	used   map[netip.Addr]bool
}

func newPool(subnet netip.Prefix, last netip.Addr) *pool {
	if !subnet.Contains(last) {
		last = subnet.Addr().Next()
	}
	return &pool{subnet: subnet, last: last, used: map[netip.Addr]bool{}}
}

func (p *pool) gateway() netip.Addr { return p.subnet.Addr().Next() }

// usable says whether a task may have the address: neither the network's own,
// nor the gateway's, nor the broadcast address.
func (p *pool) usable(a netip.Addr) bool {
	return p.subnet.Contains(a) && p.subnet.Contains(a.Next()) && p.gateway().Less(a) && !p.used[a]
}

func (p *pool) take() (netip.Addr, error) {
	a := p.last
	for range 1 << (32 - p.subnet.Bits()) {
		if a = a.Next(); !p.subnet.Contains(a) {
			a = p.subnet.Addr()
		}
		if p.usable(a) {
			p.used[a], p.last = true, a
			return a, nil
		}
	}
	return netip.Addr{}, fmt.Errorf("take address: all of %s are in use", p.subnet)
}
