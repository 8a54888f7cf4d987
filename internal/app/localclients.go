package app

import (
	"fmt"
	"net/netip"
	"slices"

	"neargate/internal/runtime/local/network"
)

// gatewayClients stands for the gateways of this machine in Config.LocalClients.
const gatewayClients = "gateway"

// checkLocalClients refuses what is no network of clients.
func (c Config) checkLocalClients() error {
	for _, s := range c.LocalClients {
		if _, err := clientNetwork(s); err != nil && s != gatewayClients {
			return err
		}
	}
	return nil
}

// clientNetwork reads an address or a network.
func clientNetwork(s string) (netip.Prefix, error) {
	if a, err := netip.ParseAddr(s); err == nil && a.Zone() == "" && !a.Is4In6() {
		return netip.PrefixFrom(a, a.BitLen()), nil
	}
	p, err := netip.ParsePrefix(s)
	if err != nil || p != p.Masked() {
		return p, fmt.Errorf("local-clients %q: want an address, a network such as 192.0.2.0/24, or gateway", s)
	}
	return p, nil
}

// localClients returns whether a client's address is one of LocalClients. The
// gateways are those of now.
func (c Config) localClients() (func(netip.Addr) bool, error) {
	var networks []netip.Prefix
	for _, s := range c.LocalClients {
		if s != gatewayClients {
			p, err := clientNetwork(s)
			if err != nil {
				return nil, err
			}
			networks = append(networks, p)
			continue
		}
		gateways, err := network.Gateways()
		if err != nil {
			return nil, fmt.Errorf("find the clients that count as this machine's: %w", err)
		}
		for _, a := range gateways {
			networks = append(networks, netip.PrefixFrom(a, a.BitLen()))
		}
	}
	return func(client netip.Addr) bool {
		return slices.ContainsFunc(networks, func(p netip.Prefix) bool { return p.Contains(client) })
	}, nil
}
