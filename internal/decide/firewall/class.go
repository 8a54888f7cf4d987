package firewall

import (
	"net/netip"
	"slices"
)

// Class is what all members with the same groups have in common.
type Class struct {
	Groups  []string // as Policy.Of returns them
	In, Out []Match
}

// Match allows packets from or to one peer: a network, or the members of a
// class.
type Match struct {
	Protocol, From, To int          // as in Rule
	Network            netip.Prefix // invalid: the peer is a class
	Class              int          // its index
}

// Compile makes of the policy what each class of members allows. The sets are
// as Policy.Of returns them; the class of sets[i] is the i-th. Rules that can
// meet nobody are left out.
func (p Policy) Compile(sets [][]string) []Class {
	out := make([]Class, len(sets))
	for i, set := range sets {
		out[i] = Class{Groups: set, In: p.matches(set, false, sets), Out: p.matches(set, true, sets)}
	}
	return out
}

func (p Policy) matches(set []string, egress bool, sets [][]string) []Match {
	var out []Match
	add := func(m Match) {
		if !slices.Contains(out, m) { // two groups may say the same
			out = append(out, m)
		}
	}
	for _, g := range p.Groups {
		if !slices.Contains(set, g.ID) {
			continue
		}
		for _, r := range g.Rules {
			m := Match{Protocol: r.Protocol, From: r.From, To: r.To, Network: r.Network}
			switch {
			case r.Egress != egress || (r.Network.IsValid() && !r.Network.Addr().Is4()): // there is no IPv6
			case r.Network.IsValid():
				add(m)
			case r.Group != "":
				for m.Class = range sets {
					if slices.Contains(sets[m.Class], r.Group) {
						add(m)
					}
				}
			}
		}
	}
	return out
}

// Allowed reports whether the compiled classes let a flow through: what an
// enforcer of them does. from and to are the classes of the parties that are
// members.
func Allowed(classes []Class, f Flow, from, to int) bool {
	met := func(ms []Match, peer Party, class int) bool {
		return slices.ContainsFunc(ms, func(m Match) bool {
			if !covers(m.Protocol, m.From, m.To, f) {
				return false
			}
			if m.Network.IsValid() {
				return m.Network.Contains(peer.Address)
			}
			return peer.Member && m.Class == class
		})
	}
	return (!f.From.Member || met(classes[from].Out, f.To, to)) &&
		(!f.To.Member || met(classes[to].In, f.From, from))
}
