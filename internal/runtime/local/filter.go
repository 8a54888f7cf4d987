package local

import (
	"fmt"
	"net/netip"

	"neargate/internal/decide/firewall"
)

// SetPolicy puts security groups in force, also for tasks that run; connections
// that stand stay. Before the first call tasks reach nobody, and only this
// machine reaches them.
func (e *Engine) SetPolicy(p firewall.Policy) error {
	if err := e.net.SetPolicy(p); err != nil {
		return fmt.Errorf("put security groups in force: %w", err)
	}
	return nil
}

// Source returns an address for the named load balancer to connect to tasks
// from, and puts its security groups in force. It is the kept one, of an earlier
// process, where that is free.
func (e *Engine) Source(name string, kept netip.Addr, groups []string) (netip.Addr, error) {
	a, err := e.net.Source(name, kept, groups)
	if err != nil {
		return a, fmt.Errorf("open the way from load balancer %s: %w", name, err)
	}
	return a, e.saveNetwork()
}

// SetDoors names the ports that the named load balancer listens on.
func (e *Engine) SetDoors(name string, ports []uint16) error {
	if err := e.net.SetDoors(name, ports); err != nil {
		return fmt.Errorf("open the way to load balancer %s: %w", name, err)
	}
	return nil
}

// DropSource takes the address of a load balancer back.
func (e *Engine) DropSource(name string) error {
	if err := e.net.DropSource(name); err != nil {
		return fmt.Errorf("close the way from load balancer %s: %w", name, err)
	}
	return nil
}
