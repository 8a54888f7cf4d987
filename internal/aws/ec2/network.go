package ec2

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"net/netip"
	"strconv"
	"strings"
)

// zones is in how many availability zones the VPC has a subnet.
const zones = 3

// network is the default VPC and what belongs to it. Its ids follow from the
// account and the region, so they are the same after every start.
type network struct {
	vpcID, groupID           string
	gatewayID, routeTableID  string
	routesID, cidrID, dhcpID string // of the associations, and the DHCP options
	cidr                     netip.Prefix
	subnets                  []subnet
}

type subnet struct {
	id, zone, zoneID string
	cidr             netip.Prefix
}

func newNetwork(cfg Config) network {
	id := func(kind, name string) string {
		sum := sha256.Sum256([]byte(cfg.Place.Account + "/" + cfg.Place.Region + "/" + kind + "/" + name))
		return kind + "-" + hex.EncodeToString(sum[:])[:17]
	}
	n := network{
		vpcID: id("vpc", "default"), groupID: id("sg", "default"), gatewayID: id("igw", "default"), routeTableID: id("rtb", "main"),
		routesID: id("rtbassoc", "main"), cidrID: id("vpc-cidr-assoc", "default"), dhcpID: id("dopt", "default"),
		cidr: cfg.CIDR.Masked(),
	}
	for i := range zones {
		letter := string(rune('a' + i))
		n.subnets = append(n.subnets, subnet{
			id: id("subnet", letter), zone: cfg.Place.Region + letter,
			zoneID: zoneID(cfg.Place.Region, i+1), cidr: quarter(n.cidr, i),
		})
	}
	return n
}

// quarter gives the i-th fourth of a network.
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

// hosts is how many addresses of a subnet AWS leaves for use: all but five.
func (s subnet) hosts() int { return 1<<(32-s.cidr.Bits()) - 5 }

// Subnet gives the VPC and the availability zone of a subnet.
func (s *EC2) Subnet(id string) (vpcID, zone string, ok bool) {
	for _, sub := range s.net.subnets {
		if sub.id == id {
			return s.net.vpcID, sub.zone, true
		}
	}
	return "", "", false
}

// SubnetIDs gives the ids of the default VPC's subnets, in the order of their
// zones.
func (s *EC2) SubnetIDs() []string {
	ids := make([]string, len(s.net.subnets))
	for i, sub := range s.net.subnets {
		ids[i] = sub.id
	}
	return ids
}

// VpcID gives the id of the default VPC.
func (s *EC2) VpcID() string { return s.net.vpcID }

// DefaultSecurityGroup gives the id of the default VPC's default group.
func (s *EC2) DefaultSecurityGroup() string { return s.net.groupID }

// HasSecurityGroup says whether there is a security group with this id.
func (s *EC2) HasSecurityGroup(id string) bool {
	_, ok := s.groups.Get(id)
	return ok
}
