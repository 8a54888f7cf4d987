package supervisor

import (
	"errors"
	"fmt"
	"net"
	"os"
	"syscall"

	"github.com/vishvananda/netlink"
)

// linkName is what a task calls its network interface. The engine puts it into
// the supervisor's network namespace before it gives the order.
const linkName = "eth0"

// LinkName is linkName for the engine.
const LinkName = linkName

// configureNetwork brings up the loopback device and gives the task its address.
func configureNetwork(o *Order) error {
	lo, err := netlink.LinkByName("lo")
	if err != nil {
		return fmt.Errorf("find loopback: %w", err)
	}
	if err := netlink.LinkSetUp(lo); err != nil {
		return fmt.Errorf("bring up loopback: %w", err)
	}
	if !o.Address.IsValid() {
		return errors.New("the order has no address")
	}
	link, err := netlink.LinkByName(linkName)
	if err != nil {
		return fmt.Errorf("find %s: %w", linkName, err)
	}
	addr := &netlink.Addr{IPNet: &net.IPNet{
		IP:   o.Address.Addr().AsSlice(),
		Mask: net.CIDRMask(o.Address.Bits(), o.Address.Addr().BitLen()),
	}}
	if err := netlink.AddrAdd(link, addr); err != nil {
		return fmt.Errorf("give %s its address: %w", linkName, err)
	}
	if err := netlink.LinkSetUp(link); err != nil {
		return fmt.Errorf("bring up %s: %w", linkName, err)
	}
	if o.Gateway.IsValid() {
		err := netlink.RouteAdd(&netlink.Route{LinkIndex: link.Attrs().Index, Gw: o.Gateway.AsSlice()})
		if err != nil {
			return fmt.Errorf("set default route: %w", err)
		}
	}
	return openPorts()
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
