package network

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"

	"github.com/vishvananda/netlink"
)

// subnetBits is the size of an instance's subnet: as that of a subnet of AWS's
// default VPC.
const subnetBits = 20

// widest is the size from which on a route counts as a network. Wider ones, as
// 0.0.0.0/1 of a VPN, are default routes by another name.
const widest = 8

// Overlap means that tasks run in a subnet that the machine reaches over another
// link as well, so that the one's packets would go to the other.
type Overlap struct { //nolint:errname // it reads as network.Overlap
	Subnet, Route netip.Prefix
	Link          string
}

// Error returns what overlaps.
func (o *Overlap) Error() string {
	return fmt.Sprintf("the network of the tasks that run, %s, overlaps %s of link %s", o.Subnet, o.Route, o.Link)
}

// route is a network that the machine reaches over a link.
type route struct {
	to   netip.Prefix
	link string
}

// chooseSubnet keeps the subnet when nobody else uses it, and chooses another
// otherwise.
func (c *Config) chooseSubnet() error {
	foreign, err := routes(c.ID)
	if err != nil {
		return err
	}
	subnet, err := choose(c.State.Subnet, c.Occupied, foreign)
	if err != nil {
		return err
	}
	if subnet != c.State.Subnet {
		c.State = State{Subnet: subnet}
	}
	return nil
}

// choose returns the kept subnet or another that touches none of the routes.
func choose(kept netip.Prefix, occupied bool, foreign []route) (netip.Prefix, error) {
	if kept.IsValid() {
		other, taken := overlapping(kept, foreign)
		if !taken {
			return kept, nil
		}
		if occupied {
			return kept, &Overlap{Subnet: kept, Route: other.to, Link: other.link}
		}
	}
	for _, c := range candidates() {
		if _, taken := overlapping(c, foreign); !taken {
			return c, nil
		}
	}
	return netip.Prefix{}, errors.New("choose subnet: every candidate (172.31.0.0/16, 10.31.0.0/16 and others) overlaps a route of this machine")
}

func overlapping(p netip.Prefix, foreign []route) (route, bool) {
	for _, r := range foreign {
		if p.Overlaps(r.to) {
			return r, true
		}
	}
	return route{}, false
}

// candidates are the subnets to choose from: those of the default VPC first.
func candidates() []netip.Prefix {
	var out []netip.Prefix
	for _, vpc := range []string{"172.31.0.0/16", "10.31.0.0/16", "10.131.0.0/16", "10.231.0.0/16"} {
		base := netip.MustParsePrefix(vpc).Addr().As4()
		for third := 0; third < 256; third += 1 << (24 - subnetBits) {
			base[2] = byte(third)
			out = append(out, netip.PrefixFrom(netip.AddrFrom4(base), subnetBits))
		}
	}
	return out
}

// routes lists the IPv4 networks that the machine reaches in any routing table,
// but over the links of the instance with the ID, and without default routes.
func routes(id string) ([]route, error) {
	names, err := linkNames()
	if err != nil {
		return nil, err
	}
	all, err := settled(func() ([]netlink.Route, error) {
		return netlink.RouteListFiltered(netlink.FAMILY_V4, &netlink.Route{}, netlink.RT_FILTER_TABLE)
	})
	if err != nil {
		return nil, fmt.Errorf("list routes: %w", err)
	}
	var out []route
	for _, r := range all {
		if r.Dst == nil {
			continue
		}
		addr, ok := netip.AddrFromSlice(r.Dst.IP.To4())
		ones, _ := r.Dst.Mask.Size()
		link := names[r.LinkIndex]
		if ok && ones >= widest && link != HomeName(id) && !strings.HasPrefix(link, taskPrefix(id)) {
			out = append(out, route{netip.PrefixFrom(addr, ones), link})
		}
	}
	return out, nil
}

// settled lists again what has changed while the kernel listed it, as happens
// while tasks of another instance come and go.
func settled[T any](list func() ([]T, error)) ([]T, error) {
	const tries = 100
	for n := 1; ; n++ {
		all, err := list()
		if n == tries || !errors.Is(err, netlink.ErrDumpInterrupted) {
			return all, err
		}
	}
}

// linkNames maps the indexes of links to their names.
func linkNames() (map[int]string, error) {
	links, err := settled(netlink.LinkList)
	if err != nil {
		return nil, fmt.Errorf("list links: %w", err)
	}
	names := map[int]string{}
	for _, l := range links {
		names[l.Attrs().Index] = l.Attrs().Name
	}
	return names, nil
}
