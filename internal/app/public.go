package app

import (
	"fmt"
	"log/slog"
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

// absent returns the addresses that Public names and the machine does not have.
func (c Config) absent(has []netip.Addr) (all []netip.Addr) {
	for _, p := range c.Public {
		if a, err := netip.ParseAddr(p); err == nil && !a.IsUnspecified() && !slices.Contains(has, a) {
			all = append(all, a)
		}
	}
	return all
}

// warnAbsent says at the start where nothing can be served, for now.
func (c Config) warnAbsent(log *slog.Logger) error {
	has, err := network.MachineAddresses()
	if err != nil {
		return err
	}
	for _, a := range c.absent(has) {
		log.Warn("internet-facing load balancers are not served at an address: this machine does not have it", "address", a,
			"hint", "--public names addresses of this machine; one that comes later is served then")
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
