package balancer

import (
	"net/netip"
	"slices"
	"strings"

	"neargate/internal/model"
)

// dnsName returns the DNSName of a new load balancer. Names below localhost mean
// the loopback address to resolvers (RFC 6761), so that they work without any
// set-up, where programs ask for them by such a resolver.
func (b *Balancer) dnsName(lb model.LoadBalancer) string {
	if b.cfg.Domain != "" {
		return strings.ToLower(lb.Name) + "." + b.cfg.Domain
	}
	return b.cfg.Place.LoadBalancerName(lb) + ".localhost"
}

// aliases returns the other names of a load balancer: as AWS has it, below
// localhost, and in the domain, which may have come after the load balancer.
func (b *Balancer) aliases(lb model.LoadBalancer) []string {
	name := b.cfg.Place.LoadBalancerName(lb)
	all := []string{name + ".amazonaws.com", name + ".localhost"}
	if b.cfg.Domain != "" {
		all = append(all, strings.ToLower(lb.Name)+"."+b.cfg.Domain)
	}
	return all
}

// Names returns all names of a load balancer, its DNSName first.
func (b *Balancer) Names(lb model.LoadBalancer) []string {
	all := []string{lb.DNSName}
	for _, name := range b.aliases(lb) {
		if !slices.Contains(all, name) {
			all = append(all, name)
		}
	}
	return all
}

// Ways are the addresses at which a load balancer takes connections.
type Ways struct {
	Machine netip.Addr // of programs of this machine
	Tasks   netip.Addr // of tasks; zero: they do not reach it
	conf    *lbConf
}

// Faces reports whether clients from outside reach the load balancer at an
// address of this machine, if there is a listener at it.
func (w Ways) Faces(a netip.Addr) bool { return w.conf.faces(a) }

// Named returns the ways to the load balancer with a DNS name, which is in lower
// case and has no final dot.
func (b *Balancer) Named(name string) (w Ways, ok bool) {
	b.mu.RLock()
	defer b.mu.RUnlock()
	for _, lb := range b.lbs {
		if c := lb.conf.Load(); slices.Contains(c.names, name) {
			return Ways{Machine: c.address, Tasks: lb.source, conf: c}, true
		}
	}
	return Ways{}, false
}
