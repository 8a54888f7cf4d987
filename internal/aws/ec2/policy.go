package ec2

import (
	"net/netip"
	"strconv"

	"neargate/internal/decide/firewall"
)

// Policy returns all security groups, to be put in force.
func (s *EC2) Policy() firewall.Policy {
	p := firewall.Policy{Default: s.net.groupID}
	for _, g := range s.groups.List("") {
		out := firewall.Group{ID: g.ID}
		for _, r := range g.Rules {
			out.Rules = append(out.Rules, r.inForce())
		}
		p.Groups = append(p.Groups, out)
	}
	return p
}

// inForce is the rule as it is enforced. One with a prefix list allows nothing:
// there are no prefix lists.
func (r rule) inForce() firewall.Rule {
	out := firewall.Rule{Egress: r.Egress, From: r.From, To: r.To, Group: r.Peer.Group}
	switch r.Protocol {
	case "-1":
		out.Protocol = firewall.Any
	case "tcp":
		out.Protocol = firewall.TCP
	case "udp":
		out.Protocol = firewall.UDP
	case "icmp":
		out.Protocol = firewall.ICMP
	case "icmpv6":
		out.Protocol = 58
	default:
		out.Protocol, _ = strconv.Atoi(r.Protocol) // protocol let through only numbers
	}
	if network, err := netip.ParsePrefix(r.Peer.CIDR4 + r.Peer.CIDR6); err == nil {
		out.Network = network
	}
	return out
}
