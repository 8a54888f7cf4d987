package network

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"neargate/internal/model"
)

// ErrFull means that none of the subnets that a task may be in has an address
// left.
type ErrFull struct { //nolint:errname // it reads as network.ErrFull
	Subnet string // the first of them
}

// Error names the subnet.
func (e *ErrFull) Error() string { return "take address: all of subnet " + e.Subnet + " are in use" }

// Taken says why tasks do not get the addresses of a subnet.
type Taken struct {
	Subnet model.Subnet
	By     netip.Prefix // overlaps it
	Of     string       // whose that is: a link, or in words
}

// span is the range of a VPC's subnet, while members have addresses of it. The
// machine's way to it is the instance's home link, so that others see that it is
// taken.
type span struct{ *pool }

// AWS keeps the first four addresses of a subnet, beside the last [VPC guide,
// "Subnet sizing"]. The second is the router's.
const firstOfSubnet = 4

// newSpan begins somewhere, as nothing tells where an earlier process has been.
func newSpan(p netip.Prefix) span {
	first := p.Addr()
	for range firstOfSubnet {
		first = first.Next()
	}
	last := first
	for range rand.IntN(1 << (32 - p.Bits())) { //nolint:gosec // no secret
		last = last.Next()
	}
	return span{&pool{network: p, first: first, last: last, used: map[netip.Addr]bool{}}}
}

// Take returns a free address of the first of the subnets that has one, with the
// subnet's ID; it is in use until Release. Where the machine uses one of them for
// something else, or none is named, it is of the instance's own network, and the
// ID is "". Errors: *ErrFull.
func (n *Network) Take(subnets ...model.Subnet) (a netip.Addr, subnet string, err error) {
	if a, subnet, err = n.takeOf(netip.Addr{}, subnets); err == nil {
		n.mu.Lock()
		defer n.mu.Unlock()
		n.nameLocked(a)
	}
	return a, subnet, err
}

// takeOf is Take for any member; it prefers an address that is kept.
func (n *Network) takeOf(kept netip.Addr, subnets []model.Subnet) (a netip.Addr, subnet string, err error) {
	home, full := len(subnets) == 0, ""
	for _, s := range subnets {
		a, free, err := n.takeIn(s, kept)
		switch {
		case err != nil:
			return a, "", err
		case !free:
			home = true
		case a.IsValid():
			return a, s.ID, nil
		case full == "":
			full = s.ID
		}
	}
	if !home {
		return a, "", &ErrFull{full}
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	a, err = n.pool.takeKept(kept)
	return a, "", err
}

// takeIn takes an address of a subnet. free is false where the machine uses it
// for something else; the address is zero where all are in use.
func (n *Network) takeIn(s model.Subnet, kept netip.Addr) (a netip.Addr, free bool, err error) {
	n.mu.Lock()
	if held, ok := n.spans[s.ID]; ok {
		defer n.mu.Unlock()
		return held.takeOr(kept, s.Reserved), true, nil
	}
	n.mu.Unlock()

	if n.cfg.Lock != nil {
		machine, err := n.cfg.Lock() // before ours: it may take a while
		if err != nil {
			return a, false, err
		}
		defer func() { _ = machine.Close() }()
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	held, ok := n.spans[s.ID]
	if !ok {
		if free, err := n.freeLocked(s); err != nil || !free {
			return a, false, err
		}
		if held, err = n.holdLocked(s); err != nil {
			return a, false, err
		}
	}
	return held.takeOr(kept, s.Reserved), true, nil
}

// takeOr returns the zero address where all are in use.
func (s span) takeOr(kept netip.Addr, reserved []netip.Addr) netip.Addr {
	a, err := s.takeKept(kept, reserved...)
	if err != nil {
		return netip.Addr{}
	}
	return a
}

// freeLocked reports whether the machine has no other use for a subnet's range,
// and otherwise says so once.
func (n *Network) freeLocked(s model.Subnet) (bool, error) {
	others, err := n.othersLocked()
	if err != nil {
		return false, err
	}
	other, taken := overlapping(s.CIDR, others)
	if taken && !n.told[s.ID] && n.cfg.OnTaken != nil {
		n.told[s.ID] = true
		n.cfg.OnTaken(Taken{Subnet: s, By: other.to, Of: other.link})
	}
	return !taken, nil
}

// othersLocked lists what a subnet's range may not overlap: the networks that
// the machine has a route to, this instance's own, its name servers, and those
// that it has connections with, which may be far away.
func (n *Network) othersLocked() ([]route, error) {
	others, err := routes(n.cfg.ID)
	if err != nil {
		return nil, err
	}
	others = append(others, route{n.Subnet(), HomeName(n.cfg.ID)})
	for id, s := range n.spans {
		others = append(others, route{s.network, id})
	}
	for _, a := range n.cfg.Resolvers {
		others = append(others, route{netip.PrefixFrom(a, a.BitLen()), "the machine's name server"})
	}
	for _, c := range connections() {
		if !n.Has(c.local) {
			others = append(others, route{netip.PrefixFrom(c.remote, c.remote.BitLen()), "a connection of this machine"})
		}
	}
	return others, nil
}

// holdLocked takes a subnet's range. What lets its members through comes with the
// next change of the filter, which its first member makes.
func (n *Network) holdLocked(s model.Subnet) (span, error) {
	err := netlink.RouteReplace(n.wayTo(s.CIDR))
	if err != nil {
		return span{}, fmt.Errorf("set route to %s: %w", s.CIDR, err)
	}
	held := newSpan(s.CIDR)
	n.spans[s.ID] = held
	n.extentLocked()
	return held, nil
}

// wayTo is the machine's way to a subnet: it swallows what is sent to an address
// that no member has.
func (n *Network) wayTo(p netip.Prefix) *netlink.Route {
	return &netlink.Route{
		LinkIndex: n.home.Attrs().Index, Dst: networkOf(p), Scope: netlink.SCOPE_LINK, Src: n.Gateway().AsSlice(), Protocol: unix.RTPROT_STATIC,
	}
}

// letGoLocked ends the use of a subnet's range.
func (n *Network) letGoLocked(id string) error {
	err := netlink.RouteDel(n.wayTo(n.spans[id].network))
	if errors.Is(err, unix.ESRCH) {
		err = nil
	}
	delete(n.spans, id)
	n.extentLocked()
	if n.governed {
		err = errors.Join(err, n.renderLocked())
	}
	if err != nil {
		return fmt.Errorf("let go of subnet %s: %w", id, err)
	}
	return nil
}

// extentLocked notes which networks members are in, for Has and for the filter.
func (n *Network) extentLocked() {
	all := []netip.Prefix{n.Subnet()}
	for _, s := range n.spans {
		all = append(all, s.network)
	}
	slices.SortFunc(all[1:], netip.Prefix.Compare)
	n.extent.Store(&all)
	n.rendered = nil
}

// Has reports whether an address is of a network that members are in.
func (n *Network) Has(a netip.Addr) bool {
	return slices.ContainsFunc(*n.extent.Load(), func(p netip.Prefix) bool { return p.Contains(a) })
}

// GatewayOf returns the router of the network that a member's address is from.
// It is the machine, whichever address it goes by there.
func (n *Network) GatewayOf(a netip.Addr) netip.Addr {
	for _, p := range *n.extent.Load() {
		if p.Contains(a) {
			return p.Addr().Next()
		}
	}
	return n.Gateway()
}

// Release makes an address free again. With its last address in use the range of
// a subnet goes.
func (n *Network) Release(a netip.Addr) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	delete(n.links, a)
	for id, s := range n.spans {
		if !s.used[a] {
			continue
		}
		delete(s.used, a)
		if len(s.used) == 0 {
			return n.letGoLocked(id)
		}
		return nil
	}
	delete(n.pool.used, a)
	return nil
}
