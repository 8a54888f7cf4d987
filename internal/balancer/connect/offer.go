package connect

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"

	"neargate/internal/model"
)

// network is where the aliases' addresses come from: link-local, as those of VPC
// Lattice and of the task metadata are, and none that AWS has a use for.
func network() netip.Prefix { return netip.PrefixFrom(netip.AddrFrom4([4]byte{169, 254, 176, 0}), 20) }

// offer is an endpoint that a service offers.
type offer struct {
	namespaceARN, namespace string
	cluster, service        string
	model.ConnectService
}

// where is the alias of an endpoint.
type where struct {
	namespaceARN, name string
	port               int
}

func (o offer) at() where { return where{o.namespaceARN, o.Alias(o.namespace), o.Port} }

// Offer replaces the endpoints there are by those of the services. When it
// returns, tasks that start find their aliases.
func (c *Connect) Offer(ctx context.Context, services []model.Service) error {
	var all []offer
	for _, svc := range services {
		if svc.Connect == nil || svc.Status != model.Active {
			continue
		}
		for _, s := range svc.Connect.Services {
			all = append(all, offer{svc.Connect.NamespaceARN, svc.Connect.Namespace, svc.Cluster, svc.Name, s})
		}
	}
	slices.SortFunc(all, func(a, b offer) int {
		return cmp.Or(strings.Compare(a.DiscoveryARN, b.DiscoveryARN), strings.Compare(a.cluster, b.cluster), strings.Compare(a.service, b.service))
	})
	c.control.Lock()
	defer c.control.Unlock()
	c.offered = all
	return c.applyLocked(ctx)
}

// applyLocked brings endpoints, addresses and sockets to what is offered.
func (c *Connect) applyLocked(ctx context.Context) error {
	c.setEndpoints()
	err := c.setAddresses(ctx)
	if c.running && c.cfg.Ways != nil {
		err = errors.Join(err, c.setDoors(ctx))
	}
	c.behind = err != nil
	return err
}

// retry tries again what could not be done.
func (c *Connect) retry(ctx context.Context) {
	c.control.Lock()
	defer c.control.Unlock()
	if !c.behind {
		return
	}
	if err := c.applyLocked(ctx); err != nil {
		c.log.Warn("open endpoints", "error", err)
	}
}

// setEndpoints configures those that are offered, and forgets those that are not
// once they have no targets.
func (c *Connect) setEndpoints() {
	c.mu.Lock()
	defer c.mu.Unlock()
	offered := map[string]bool{}
	for _, o := range c.offered {
		offered[o.DiscoveryARN] = true
		c.endpointLocked(o.DiscoveryARN).configure(o)
	}
	for arn, e := range c.endpoints {
		if !offered[arn] && e.empty() {
			delete(c.endpoints, arn)
		}
	}
}

func (c *Connect) endpoint(arn string) *endpoint {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.endpointLocked(arn)
}

func (c *Connect) endpointLocked(arn string) *endpoint {
	e := c.endpoints[arn]
	if e == nil {
		e = newEndpoint(c, arn)
		c.endpoints[arn] = e
	}
	return e
}

func addressKey(w where) string { return w.namespaceARN + " " + w.name }

// setAddresses gives each alias an address, and takes those back that no alias
// has any more.
func (c *Connect) setAddresses(ctx context.Context) error {
	named, taken := map[string]bool{}, map[netip.Addr]bool{}
	for _, a := range c.table.List("") {
		taken[a.Address] = true
	}
	for _, o := range c.offered {
		if o.Port == 0 {
			continue
		}
		key := addressKey(o.at())
		named[key] = true
		if _, has := c.table.Get(key); has {
			continue
		}
		a, err := freeAddress(taken)
		if err != nil {
			return err
		}
		if err := c.table.Put(ctx, key, address{key, a}); err != nil {
			return fmt.Errorf("keep the address of %s: %w", o.at().name, err)
		}
	}
	for _, a := range c.table.List("") {
		if named[a.Key] {
			continue
		}
		if _, err := c.table.Delete(ctx, a.Key); err != nil {
			return fmt.Errorf("forget an address: %w", err)
		}
	}
	return nil
}

// freeAddress draws an address that no alias has. It is drawn at random, so that
// one that a task still knows by a former alias is not given away soon.
func freeAddress(taken map[netip.Addr]bool) (netip.Addr, error) {
	size := 1 << (32 - network().Bits())
	base := network().Addr().As4()
	first := rand.IntN(size)
	for i := range size {
		n := (first + i) % size
		a := netip.AddrFrom4([4]byte{base[0], base[1], base[2] + byte(n>>8), byte(n)})
		if low := byte(n); !taken[a] && low != 0 && low != 255 {
			taken[a] = true
			return a, nil
		}
	}
	return netip.Addr{}, fmt.Errorf("give an alias an address: all of %s are in use", network())
}

// setDoors opens a socket for each alias, and closes those that are none any
// more.
func (c *Connect) setDoors(ctx context.Context) error {
	wanted := map[where]offer{}
	for _, o := range c.offered {
		if o.Port != 0 {
			wanted[o.at()] = o
		}
	}
	var failed error
	for at, o := range wanted {
		d := c.doors[at]
		if d != nil && d.endpoint.arn == o.DiscoveryARN && d.tcp == o.tcp() {
			d.settle(o)
			continue
		}
		made, err := c.open(ctx, o)
		if err != nil {
			failed = errors.Join(failed, err)
			continue
		}
		if d != nil {
			defer d.drain()
		}
		c.doors[at] = made
	}
	for at, d := range c.doors {
		if _, still := wanted[at]; !still {
			delete(c.doors, at)
			defer d.drain() // when nobody is led there any more
		}
	}
	to := map[netip.AddrPort]uint16{}
	for _, d := range c.doors {
		to[d.address] = d.port
	}
	if err := c.cfg.Ways.Lead(to); err != nil {
		failed = errors.Join(failed, fmt.Errorf("lead tasks to endpoints: %w", err))
	}
	return failed
}

// Hosts returns the aliases of a namespace with their addresses, as a task that
// starts now gets them.
func (c *Connect) Hosts(namespaceARN string) []model.HostName {
	var out []model.HostName
	for _, a := range c.table.List(namespaceARN + " ") {
		_, name, _ := strings.Cut(a.Key, " ")
		out = append(out, model.HostName{Name: name, Address: a.Address})
	}
	return out
}
