package app

import (
	"context"
	"fmt"
	"net/netip"

	"neargate/internal/balancer"
	"neargate/internal/decide/firewall"
	"neargate/internal/vpc"
)

// filter is an engine that enforces security groups. Others leave the network to
// what runs the tasks.
type filter interface {
	// SetPolicy puts security groups in force, also for tasks that run;
	// connections that stand stay. Before the first call tasks reach nobody, and
	// only the server reaches them.
	SetPolicy(p firewall.Policy) error
	// Source returns an address for the named load balancer to connect to tasks
	// from, the kept one where that is free; whom it reaches is up to its security
	// groups and the tasks'. The address stays the same until DropSource, also when
	// the groups change.
	Source(name string, kept netip.Addr, groups []string) (netip.Addr, error)
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
		cfg.Sources, cfg.Network = f, p.engine.Capabilities().Network
	}
	return cfg
}

// openNetworks opens the networks, and puts their security groups in force.
func (p *parts) openNetworks(ctx context.Context) (err error) {
	p.networks, err = vpc.Open(ctx, p.db, vpc.Config{
		Place: p.cfg.Place, CIDR: p.engine.Capabilities().Network, OnPolicy: p.enforce, Interfaces: p.interfaces,
	})
	if err != nil {
		return fmt.Errorf("open the networks: %w", err)
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
