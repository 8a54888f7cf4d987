package network

import (
	"fmt"
	"net/netip"
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
