// Package firewall decides which packets security groups let through, with
// AWS's semantics: a network interface has one group or several; a rule of any
// of them is enough; what no rule allows is dropped. Answers to what was allowed
// are always allowed; whoever enforces the decisions sees to that. Members of
// different VPCs are apart whatever their groups say, but for those that face the
// internet.
package firewall

import (
	"net/netip"
	"slices"
)

// Any stands for every protocol, every port, every ICMP type or code.
const Any = -1

// IP protocol numbers (IANA).
const (
	ICMP = 1
	TCP  = 6
	UDP  = 17
)

// Rule allows packets in one direction. Its peer is either a network or the
// members of a group; a rule with neither allows nothing.
type Rule struct {
	Egress   bool
	Protocol int // an IP protocol number, or Any
	From, To int // ports of TCP and UDP, both included; of ICMP type and code
	Network  netip.Prefix
	Group    string
}

// Group is a security group.
type Group struct {
	ID    string
	VPC   string // where it is; members of its groups are there too
	Rules []Rule
}

// Policy is all groups, and the one of members that name none.
type Policy struct {
	Groups  []Group
	Default string
}

// Of returns the groups of a member that names the given ones, sorted and each
// once.
func (p Policy) Of(named []string) []string {
	if len(named) == 0 {
		return []string{p.Default}
	}
	out := slices.Clone(named)
	slices.Sort(out)
	return slices.Compact(out)
}

// VPC returns where a member with the groups is: in the VPC of the first of them
// that there is. A group is of one VPC, and a member's groups are all of one.
func (p Policy) VPC(groups []string) string {
	for _, id := range groups {
		if i := slices.IndexFunc(p.Groups, func(g Group) bool { return g.ID == id }); i >= 0 {
			return p.Groups[i].VPC
		}
	}
	return ""
}

// Party is one end of a flow. Outside the instance it has no groups and nothing
// is asked of it.
type Party struct {
	Address netip.Addr
	Member  bool
	Groups  []string // of a member, as Policy.Of returns them
	// Public says that members of other VPCs reach it as all the world does: not
	// by their groups. So is a load balancer that faces the internet.
	Public bool
}

// Flow is what the first packet of a connection says.
type Flow struct {
	From, To   Party
	Protocol   int
	Port       int // where to; of TCP and UDP
	Type, Code int // of ICMP
}

// Allowed reports whether the sender may send and the receiver may receive.
func (p Policy) Allowed(f Flow) bool {
	from, to := f.From, f.To // as the other side sees them
	if from.Member && to.Member && p.VPC(from.Groups) != p.VPC(to.Groups) {
		if !to.Public {
			return false
		}
		from.Member, to.Member = false, false
	}
	return (!f.From.Member || p.some(f.From.Groups, true, f, to)) &&
		(!f.To.Member || p.some(f.To.Groups, false, f, from))
}

// some reports whether a rule of one of the groups allows the flow.
func (p Policy) some(groups []string, egress bool, f Flow, peer Party) bool {
	for _, g := range p.Groups {
		if !slices.Contains(groups, g.ID) {
			continue
		}
		for _, r := range g.Rules {
			if r.Egress == egress && covers(r.Protocol, r.From, r.To, f) && r.means(peer) {
				return true
			}
		}
	}
	return false
}

func (r Rule) means(peer Party) bool {
	if r.Network.IsValid() {
		return r.Network.Contains(peer.Address)
	}
	return r.Group != "" && peer.Member && slices.Contains(peer.Groups, r.Group)
}

// covers reports whether a protocol with its ports includes a flow.
func covers(protocol, from, to int, f Flow) bool {
	switch {
	case protocol == Any:
		return true
	case protocol != f.Protocol:
		return false
	case protocol == TCP || protocol == UDP:
		return from <= f.Port && f.Port <= to
	case protocol == ICMP:
		return (from == Any || from == f.Type) && (to == Any || to == f.Code)
	}
	return true
}
