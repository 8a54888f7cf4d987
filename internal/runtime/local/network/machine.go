package network

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/vishvananda/netlink"
)

// MachineAddresses returns the machine's own addresses that other machines may
// reach it by: of all links, but neither of loopback, nor link-local, nor those
// that instances have for their tasks.
func MachineAddresses() ([]netip.Addr, error) {
	all, err := settled(func() ([]netlink.Addr, error) { return netlink.AddrList(nil, netlink.FAMILY_ALL) })
	if err != nil {
		return nil, fmt.Errorf("list addresses of this machine: %w", err)
	}
	var out []netip.Addr
	for _, a := range all {
		ip, ok := netip.AddrFromSlice(a.IP)
		ip = ip.Unmap()
		if ok && ip.IsGlobalUnicast() && !strings.HasPrefix(a.Label, HomeName("")) {
			out = append(out, ip)
		}
	}
	return out, nil
}

// Gateways returns the addresses of the routers that the machine sends to what it
// has no other route for: in a container, those of the host.
func Gateways() ([]netip.Addr, error) {
	all, err := settled(func() ([]netlink.Route, error) { return netlink.RouteList(nil, netlink.FAMILY_ALL) })
	if err != nil {
		return nil, fmt.Errorf("list routes of this machine: %w", err)
	}
	var out []netip.Addr
	for _, r := range all {
		if r.Dst != nil {
			if ones, _ := r.Dst.Mask.Size(); ones > 0 {
				continue
			}
		}
		if ip, ok := netip.AddrFromSlice(r.Gw); ok && !slices.Contains(out, ip.Unmap()) {
			out = append(out, ip.Unmap())
		}
	}
	return out, nil
}
