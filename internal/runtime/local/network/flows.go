package network

import (
	"fmt"
	"net/netip"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// forgetFlowsLocked has the kernel forget where it has led datagrams to the gateway,
// when they are led elsewhere by now. It leads those between the same two ports as
// it led the first of them, until none has come for 30 s: a program that keeps the
// socket by which it asks for names would ask a server that is gone.
func (n *Network) forgetFlowsLocked() {
	led := fmt.Sprint(n.handedOver)
	for _, p := range n.ports {
		if p.UDP {
			led += fmt.Sprint(" ", p.Address, p.Listener)
		}
	}
	if led == n.led {
		return
	}
	n.led = led
	for _, m := range n.members {
		if m.link != "" { // a task, which may have asked
			// What cannot be forgotten, where the kernel lacks nf_conntrack_netlink or
			// since it has just gone, ends by silence.
			_, _ = netlink.ConntrackDeleteFilters(netlink.ConntrackTable, unix.AF_INET, datagramsTo{n.Gateway()})
			return
		}
	}
}

// datagramsTo matches flows of UDP to an address.
type datagramsTo struct{ netip.Addr }

// MatchConntrackFlow implements netlink.CustomConntrackFilter.
func (d datagramsTo) MatchConntrackFlow(flow *netlink.ConntrackFlow) bool {
	to, ok := netip.AddrFromSlice(flow.Forward.DstIP)
	return ok && flow.Forward.Protocol == unix.IPPROTO_UDP && to.Unmap() == d.Addr
}
