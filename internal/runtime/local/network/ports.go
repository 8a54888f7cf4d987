package network

import (
	"net/netip"
	"slices"

	"github.com/google/nftables"
	"github.com/google/nftables/binaryutil"
	"github.com/google/nftables/expr"
	"golang.org/x/sys/unix"

	"neargate/internal/decide/firewall"
	"neargate/internal/runtime"
)

// OpenPorts lets every member reach the ports of the gateway, and no others
// from the call before, whatever its groups. It takes effect at once, or with
// the first policy where that is still to come.
func (n *Network) OpenPorts(ports []runtime.Port) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.ports, n.handedOver = slices.Clone(ports), nil
	if !n.governed {
		return nil
	}
	return n.renderLocked()
}

// HandOver closes the ports, and has the first of the machine's resolvers answer
// what members ask the server about names, until the next call of OpenPorts:
// they go on running while no server does.
func (n *Network) HandOver() error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.cfg.Reach.Names() && len(n.cfg.Resolvers) > 0 {
		n.handedOver = slices.DeleteFunc(n.ports, func(p runtime.Port) bool { return p.Address.Port() != domain })
	}
	n.ports = nil
	if !n.governed {
		return nil
	}
	return n.renderLocked()
}

// services leads what tasks send to a service of the server to its listener.
func (t *table) services() {
	t.base("services", nftables.ChainTypeNAT, nftables.ChainHookPrerouting, nftables.ChainPriorityNATDest)
	t.rule("services", slices.Concat(notIncoming(taskPrefix(t.net.cfg.ID)), accept())...)
	for _, p := range t.net.ports {
		to := netip.AddrPortFrom(t.net.Gateway(), p.Listener)
		if p.Address != to {
			t.rule("services", slices.Concat(sentTo(p, p.Address), leadTo(to))...)
		}
	}
	for _, p := range t.net.handedOver {
		t.rule("services", slices.Concat(sentTo(p, p.Address), leadTo(netip.AddrPortFrom(t.net.cfg.Resolvers[0], domain)))...)
	}
}

// open accepts what has been led to a listener.
func (t *table) open(chain string) {
	for _, p := range t.net.ports {
		t.rule(chain, slices.Concat(sentTo(p, netip.AddrPortFrom(t.net.Gateway(), p.Listener)), accept())...)
	}
}

func sentTo(p runtime.Port, to netip.AddrPort) []expr.Any {
	m := firewall.Match{Protocol: firewall.TCP, From: int(to.Port()), To: int(to.Port())}
	if p.UDP {
		m.Protocol = firewall.UDP
	}
	return slices.Concat(within(destinationAddress, netip.PrefixFrom(to.Addr(), 32)), protocol(m))
}

// leadTo changes where a connection goes to.
func leadTo(to netip.AddrPort) []expr.Any {
	return []expr.Any{
		&expr.Immediate{Register: unix.NFT_REG_1, Data: to.Addr().AsSlice()},
		&expr.Immediate{Register: unix.NFT_REG_2, Data: binaryutil.BigEndian.PutUint16(to.Port())},
		&expr.NAT{Type: expr.NATTypeDestNAT, Family: unix.NFPROTO_IPV4, RegAddrMin: unix.NFT_REG_1, RegProtoMin: unix.NFT_REG_2},
	}
}
