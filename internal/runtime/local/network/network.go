// Package network gives tasks their addresses: one bridge for an instance of
// Neargate, a veth pair for each task, and masquerading of what tasks send out.
// All is done by netlink; no ip, iptables or nft program is needed.
package network

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"sync"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// State is what of a network must be kept on disk.
type State struct {
	Subnet netip.Prefix
	Last   netip.Addr // the address given out last
}

// Network is an instance's bridge and what hangs on it. It is safe for use by
// several goroutines.
type Network struct {
	id     string
	bridge int // its link index

	mu   sync.Mutex
	pool *pool
}

// BridgeName is the bridge of the instance with the given ID, 6 hex digits.
func BridgeName(id string) string { return "ng-" + id }

// Open makes the bridge, or takes over the one that is there. A zero state
// chooses a subnet that no route of the machine overlaps; hold the machine-wide
// lock meanwhile, so that two instances do not choose the same.
func Open(id string, st State) (*Network, error) {
	if !st.Subnet.IsValid() {
		taken, err := routed()
		if err != nil {
			return nil, err
		}
		if st.Subnet, err = freeSubnet(taken); err != nil {
			return nil, err
		}
	}
	n := &Network{id: id, pool: newPool(st.Subnet, st.Last)}
	link, err := n.makeBridge()
	if err != nil {
		return nil, err
	}
	n.bridge = link.Attrs().Index
	return n, nil
}

func (n *Network) makeBridge() (netlink.Link, error) {
	name := BridgeName(n.id)
	attrs := netlink.NewLinkAttrs()
	attrs.Name = name
	// Without an address of its own a bridge takes the lowest of its ports',
	// another one with each task that comes or goes, and tasks would go on
	// sending to the former.
	attrs.HardwareAddr = MAC(n.pool.gateway())
	err := netlink.LinkAdd(&netlink.Bridge{LinkAttrs: attrs})
	if err != nil && !errors.Is(err, unix.EEXIST) {
		return nil, fmt.Errorf("make bridge %s: %w", name, err)
	}
	link, err := netlink.LinkByName(name)
	if err != nil {
		return nil, fmt.Errorf("find bridge %s: %w", name, err)
	}
	addr := &netlink.Addr{IPNet: &net.IPNet{
		IP: n.pool.gateway().AsSlice(), Mask: net.CIDRMask(n.pool.subnet.Bits(), 32),
	}}
	if err := netlink.AddrReplace(link, addr); err != nil {
		return nil, fmt.Errorf("give bridge %s its address: %w", name, err)
	}
	silenceIPv6(name)
	if err := netlink.LinkSetUp(link); err != nil {
		return nil, fmt.Errorf("bring up bridge %s: %w", name, err)
	}
	return link, nil
}

// silenceIPv6 spares a link the kernel's router and neighbour discovery, which
// nobody answers. Kernels without IPv6 have nothing to silence.
func silenceIPv6(link string) {
	_ = os.WriteFile("/proc/sys/net/ipv6/conf/"+link+"/disable_ipv6", []byte("1"), 0)
}

// State is to be kept on disk after each change.
func (n *Network) State() State {
	n.mu.Lock()
	defer n.mu.Unlock()
	return State{Subnet: n.pool.subnet, Last: n.pool.last}
}

// Subnet is where all addresses come from.
func (n *Network) Subnet() netip.Prefix { return n.pool.subnet }

// Gateway is the bridge's own address.
func (n *Network) Gateway() netip.Addr { return n.pool.gateway() }

// Take gives a free address.
func (n *Network) Take() (netip.Addr, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.pool.take()
}

// Claim marks the address of a task that was taken over.
func (n *Network) Claim(a netip.Addr) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.pool.used[a] = true
}

// Release gives an address back.
func (n *Network) Release(a netip.Addr) {
	n.mu.Lock()
	defer n.mu.Unlock()
	delete(n.pool.used, a)
}

// MAC is the hardware address that goes with an address.
func MAC(a netip.Addr) net.HardwareAddr {
	b := a.As4()
	return net.HardwareAddr{0x02, 0x4e, b[0], b[1], b[2], b[3]} // 02: locally administered
}

// LinkName is the machine's end of the veth pair of the task with the address.
func (n *Network) LinkName(a netip.Addr) string {
	b := a.As4()
	return "ng" + n.id + hex.EncodeToString(b[2:])
}

// Connect puts a link named name into the network namespace of the process,
// tied to the bridge. Its address is for that process to set.
func (n *Network) Connect(a netip.Addr, pid int, name string) error {
	attrs := netlink.NewLinkAttrs()
	attrs.Name, attrs.MasterIndex, attrs.Flags = n.LinkName(a), n.bridge, net.FlagUp
	veth := &netlink.Veth{
		LinkAttrs: attrs, PeerName: name, PeerHardwareAddr: MAC(a), PeerNamespace: netlink.NsPid(pid),
	}
	err := netlink.LinkAdd(veth)
	if errors.Is(err, unix.EEXIST) { // a dead task's, whose namespace is not quite gone
		if err = n.Disconnect(a); err == nil {
			err = netlink.LinkAdd(veth)
		}
	}
	if err != nil {
		return fmt.Errorf("connect task: %w", err)
	}
	return nil
}

// Disconnect removes a task's link, if it is still there.
func (n *Network) Disconnect(a netip.Addr) error { return removeLink(n.LinkName(a)) }

func removeLink(name string) error {
	link, err := netlink.LinkByName(name)
	if _, gone := errors.AsType[netlink.LinkNotFoundError](err); gone {
		return nil
	}
	if err == nil {
		err = netlink.LinkDel(link)
	}
	if err != nil && !errors.Is(err, unix.ENODEV) {
		return fmt.Errorf("remove link %s: %w", name, err)
	}
	return nil
}

// Remove removes everything of the instance: links, bridge, NAT table. It is
// content when nothing is there.
func Remove(ctx context.Context, id string) error {
	links, err := netlink.LinkList()
	if err != nil {
		return fmt.Errorf("list links: %w", err)
	}
	var errs []error
	for _, l := range links {
		name := l.Attrs().Name
		if name == BridgeName(id) || (l.Type() == "veth" && len(name) == len("ng")+len(id)+4 && name[:2+len(id)] == "ng"+id) {
			errs = append(errs, removeLink(name))
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
	}
	errs = append(errs, removeNAT(id))
	return errors.Join(errs...)
}
