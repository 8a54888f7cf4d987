package local

import (
	"errors"
	"fmt"
	"net/netip"

	"neargate/internal/decide/firewall"
	"neargate/internal/model"
	"neargate/internal/runtime/local/network"
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

// Source returns an address for a load balancer to connect to tasks from, and
// puts its security groups in force. It is the kept one, of an earlier process,
// where that is free.
func (e *Engine) Source(s model.Source) (netip.Addr, error) {
	a, err := e.net.Source(s)
	if full, ok := errors.AsType[*network.ErrFull](err); ok {
		return a, model.Errorf(model.Invalid, "InvalidSubnet", "Not enough IP space available in %s. ELB requires at least 8 free IP addresses in each subnet.", full.Subnet)
	}
	if err != nil {
		return a, fmt.Errorf("open the way from load balancer %s: %w", s.Name, err)
	}
	return a, e.saveNetwork()
}

// HasAddress reports whether an address is of a network that tasks are in now.
func (e *Engine) HasAddress(a netip.Addr) bool { return e.net.Has(a) }

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
