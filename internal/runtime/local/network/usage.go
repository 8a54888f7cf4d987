package network

import (
	"net/netip"

	"github.com/vishvananda/netlink"

	"neargate/internal/model"
)

// Usage returns what has gone over the link of the task with the address; zero
// where there is no such link. What the outer end received the task sent.
func (n *Network) Usage(a netip.Addr) (u model.NetworkUsage) {
	link, err := netlink.LinkByName(n.LinkName(a))
	if err != nil || link.Attrs().Statistics == nil {
		return u
	}
	s := link.Attrs().Statistics
	return model.NetworkUsage{
		RxBytes: s.TxBytes, RxPackets: s.TxPackets, RxErrors: s.TxErrors, RxDropped: s.TxDropped,
		TxBytes: s.RxBytes, TxPackets: s.RxPackets, TxErrors: s.RxErrors, TxDropped: s.RxDropped,
	}
}
