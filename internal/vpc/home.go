package vpc

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"net/netip"
	"strconv"
	"strings"

	"neargate/internal/model"
)

// zones is how many availability zones there are.
const zones = 3

// Zone is an availability zone.
type Zone struct {
	Name, ID string
}

// home is what stands from the start: the zones, and the IDs of the default VPC
// and what belongs to it. They follow from the account and the region, so they
// are the same after every start.
type home struct {
	vpc, group, gateway, routeTable, acl, dhcp string

	mainAssociation, cidrAssociation string
	cidr                             netip.Prefix
	zones                            []Zone
	subnets                          []string // one in each zone
	place                            model.Place
}

func newHome(cfg Config) home {
	h := home{cidr: cfg.CIDR.Masked(), place: cfg.Place}
	h.vpc, h.group, h.gateway, h.routeTable = h.id("vpc", "default"), h.id("sg", "default"), h.id("igw", "default"), h.id("rtb", "main")
	h.acl, h.dhcp = h.id("acl", "default"), h.id("dopt", "default")
	h.mainAssociation, h.cidrAssociation = h.id("rtbassoc", "main"), h.id("vpc-cidr-assoc", "default")
	for i := range zones {
		letter := string(rune('a' + i))
		h.zones = append(h.zones, Zone{cfg.Place.Region + letter, zoneID(cfg.Place.Region, i+1)})
		h.subnets = append(h.subnets, h.id("subnet", letter))
	}
	return h
}

func (h home) id(kind, name string) string {
	sum := sha256.Sum256([]byte(h.place.Account + "/" + h.place.Region + "/" + kind + "/" + name))
	return kind + "-" + hex.EncodeToString(sum[:])[:17]
}

// settle makes what is missing of the default VPC, and gives it today's network.
func (n *Networks) settle(c *change) error {
	h := n.home
	if _, ok := c.dhcpOptions.Get(h.dhcp); !ok {
		c.dhcpOptions.Put(h.dhcp, DHCPOptions{ID: h.dhcp, Values: []DHCPValue{
			{"domain-name", []string{h.place.PrivateDomain()}}, {"domain-name-servers", []string{"AmazonProvidedDNS"}},
		}})
	}
	v, ok := c.vpcs.Get(h.vpc)
	if !ok {
		v = VPC{ID: h.vpc, Default: true, Tenancy: "default", DHCPOptions: h.dhcp, DNSSupport: true, DNSHostnames: true}
		c.gateways.Put(h.gateway, Gateway{ID: h.gateway, VPC: h.vpc})
		c.furnish(v.ID, belongings{h.group, h.routeTable, h.mainAssociation, h.acl})
		c.route(h.routeTable, Route{CIDR: "0.0.0.0/0", Gateway: h.gateway, Origin: "CreateRoute"})
	}
	v.CIDRs = []Block{{h.cidrAssociation, h.cidr.String()}}
	c.vpcs.Put(v.ID, v)
	for i, id := range h.subnets {
		s, ok := c.subnets.Get(id)
		if !ok {
			s = Subnet{ID: id, VPC: h.vpc, Zone: h.zones[i].Name, ZoneID: h.zones[i].ID, Default: true, PublicIPs: true, HostnameType: "ip-name", ACL: h.acl, ACLAssociation: h.id("aclassoc", id)}
		}
		s.CIDR = quarter(h.cidr, i).String()
		c.subnets.Put(id, s)
	}
	for _, g := range c.groups.List("") {
		if g.VPC == "" { // made when there was one VPC
			g.VPC = h.vpc
			c.groups.Put(g.ID, g)
		}
	}
	return nil
}

// quarter returns the i-th fourth of a network.
func quarter(p netip.Prefix, i int) netip.Prefix {
	bits := p.Bits() + 2
	a4 := p.Addr().As4()
	n := binary.BigEndian.Uint32(a4[:]) | uint32(i)<<(32-bits)
	binary.BigEndian.PutUint32(a4[:], n)
	return netip.PrefixFrom(netip.AddrFrom4(a4), bits)
}

// zoneID shortens a region as AWS does: the first zone of ap-southeast-2 is
// apse2-az1.
func zoneID(region string, n int) string {
	short := strings.NewReplacer("-", "", "north", "n", "south", "s", "east", "e", "west", "w", "central", "c", "gov", "g").Replace(region)
	return short + "-az" + strconv.Itoa(n)
}

// Zones returns the availability zones.
func (n *Networks) Zones() []Zone { return n.home.zones }

// DefaultVPC returns the ID of the default VPC.
func (n *Networks) DefaultVPC() string { return n.home.vpc }

// DefaultSubnets returns the IDs of the default VPC's subnets, in the order of
// their zones.
func (n *Networks) DefaultSubnets() []string { return n.home.subnets }
