package network

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"

	"github.com/google/nftables"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"neargate/internal/decide/firewall"
)

// Connect puts a link named name into the network namespace of the process, and
// lets through what the security groups of the task with the address allow. Its
// address is for that process to set.
func (n *Network) Connect(a netip.Addr, groups []string, pid int, name string) error {
	outer := n.LinkName(a)
	attrs := netlink.NewLinkAttrs()
	attrs.Name, attrs.HardwareAddr, attrs.Flags = outer, n.GatewayMAC(), net.FlagUp
	veth := &netlink.Veth{
		LinkAttrs: attrs, PeerName: name, PeerHardwareAddr: MAC(a), PeerNamespace: netlink.NsPid(pid),
	}
	err := netlink.LinkAdd(veth)
	if errors.Is(err, unix.EEXIST) { // a dead task's, whose namespace is not quite gone
		if err = removeLink(outer); err == nil {
			err = netlink.LinkAdd(veth)
		}
	}
	if err != nil {
		return fmt.Errorf("connect task: %w", err)
	}
	silenceIPv6(outer)
	if err := n.admit(a, outer, groups); err != nil {
		return err
	}
	return n.route(veth, a)
}

// route makes the outer end the way to the task's address and to no other. Both
// ends know each other's hardware address, so that nobody asks for one and no
// answer is believed.
func (n *Network) route(link netlink.Link, a netip.Addr) error {
	if err := netlink.LinkSetARPOff(link); err != nil {
		return fmt.Errorf("switch off ARP on %s: %w", link.Attrs().Name, err)
	}
	index := link.Attrs().Index
	err := netlink.NeighSet(&netlink.Neigh{
		LinkIndex: index, Family: netlink.FAMILY_V4, State: netlink.NUD_PERMANENT, IP: a.AsSlice(), HardwareAddr: MAC(a),
	})
	if err != nil {
		return fmt.Errorf("set neighbour %s: %w", a, err)
	}
	err = netlink.RouteReplace(&netlink.Route{
		LinkIndex: index, Dst: networkOf(netip.PrefixFrom(a, 32)), Scope: netlink.SCOPE_LINK, Src: n.Gateway().AsSlice(),
	})
	if err != nil {
		return fmt.Errorf("set route to %s: %w", a, err)
	}
	return nil
}

// Admit takes over a task that an earlier process connected. The filter of that
// process holds for it until the first change.
func (n *Network) Admit(a netip.Addr, groups []string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.pool.used[a] = true
	n.members[a] = member{link: n.LinkName(a), named: groups, groups: n.policy.Of(groups)}
}

// admit lets a new member through.
func (n *Network) admit(a netip.Addr, link string, groups []string) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.members[a] = member{link: link, named: groups, groups: n.policy.Of(groups)}
	return n.addLocked(a)
}

// Disconnect removes a task's link, if it is still there. Its address stays in
// use until Release.
func (n *Network) Disconnect(a netip.Addr) error {
	n.dismiss(a)
	return removeLink(n.LinkName(a))
}

func (n *Network) dismiss(a netip.Addr) {
	n.mu.Lock()
	defer n.mu.Unlock()
	m, known := n.members[a]
	delete(n.members, a)
	if known && n.rendered != nil {
		n.rendered.former[a] = m.groups
	}
}

// Source returns an address for the named load balancer to connect to tasks
// from, and lets through what its security groups allow. It is the kept one where
// that is free in the subnet, and stays the same until DropSource.
func (n *Network) Source(name string, kept netip.Addr, groups []string) (netip.Addr, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	a, known := n.sources[name]
	if !known {
		var err error
		if a, err = n.pool.takeKept(kept); err != nil {
			return a, err
		}
		if err := netlink.AddrReplace(n.home, addressOf(netip.PrefixFrom(a, 32))); err != nil {
			delete(n.pool.used, a)
			return a, fmt.Errorf("set address of load balancer: %w", err)
		}
		n.sources[name] = a
	}
	m := member{named: groups, groups: n.policy.Of(groups)}
	if known && key(m.groups) == key(n.members[a].groups) {
		return a, nil
	}
	n.members[a] = m
	if known { // an element that is there cannot be changed
		return a, n.renderLocked()
	}
	return a, n.addLocked(a)
}

// SetDoors names the ports that the named load balancer listens on: who may
// connect to them is up to the security groups, and nobody may to other ports of
// its address, where programs of this machine could answer that listen
// everywhere.
func (n *Network) SetDoors(name string, ports []uint16) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	a, known := n.sources[name]
	if !known || slices.Equal(n.doors[name], ports) {
		return nil
	}
	was := n.doors[name]
	n.doors[name] = slices.Clone(ports)
	var fresh []nftables.SetElement
	for _, p := range ports {
		if !slices.Contains(was, p) {
			fresh = append(fresh, doorElement(a, p))
		}
	}
	switch {
	case !n.governed:
		return nil // the first policy brings them
	case n.rendered == nil || len(fresh)+len(was) > len(ports): // one is to go
		return n.renderLocked()
	}
	return n.change("open the ports of a load balancer", func(c *nftables.Conn) error {
		return c.SetAddElements(n.rendered.doors, fresh)
	})
}

// DropSource takes back the address of a load balancer. An unknown name is no
// error.
func (n *Network) DropSource(name string) error {
	n.mu.Lock()
	a, known := n.sources[name]
	delete(n.sources, name)
	delete(n.doors, name)
	n.mu.Unlock()
	if !known {
		return nil
	}
	err := netlink.AddrDel(n.home, addressOf(netip.PrefixFrom(a, 32)))
	if errors.Is(err, unix.EADDRNOTAVAIL) {
		err = nil
	}
	n.dismiss(a)
	n.Release(a)
	return err
}

// SetPolicy puts security groups in force, for connections to come.
func (n *Network) SetPolicy(p firewall.Policy) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.policy, n.governed = p, true
	for a, m := range n.members {
		m.groups = p.Of(m.named)
		n.members[a] = m
	}
	return n.renderLocked()
}
