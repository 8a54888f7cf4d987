package network

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"

	"github.com/google/nftables"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"neargate/internal/model"
)

// Source returns an address for a load balancer to connect to tasks from, and
// lets through what its security groups allow. It is of its subnets or of the
// instance's own network, as those of tasks; the kept one where that is free
// there, and the same until DropSource.
func (n *Network) Source(s model.Source) (netip.Addr, error) {
	n.mu.Lock()
	a, known := n.sources[s.Name]
	n.mu.Unlock()
	if !known {
		var err error
		if a, _, err = n.takeOf(s.Kept, s.Subnets); err != nil {
			return a, err
		}
		if err := netlink.AddrReplace(n.home, addressOf(netip.PrefixFrom(a, 32))); err != nil {
			return a, errors.Join(fmt.Errorf("set address of load balancer: %w", err), n.Release(a))
		}
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.sources[s.Name] = a
	m := n.member("", s.SecurityGroups, s.Public)
	if known && key(m.kind) == key(n.members[a].kind) {
		return a, nil
	}
	n.members[a] = m
	if known { // an element that is there cannot be changed
		return a, n.renderLocked()
	}
	return a, n.addLocked(a)
}

// SetDoors names the ports that the named load balancer listens on: who may
// connect to them is up to the security groups, and nobody may to other ports of
// its address, where programs of this machine could answer that listen
// everywhere.
func (n *Network) SetDoors(name string, ports []uint16) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	a, known := n.sources[name]
	if !known || slices.Equal(n.doors[name], ports) {
		return nil
	}
	was := n.doors[name]
	n.doors[name] = slices.Clone(ports)
	var fresh []nftables.SetElement
	for _, p := range ports {
		if !slices.Contains(was, p) {
			fresh = append(fresh, doorElement(a, p))
		}
	}
	switch {
	case !n.governed:
		return nil // the first policy brings them
	case n.rendered == nil || len(fresh)+len(was) > len(ports): // one is to go
		return n.renderLocked()
	}
	return n.change("open the ports of a load balancer", func(c *nftables.Conn) error {
		return c.SetAddElements(n.rendered.doors, fresh)
	})
}

// DropSource takes back the address of a load balancer. An unknown name is no
// error.
func (n *Network) DropSource(name string) error {
	n.mu.Lock()
	a, known := n.sources[name]
	delete(n.sources, name)
	delete(n.doors, name)
	n.mu.Unlock()
	if !known {
		return nil
	}
	err := netlink.AddrDel(n.home, addressOf(netip.PrefixFrom(a, 32)))
	if errors.Is(err, unix.EADDRNOTAVAIL) {
		err = nil
	}
	n.dismiss(a)
	return errors.Join(err, n.Release(a))
}
