package firewall

import (
	"net/netip"
	"slices"
)

// Ingress is what a member's groups let it receive from outside the instance,
// where nobody has groups. The zero value allows nothing.
type Ingress struct{ rules []Rule }

// Ingress returns what a member that names the groups may receive from outside.
func (p Policy) Ingress(named []string) Ingress {
	var in Ingress
	groups := p.Of(named)
	for _, g := range p.Groups {
		if !slices.Contains(groups, g.ID) {
			continue
		}
		for _, r := range g.Rules {
			if !r.Egress && r.Network.IsValid() {
				in.rules = append(in.rules, r)
			}
		}
	}
	return in
}

// Closed reports whether nobody may connect to a port over TCP.
func (in Ingress) Closed(port int) bool {
	f := Flow{Protocol: TCP, Port: port}
	return !slices.ContainsFunc(in.rules, func(r Rule) bool { return covers(r.Protocol, r.From, r.To, f) })
}

// Admits reports whether a TCP connection from an address to a port is allowed.
func (in Ingress) Admits(from netip.Addr, port int) bool {
	f := Flow{Protocol: TCP, Port: port}
	for _, r := range in.rules {
		if covers(r.Protocol, r.From, r.To, f) && r.Network.Contains(from) {
			return true
		}
	}
	return false
}
