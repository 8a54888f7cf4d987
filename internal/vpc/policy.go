package vpc

import (
	"cmp"
	"net"
	"net/netip"
	"slices"
	"strconv"

	"neargate/internal/decide/firewall"
)

// Policy returns all security groups, to be put in force.
func (n *Networks) Policy() firewall.Policy {
	p := firewall.Policy{Default: n.home.group}
	for _, g := range n.groups.List("") {
		out := firewall.Group{ID: g.ID, VPC: g.VPC}
		for _, r := range g.Rules {
			out.Rules = append(out.Rules, r.inForce())
		}
		p.Groups = append(p.Groups, out)
	}
	return p
}

// inForce is the rule as it is enforced. One with a prefix list allows nothing:
// the lists are those of AWS's own networks, which are not here.
func (r Rule) inForce() firewall.Rule {
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
		out.Protocol, _ = strconv.Atoi(r.Protocol) // a number: the face lets nothing else through
	}
	if network, err := netip.ParsePrefix(r.Peer.CIDR4 + r.Peer.CIDR6); err == nil {
		out.Network = network
	}
	return out
}

// Interfaces returns the network interfaces that there are, by ID, in a list of
// the caller's own.
func (n *Networks) Interfaces() []Interface {
	var all []Interface
	if n.cfg.Interfaces != nil {
		all = n.cfg.Interfaces()
	}
	for _, g := range n.natGateways.List("") {
		address, _ := netip.ParseAddr(g.PrivateIP)
		public, _ := netip.ParseAddr(g.PublicIP) // a private one has none
		all = append(all, Interface{
			ID: g.Interface, Type: "nat_gateway", Address: address, PublicAddress: public, Subnet: g.Subnet, CreatedAt: g.CreatedAt,
			Description: "Interface for NAT Gateway " + g.ID, AttachmentID: "ela-attach-" + g.ID[len("nat-"):], Owner: "amazon-aws", MAC: mac(address),
		})
	}
	slices.SortFunc(all, func(a, b Interface) int { return cmp.Compare(a.ID, b.ID) })
	return all
}

// mac is made of the address, as those of tasks.
func mac(a netip.Addr) string {
	if !a.Is4() {
		return ""
	}
	b := a.As4()
	return net.HardwareAddr{0x02, 0x4e, b[0], b[1], b[2], b[3]}.String()
}
