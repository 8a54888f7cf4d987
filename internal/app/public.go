package app

import (
	"fmt"
	"net/netip"
	"slices"

	"neargate/internal/runtime/local/network"
)

// allAddresses stands for every address of this machine in Config.Public.
const allAddresses = "all"

// checkPublic refuses what is no address for clients from outside.
func (c Config) checkPublic() error {
	for _, p := range c.Public {
		a, err := netip.ParseAddr(p)
		switch {
		case p == allAddresses:
		case err != nil || a.Zone() != "" || a.Is4In6():
			return fmt.Errorf("public %q: want an address of this machine, 0.0.0.0, :: or all", p)
		case a.IsLoopback():
			return fmt.Errorf("public %q: loopback is served anyway, and nobody reaches it from outside", p)
		case !a.IsUnspecified() && !a.IsGlobalUnicast():
			return fmt.Errorf("public %q: other machines cannot connect to it", p)
		}
	}
	return nil
}

// publicAddresses returns the addresses at which internet-facing load balancers
// answer now. They change as the machine's do.
func (c Config) publicAddresses() ([]netip.Addr, error) {
	var out []netip.Addr
	everyIPv4, everyIPv6 := false, false
	for _, p := range c.Public {
		a, err := netip.ParseAddr(p)
		switch {
		case err != nil: // "all"
			everyIPv4, everyIPv6 = true, true
		case a == netip.IPv4Unspecified():
			everyIPv4 = true
		case a == netip.IPv6Unspecified():
			everyIPv6 = true
		default:
			out = append(out, a)
		}
	}
	if !everyIPv4 && !everyIPv6 {
		return out, nil
	}
	all, err := network.MachineAddresses()
	if err != nil {
		return nil, err
	}
	for _, a := range all {
		if (a.Is4() && everyIPv4 || a.Is6() && everyIPv6) && !slices.Contains(out, a) {
			out = append(out, a)
		}
	}
	return out, nil
}
