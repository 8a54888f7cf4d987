package app

import (
	"net/netip"

	"neargate/internal/decide/firewall"
)

// filter is an engine that enforces security groups. Others leave the network to
// what runs the tasks.
type filter interface {
	// SetPolicy puts security groups in force, also for tasks that run;
	// connections that stand stay. Before the first call tasks reach nobody, and
	// only the server reaches them.
	SetPolicy(p firewall.Policy) error
	// Source returns an address for the named load balancer to connect to tasks
	// from; whom it reaches is up to its security groups and the tasks'. The
	// address stays the same until DropSource, also when the groups change.
	Source(name string, groups []string) (netip.Addr, error)
	// DropSource takes the address of a load balancer back. An unknown name is
	// no error.
	DropSource(name string) error
}

// enforce puts security groups in force, where the engine can.
func (p *parts) enforce(policy firewall.Policy) error {
	if f, ok := p.engine.(filter); ok {
		return f.SetPolicy(policy)
	}
	return nil
}
