package firewall

import (
	"net/netip"
	"slices"
)

// Kind is what members have in common that may send and receive the same.
type Kind struct {
	Groups []string // as Policy.Of returns them
	Public bool     // as in Party
}

// Class is the members of a kind.
type Class struct {
	Kind

	VPC     string // members of others' classes do not reach its own, unless it is public
	In, Out []Match
}

// Match allows packets from or to one peer: a network, or the members of a
// class.
type Match struct {
	Protocol, From, To int          // as in Rule
	Network            netip.Prefix // invalid: the peer is a class
	Class              int          // its index
}

// Compile makes of the policy what each class of members allows; the class of
// kinds[i] is the i-th. Rules that can meet nobody are left out.
func (p Policy) Compile(kinds []Kind) []Class {
	out := make([]Class, len(kinds))
	for i, k := range kinds {
		out[i] = Class{Kind: k, VPC: p.VPC(k.Groups)}
	}
	for i := range out {
		out[i].In, out[i].Out = p.matches(out[i], false, out), p.matches(out[i], true, out)
	}
	return out
}

func (p Policy) matches(of Class, egress bool, all []Class) []Match {
	var out []Match
	add := func(m Match) {
		if !slices.Contains(out, m) { // two groups may say the same
			out = append(out, m)
		}
	}
	for _, g := range p.Groups {
		if !slices.Contains(of.Groups, g.ID) {
			continue
		}
		for _, r := range g.Rules {
			m := Match{Protocol: r.Protocol, From: r.From, To: r.To, Network: r.Network}
			switch {
			case r.Egress != egress || (r.Network.IsValid() && !r.Network.Addr().Is4()): // there is no IPv6
			case r.Network.IsValid():
				add(m)
			case r.Group != "":
				for m.Class = range all {
					if all[m.Class].VPC == of.VPC && slices.Contains(all[m.Class].Groups, r.Group) {
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
	if f.From.Member && f.To.Member && classes[from].VPC != classes[to].VPC && !classes[to].Public {
		return false
	}
	return (!f.From.Member || met(classes[from].Out, f.To, to)) &&
		(!f.To.Member || met(classes[to].In, f.From, from))
}
