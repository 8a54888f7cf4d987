package network

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// forgetFlowsLocked has the kernel forget where it has led datagrams of members,
// when they are led elsewhere by now. It leads those between the same two ports as
// it led the first of them, until none has come for 30 s: a program that keeps the
// socket by which it asks for names would ask a server that is gone.
func (n *Network) forgetFlowsLocked() {
	flows := datagrams{from: n.members}
	var led strings.Builder
	fmt.Fprint(&led, len(n.handedOver) > 0)
	for _, p := range slices.Concat(n.ports, n.handedOver) {
		if p.UDP {
			fmt.Fprint(&led, " ", p.Address, p.Listener)
			flows.to = append(flows.to, p.Address.Addr())
		}
	}
	if led.String() == n.led {
		return
	}
	n.led = led.String()
	for _, m := range n.members {
		if m.link != "" { // a task, which may have asked
			// What cannot be forgotten, where the kernel lacks nf_conntrack_netlink or
			// since it has just gone, ends by silence.
			_, _ = netlink.ConntrackDeleteFilters(netlink.ConntrackTable, unix.AF_INET, flows)
			return
		}
	}
}

// datagrams matches flows of UDP from members to one of the addresses.
type datagrams struct {
	from map[netip.Addr]member
	to   []netip.Addr
}

// MatchConntrackFlow implements netlink.CustomConntrackFilter.
func (d datagrams) MatchConntrackFlow(flow *netlink.ConntrackFlow) bool {
	to, known := netip.AddrFromSlice(flow.Forward.DstIP)
	from, ok := netip.AddrFromSlice(flow.Forward.SrcIP)
	_, ours := d.from[from.Unmap()]
	return known && ok && ours && flow.Forward.Protocol == unix.IPPROTO_UDP && slices.Contains(d.to, to.Unmap())
}
