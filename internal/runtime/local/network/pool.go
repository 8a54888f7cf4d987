package network

import (
	"fmt"
	"net/netip"
	"slices"
)

// pool hands out the addresses of a network in turn, so that one just released
// is not used again soon. Not for concurrent use.
type pool struct {
	network netip.Prefix
	first   netip.Addr // what comes before it is nobody's to have
	last    netip.Addr // given out last
	used    map[netip.Addr]bool
}

// newPool returns the pool of an instance's own network, of which the first
// address is the gateway's.
func newPool(network netip.Prefix, last netip.Addr) *pool {
	gateway := network.Addr().Next()
	if !network.Contains(last) {
		last = gateway
	}
	return &pool{network: network, first: gateway.Next(), last: last, used: map[netip.Addr]bool{}}
}

// usable reports whether a member may have the address: it is free, and not the
// broadcast address.
func (p *pool) usable(a netip.Addr) bool {
	return p.network.Contains(a) && p.network.Contains(a.Next()) && !a.Less(p.first) && !p.used[a]
}

// takeKept returns the kept address where that is free, and otherwise the next.
func (p *pool) takeKept(kept netip.Addr, reserved ...netip.Addr) (netip.Addr, error) {
	if !p.usable(kept) || slices.Contains(reserved, kept) {
		return p.take(reserved...)
	}
	p.used[kept] = true
	return kept, nil
}

// take returns the next address that is free and not reserved.
func (p *pool) take(reserved ...netip.Addr) (netip.Addr, error) {
	a := p.last
	for range 1 << (32 - p.network.Bits()) {
		if a = a.Next(); !p.network.Contains(a) {
			a = p.network.Addr()
		}
		if p.usable(a) && !slices.Contains(reserved, a) {
			p.used[a], p.last = true, a
			return a, nil
		}
	}
	return netip.Addr{}, fmt.Errorf("take address: all of %s are in use", p.network)
}
