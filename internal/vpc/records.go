package vpc

import (
	"net/netip"
	"time"
)

// VPC is a network of its own. The first of its CIDRs is the one it was made
// with.
type VPC struct {
	ID, Tenancy, DHCPOptions string

	CIDRs                    []Block
	IPv6CIDRs                []Block
	Default                  bool
	DNSSupport, DNSHostnames bool
	UsageMetrics             bool
}

// Block is a range of addresses that is associated with a VPC or a subnet.
type Block struct {
	ID, CIDR string
}

// Subnet is a part of a VPC in one zone.
type Subnet struct {
	ID, VPC, CIDR, Zone, ZoneID string
	ACL, ACLAssociation         string
	HostnameType                string // "ip-name" or "resource-name"

	IPv6CIDRs       []Block
	Default         bool
	PublicIPs       bool // tasks are asked to get public addresses
	IPv6Addresses   bool // likewise
	DNS64           bool
	ResourceA       bool // names of instances resolve, by A and by AAAA
	ResourceAAAA    bool
	IPv6Native      bool
	CustomerOwnedIP bool
}

// Hosts is how many addresses of a subnet AWS leaves for use: all but five.
func (s Subnet) Hosts() int {
	p, err := netip.ParsePrefix(s.CIDR)
	if err != nil {
		return 0
	}
	return 1<<(32-p.Bits()) - 5
}

// Gateway is an internet gateway. VPC is "" while it is not attached.
type Gateway struct {
	ID, VPC string
}

// EgressGateway is an egress-only internet gateway.
type EgressGateway struct {
	ID, VPC string
}

// NATGateway is a NAT gateway.
type NATGateway struct {
	ID, VPC, Subnet, Connectivity                       string // connectivity: "public" or "private"
	Allocation, PublicIP, PrivateIP, Interface, AddrAID string // AddrAID: the association of its elastic address

	CreatedAt time.Time
}

// RouteTable is a route table.
type RouteTable struct {
	ID, VPC string

	Routes       []Route
	Associations []Association
}

// Route leads one destination to one target. Exactly one destination and one
// target are set.
type Route struct {
	CIDR, IPv6CIDR, PrefixList                                      string
	Gateway, NATGateway, EgressGateway, Interface, Endpoint, Origin string // Gateway: an internet gateway, or "local"
}

// Destination is where a route leads, which names it within its table.
func (r Route) Destination() string { return r.CIDR + r.IPv6CIDR + r.PrefixList }

// Association is what a route table holds for: a subnet, an internet gateway, or
// as the VPC's main table all else.
type Association struct {
	ID, Subnet, Gateway string

	Main bool
}

// Address is an elastic address.
type Address struct {
	ID, IP, AssociationID, Interface, PrivateIP string // ID: of the allocation
}

// ACL is a network ACL. It is kept, and not enforced.
type ACL struct {
	ID, VPC string

	Default bool
	Entries []ACLEntry
}

// ACLEntry is a rule of a network ACL.
type ACLEntry struct {
	Number                           int
	Egress                           bool
	Protocol, Action, CIDR, IPv6CIDR string

	From, To           int  // ports; 0 to 0 without
	Ports              bool // whether there are
	ICMPType, ICMPCode int
	ICMP               bool
}

// DHCPOptions are what instances are told of a network. They are kept: tasks have
// the server's resolver.
type DHCPOptions struct {
	ID string

	Values []DHCPValue
}

// DHCPValue is one option.
type DHCPValue struct {
	Key    string
	Values []string
}

// Endpoint is a VPC endpoint. It is kept: the services that answer here are
// reached without.
type Endpoint struct {
	ID, VPC, Type, Service, Policy, IPAddressType string // type: "Gateway", "Interface" or "GatewayLoadBalancer"

	RouteTables, Subnets, Groups []string
	PrivateDNS                   bool
	CreatedAt                    time.Time
}

// Group is a security group with its rules, by ID.
type Group struct {
	ID, VPC, Name, Description string

	Rules []Rule // in the order they were made
}

// Rule is one rule of a security group. From and To are ports, of ICMP the type
// and code, -1 for any.
type Rule struct {
	ID          string
	Egress      bool
	Protocol    string // "tcp", "udp", "icmp", "icmpv6", a number, or "-1" for all
	From, To    int
	Peer        Peer
	Description string
}

// Peer is the other side of a rule; exactly one of its fields is set.
type Peer struct {
	CIDR4, CIDR6, Group, PrefixList string
}

// String returns the field that is set.
func (p Peer) String() string { return p.CIDR4 + p.CIDR6 + p.Group + p.PrefixList }

// Same reports whether two rules allow the same thing.
func (r Rule) Same(o Rule) bool {
	return r.Egress == o.Egress && r.Protocol == o.Protocol && r.From == o.From && r.To == o.To && r.Peer == o.Peer
}

// Interface is the network interface of a task, a load balancer or a NAT gateway.
type Interface struct {
	ID             string // eni-…
	Type           string // "" is "interface"
	Address        netip.Addr
	PublicAddress  netip.Addr // zero: none
	MAC            string
	Subnet         string
	SecurityGroups []string
	Description    string
	AttachmentID   string
	Owner          string // who attached it: an account of AWS
	CreatedAt      time.Time
}
