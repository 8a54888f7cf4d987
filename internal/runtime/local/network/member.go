package network

import (
	"errors"
	"fmt"
	"net"
	"net/netip"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"neargate/internal/decide/firewall"
	"neargate/internal/model"
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

// Admitted is a task that an earlier process connected.
type Admitted struct {
	Address        netip.Addr
	LinkTail       string       // as LinkTail was; "": of a version that kept none
	Subnet         model.Subnet // that the address is from; zero: the instance's own network
	SecurityGroups []string
}

// Admit takes a task over. The filter of the earlier process holds for it until
// the first change. The range of its subnet is the instance's, whoever else has
// come to use it.
func (n *Network) Admit(t Admitted) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	of := n.pool
	if t.Subnet.ID != "" {
		held, ok := n.spans[t.Subnet.ID]
		if !ok {
			var err error
			if held, err = n.holdLocked(t.Subnet); err != nil {
				return err
			}
		}
		of = held.pool
	}
	of.used[t.Address] = true
	if n.links[t.Address] = t.LinkTail; t.LinkTail == "" {
		n.nameLocked(t.Address)
	}
	n.members[t.Address] = n.member(taskPrefix(n.cfg.ID)+n.links[t.Address], t.SecurityGroups, false)
	return nil
}

// member is one as the policy has it now.
func (n *Network) member(link string, groups []string, public bool) member {
	return member{link: link, named: groups, kind: firewall.Kind{Groups: n.policy.Of(groups), Public: public}}
}

// admit lets a new member through.
func (n *Network) admit(a netip.Addr, link string, groups []string) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.members[a] = n.member(link, groups, false)
	return n.addLocked(a)
}

// Disconnect removes a task's link, if it is still there. Its address stays in
// use until Release.
func (n *Network) Disconnect(a netip.Addr) error {
	n.dismiss(a)
	if name := n.LinkName(a); name != "" {
		return removeLink(name)
	}
	return nil
}

func (n *Network) dismiss(a netip.Addr) {
	n.mu.Lock()
	defer n.mu.Unlock()
	m, known := n.members[a]
	delete(n.members, a)
	if known && n.rendered != nil {
		n.rendered.former[a] = m.kind
	}
}

// SetPolicy puts security groups in force, for connections to come.
func (n *Network) SetPolicy(p firewall.Policy) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if !n.governed {
		if err := n.removeAddressesLocked(); err != nil {
			return err
		}
	}
	n.policy, n.governed = p, true
	for a, m := range n.members {
		m.kind.Groups = p.Of(m.named)
		n.members[a] = m
	}
	return n.renderLocked()
}
