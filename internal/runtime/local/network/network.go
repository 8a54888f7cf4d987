// Package network connects tasks: each has a veth pair of its own whose outer
// end is routed, not bridged, so that everything a task sends passes the
// machine's filters and no task shares a link with another. The instance's nft
// table lets through what security groups allow and drops the rest, and
// masquerades what tasks send beyond the machine. All is done by netlink; no ip,
// iptables or nft program is needed.
package network

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"neargate/internal/decide/firewall"
	"neargate/internal/runtime"
)

// State is what of a network must be kept on disk.
type State struct {
	Subnet netip.Prefix
	Last   netip.Addr // the address given out last
}

// Config says which network to open.
type Config struct {
	ID    string // of the instance, 6 hex digits
	State State  // zero: a subnet is chosen
	// Occupied says that tasks run in State.Subnet, so no other can be taken.
	Occupied bool
	Reach    firewall.Reach // zero: firewall.ReachLAN
	// Resolvers are the name servers of tasks.
	Resolvers []netip.Addr
	// Lock keeps other instances from choosing networks until its result is
	// closed; nil where there are none.
	Lock func() (io.Closer, error)
	// OnTaken is told once of each subnet whose tasks get addresses of the
	// instance's own network. May be nil.
	OnTaken func(Taken)
}

// Network is an instance's addresses, links and filter. It is safe for use by
// several goroutines.
type Network struct {
	cfg  Config
	home netlink.Link // carries the gateway's address and those of load balancers

	// extent is the networks that members are in, this instance's own first.
	extent atomic.Pointer[[]netip.Prefix]

	mu       sync.Mutex
	pool     *pool                 // of the instance's own network
	spans    map[string]span       // of subnets, by ID
	told     map[string]bool       // the subnets that OnTaken knows of
	links    map[netip.Addr]string // the tails of the names of tasks' links
	policy   firewall.Policy
	governed bool           // policy has been set
	ports    []runtime.Port // open to every member
	// handedOver are the ports at which the machine's resolver answers in the
	// server's place.
	handedOver []runtime.Port
	led        string                // where datagrams of members were led by the last table
	members    map[netip.Addr]member // tasks and load balancers
	sources    map[string]netip.Addr // of load balancers, by name
	doors      map[string][]uint16   // the ports that these listen on, by name
	rendered   *rendered             // what the kernel has; nil: not this process's
}

// member is an address with its security groups.
type member struct {
	link  string // "" for a load balancer
	kind  firewall.Kind
	named []string // its groups, as they were given
}

// HomeName is the link that carries the gateway's address of an instance.
func HomeName(id string) string { return "ng-" + id }

// taskPrefix begins the names of the outer ends of an instance's tasks.
func taskPrefix(id string) string { return "ng-" + id + "-" }

// Open makes the instance's network, or takes over what is there. It chooses a
// subnet when there is none yet, or when another link of the machine has come to
// use the kept one and no task runs in it; with tasks running the error is an
// *Overlap. Hold the machine-wide lock meanwhile, so that two instances do not
// choose the same. The filter of an earlier process stays in force until the
// first change.
func Open(cfg Config) (*Network, error) {
	if cfg.Reach == "" {
		cfg.Reach = firewall.ReachLAN
	}
	if err := cfg.chooseSubnet(); err != nil {
		return nil, err
	}
	n := &Network{
		cfg: cfg, pool: newPool(cfg.State.Subnet, cfg.State.Last),
		spans: map[string]span{}, told: map[string]bool{}, links: map[netip.Addr]string{},
		members: map[netip.Addr]member{}, sources: map[string]netip.Addr{}, doors: map[string][]uint16{},
	}
	n.extentLocked() // nobody else has it yet
	if err := probeTables(); err != nil {
		return nil, err
	}
	return n, n.makeHome()
}

// makeHome makes the link that carries the gateway's address. It has no ports:
// as the way to the whole subnet it shows others that this is taken, and swallows
// what is sent to an address that no task has.
func (n *Network) makeHome() error {
	name := HomeName(n.cfg.ID)
	attrs := netlink.NewLinkAttrs()
	attrs.Name, attrs.HardwareAddr = name, n.GatewayMAC()
	err := netlink.LinkAdd(&netlink.Bridge{LinkAttrs: attrs})
	if err != nil && !errors.Is(err, unix.EEXIST) {
		return fmt.Errorf("make link %s: %w", name, err)
	}
	if n.home, err = netlink.LinkByName(name); err != nil {
		return fmt.Errorf("find link %s: %w", name, err)
	}
	gateway := addressOf(netip.PrefixFrom(n.Gateway(), n.Subnet().Bits()))
	if err := netlink.AddrReplace(n.home, gateway); err != nil {
		return fmt.Errorf("set address of %s: %w", name, err)
	}
	if err := n.removeWays(); err != nil {
		return err
	}
	silenceIPv6(name)
	if err := netlink.LinkSetUp(n.home); err != nil {
		return fmt.Errorf("bring up link %s: %w", name, err)
	}
	return nil
}

// removeAddressesLocked removes the addresses of a former process's load balancers
// that none has now, and those of a former subnet. It is done with the first policy: a
// process in whose place this one serves has used them until then.
func (n *Network) removeAddressesLocked() error {
	used := map[string]bool{addressOf(netip.PrefixFrom(n.Gateway(), n.Subnet().Bits())).IPNet.String(): true}
	for _, a := range n.sources {
		used[addressOf(netip.PrefixFrom(a, 32)).IPNet.String()] = true
	}
	present, err := settled(func() ([]netlink.Addr, error) { return netlink.AddrList(n.home, netlink.FAMILY_V4) })
	if err != nil {
		return fmt.Errorf("list addresses of %s: %w", HomeName(n.cfg.ID), err)
	}
	for _, a := range present {
		if used[a.IPNet.String()] {
			continue
		}
		if err := netlink.AddrDel(n.home, &a); err != nil && !errors.Is(err, unix.EADDRNOTAVAIL) {
			return fmt.Errorf("remove address %s of %s: %w", a, HomeName(n.cfg.ID), err)
		}
	}
	return nil
}

// removeWays removes the ways to subnets that a dead process held. Those that
// have tasks come back with Admit; the tasks have ways of their own.
func (n *Network) removeWays() error {
	all, err := settled(func() ([]netlink.Route, error) { return netlink.RouteList(n.home, netlink.FAMILY_V4) })
	if err != nil {
		return fmt.Errorf("list routes of %s: %w", HomeName(n.cfg.ID), err)
	}
	for _, r := range all {
		if r.Protocol != unix.RTPROT_STATIC {
			continue
		}
		if err := netlink.RouteDel(&r); err != nil && !errors.Is(err, unix.ESRCH) {
			return fmt.Errorf("remove route to %s: %w", r.Dst, err)
		}
	}
	return nil
}

func addressOf(p netip.Prefix) *netlink.Addr { return &netlink.Addr{IPNet: networkOf(p)} }

func networkOf(p netip.Prefix) *net.IPNet {
	return &net.IPNet{IP: p.Addr().AsSlice(), Mask: net.CIDRMask(p.Bits(), 32)}
}

// silenceIPv6 switches IPv6 off on a link. Kernels without IPv6 have nothing to
// switch off.
func silenceIPv6(link string) {
	_ = os.WriteFile("/proc/sys/net/ipv6/conf/"+link+"/disable_ipv6", []byte("1"), 0)
}

// State is to be kept on disk after each change.
func (n *Network) State() State {
	n.mu.Lock()
	defer n.mu.Unlock()
	return State{Subnet: n.pool.network, Last: n.pool.last}
}

// Subnet is the instance's own network.
func (n *Network) Subnet() netip.Prefix { return n.cfg.State.Subnet }

// Gateway is the machine's own address in the subnet.
func (n *Network) Gateway() netip.Addr { return n.cfg.State.Subnet.Addr().Next() }

// GatewayMAC is the hardware address of the gateway on every task's link.
func (n *Network) GatewayMAC() net.HardwareAddr { return MAC(n.Gateway()) }

// MAC is the hardware address that goes with an address.
func MAC(a netip.Addr) net.HardwareAddr {
	b := a.As4()
	return net.HardwareAddr{0x02, 0x4e, b[0], b[1], b[2], b[3]} // 02: locally administered
}

// LinkName is the outer end of the veth pair of the task with the address; ""
// where Take has not returned it, nor Admit been told.
func (n *Network) LinkName(a netip.Addr) string {
	if tail := n.LinkTail(a); tail != "" {
		return taskPrefix(n.cfg.ID) + tail
	}
	return ""
}

// LinkTail is what of LinkName is the task's own, to be kept on disk: a copy of
// that disk has another instance, whose links these are not.
func (n *Network) LinkTail(a netip.Addr) string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.links[a]
}

// nameLocked names the link of a task. A name has room for half of the address,
// and for a letter that tells those apart of which that half is the same.
func (n *Network) nameLocked(a netip.Addr) {
	b := a.As4()
	half := hex.EncodeToString(b[2:])
	tail := half
	inUse := func() bool {
		for _, other := range n.links {
			if other == tail {
				return true
			}
		}
		return false
	}
	for last := 'g'; inUse(); last++ {
		tail = half + string(last)
	}
	n.links[a] = tail
}

// Remove removes everything of the instance: links, addresses, filter. It is
// content when nothing is there.
func Remove(ctx context.Context, id string) error {
	links, err := settled(netlink.LinkList)
	if err != nil {
		return fmt.Errorf("list links: %w", err)
	}
	var errs []error
	for _, l := range links {
		name := l.Attrs().Name
		if name == HomeName(id) || strings.HasPrefix(name, taskPrefix(id)) {
			errs = append(errs, removeLink(name))
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
	}
	return errors.Join(append(errs, removeTable(tableName(id)))...)
}

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
