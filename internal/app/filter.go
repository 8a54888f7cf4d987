package app

import (
	"context"
	"fmt"
	"net/netip"

	"neargate/internal/balancer"
	"neargate/internal/decide/firewall"
	"neargate/internal/model"
	"neargate/internal/vpc"
)

// filter is an engine that enforces security groups. Others leave the network to
// what runs the tasks.
type filter interface {
	// SetPolicy puts security groups in force, also for tasks that run;
	// connections that stand stay. Before the first call tasks reach nobody, and
	// only the server reaches them.
	SetPolicy(p firewall.Policy) error
	// Source returns an address for a load balancer to connect to tasks from, the
	// kept one where that is free; whom it reaches is up to its security groups and
	// the tasks'. The address stays the same until DropSource, also when the groups
	// change.
	Source(s model.Source) (netip.Addr, error)
	// HasAddress reports whether an address is of a network that tasks are in now.
	HasAddress(a netip.Addr) bool
	// SetDoors names the ports that the load balancer listens on at its address.
	// Tasks reach these, as its security groups and theirs allow, and no others.
	SetDoors(name string, ports []uint16) error
	// DropSource takes the address of a load balancer back. An unknown name is
	// no error.
	DropSource(name string) error
}

// withSources lets load balancers connect to tasks from addresses of their own,
// where the engine filters by them.
func (p *parts) withSources(cfg balancer.Config) balancer.Config {
	if f, ok := p.engine.(filter); ok {
		cfg.Sources = sources{f, p}
	}
	return cfg
}

// sources gets load balancers their addresses among the tasks, in their subnets
// where those have addresses to be had.
type sources struct {
	filter
	parts *parts
}

// Source returns the address of a load balancer.
func (s sources) Source(lb model.LoadBalancer) (netip.Addr, error) {
	return s.filter.Source(model.Source{
		Name: lb.ARN, Kept: lb.Source, SecurityGroups: lb.SecurityGroups, Public: lb.Scheme == "internet-facing",
		Subnets: s.parts.networks.Ranges(lb.Subnets),
	})
}

// isTaskAddress reports whether an address is of a network that tasks are in.
func (p *parts) isTaskAddress(a netip.Addr) bool {
	if f, ok := p.engine.(filter); ok {
		return f.HasAddress(a)
	}
	return p.engine.Capabilities().Network.Contains(a)
}

// openNetworks opens the networks, and puts their security groups in force. Where
// another server still serves, its packet filter stays until this one has its load
// balancers and endpoints up: govern puts its own in the place.
func (p *parts) openNetworks(ctx context.Context, takesOver bool) (err error) {
	p.networks, err = vpc.Open(ctx, p.db, vpc.Config{
		Place: p.cfg.Place, CIDR: p.engine.Capabilities().Network, OnPolicy: p.enforce, Interfaces: p.interfaces,
	})
	if err != nil {
		return fmt.Errorf("open the networks: %w", err)
	}
	if p.ungoverned = takesOver; takesOver {
		return nil
	}
	return p.enforce(p.networks.Policy())
}

// govern puts security groups in force, if that is not done.
func (p *parts) govern(ctx context.Context) error {
	if !p.ungoverned {
		return nil
	}
	select {
	case <-p.connect.Ready():
	case <-ctx.Done():
		return nil
	}
	return p.enforce(p.networks.Policy())
}

// enforce puts security groups in force: for clients of load balancers from
// outside, for tasks that reach each other through Service Connect, and between tasks where the engine can.
func (p *parts) enforce(policy firewall.Policy) error {
	p.balancer.SetPolicy(policy)
	p.connect.SetPolicy(policy)
	if f, ok := p.engine.(filter); ok {
		return f.SetPolicy(policy)
	}
	return nil
}
