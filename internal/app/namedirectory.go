package app

import (
	"net/netip"

	"neargate/internal/console"
	"neargate/internal/discovery"
	"neargate/internal/names"
)

// nameDirectory tells which names there are.
type nameDirectory struct{ *parts }

// Names returns the names of load balancers, and the zones.
func (d nameDirectory) Names() (console.Names, error) {
	n := console.Names{
		Machine: d.names.Addresses(names.Machine), World: d.names.Addresses(names.World), Domain: d.cfg.Domain,
		Zones: []string{"localhost", apiName},
	}
	if d.cfg.Domain != "" {
		n.Zones = append(n.Zones, d.cfg.Domain)
	}
	for _, ns := range d.discovery.Namespaces() {
		if ns.Type == discovery.PrivateDNS {
			n.Zones = append(n.Zones, ns.Name)
		}
	}
	public, err := d.cfg.publicAddresses()
	if err != nil {
		return n, err
	}
	for _, lb := range d.balancer.LoadBalancers() {
		ways, ok := d.balancer.Named(lb.DNSName)
		if !ok {
			continue // it has just been deleted
		}
		one := console.NamedBalancer{Names: d.balancer.Names(lb), Scheme: lb.Scheme, Machine: ways.Machine, World: []netip.Addr{}}
		for _, a := range public {
			if ways.Faces(a) {
				one.World = append(one.World, a)
			}
		}
		n.LoadBalancers = append(n.LoadBalancers, one)
	}
	return n, nil
}
