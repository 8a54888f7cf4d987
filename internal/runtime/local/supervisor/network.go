package supervisor

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"syscall"

	"github.com/vishvananda/netlink"
)

// linkName is what a task calls its network interface. The engine puts it into
// the supervisor's network namespace before it sends the order.
const linkName = "eth0"

// LinkName is linkName for the engine.
const LinkName = linkName

// configureNetwork brings up the loopback device and assigns the task its address.
func configureNetwork(o *Order) error {
	lo, err := netlink.LinkByName("lo")
	if err != nil {
		return fmt.Errorf("find loopback: %w", err)
	}
	if err := netlink.LinkSetUp(lo); err != nil {
		return fmt.Errorf("bring up loopback: %w", err)
	}
	if !o.Address.IsValid() || !o.Gateway.IsValid() {
		return errors.New("the order has no address")
	}
	link, err := netlink.LinkByName(linkName)
	if err != nil {
		return fmt.Errorf("find %s: %w", linkName, err)
	}
	if err := withoutIPv6("default", linkName); err != nil {
		return err
	}
	if err := netlink.AddrAdd(link, &netlink.Addr{IPNet: alone(o.Address)}); err != nil {
		return fmt.Errorf("set address of %s: %w", linkName, err)
	}
	if err := netlink.LinkSetUp(link); err != nil {
		return fmt.Errorf("bring up %s: %w", linkName, err)
	}
	if err := routeBy(link.Attrs().Index, o); err != nil {
		return err
	}
	return openPorts()
}

// routeBy sends everything to the gateway, other tasks' packets too: nobody else
// is on the link.
func routeBy(link int, o *Order) error {
	gateway := o.Gateway.AsSlice()
	err := netlink.NeighSet(&netlink.Neigh{
		LinkIndex: link, Family: netlink.FAMILY_V4, State: netlink.NUD_PERMANENT, IP: gateway, HardwareAddr: o.GatewayMAC,
	})
	if err != nil {
		return fmt.Errorf("set neighbour %s: %w", o.Gateway, err)
	}
	err = netlink.RouteAdd(&netlink.Route{LinkIndex: link, Dst: alone(o.Gateway), Scope: netlink.SCOPE_LINK})
	if err != nil {
		return fmt.Errorf("set route to %s: %w", o.Gateway, err)
	}
	if err := netlink.RouteAdd(&netlink.Route{LinkIndex: link, Gw: gateway}); err != nil {
		return fmt.Errorf("set default route: %w", err)
	}
	return nil
}

func alone(a netip.Addr) *net.IPNet {
	return &net.IPNet{IP: a.AsSlice(), Mask: net.CIDRMask(a.BitLen(), a.BitLen())}
}

// withoutIPv6 switches IPv6 off on links: no address is given out for it, and
// nothing would filter it. ::1 stays.
func withoutIPv6(links ...string) error {
	for _, l := range links {
		path := "/proc/sys/net/ipv6/conf/" + l + "/disable_ipv6"
		if err := os.WriteFile(path, []byte("1"), 0); err != nil && !errors.Is(err, syscall.ENOENT) {
			return fmt.Errorf("set %s: %w", path, err)
		}
	}
	return nil
}

// openPorts lets any user of the task listen on ports below 1024 and send
// pings, as Docker does: the network namespace is the task's own.
func openPorts() error {
	for path, value := range map[string]string{
		"/proc/sys/net/ipv4/ip_unprivileged_port_start": "0",
		"/proc/sys/net/ipv4/ping_group_range":           "0 2147483647",
	} {
		if err := os.WriteFile(path, []byte(value), 0); err != nil && !errors.Is(err, syscall.ENOENT) {
			return fmt.Errorf("set %s: %w", path, err)
		}
	}
	return nil
}
