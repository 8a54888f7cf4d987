package local

import (
	"fmt"
	"net/netip"

	"neargate/internal/model"
	"neargate/internal/runtime"
)

// Gateway returns the machine's address among those of tasks.
func (e *Engine) Gateway() netip.Addr { return e.net.Gateway() }

// OpenPorts lets every task reach the ports of this machine, and no others from
// the call before.
func (e *Engine) OpenPorts(ports []runtime.Port) error {
	if err := e.net.OpenPorts(ports); err != nil {
		return fmt.Errorf("open the server's ports to tasks: %w", err)
	}
	return nil
}

// TaskAt returns the task that has an address.
func (e *Engine) TaskAt(address netip.Addr) (model.RunState, bool) {
	e.mu.Lock()
	t := e.at[address]
	e.mu.Unlock()
	if t == nil {
		return model.RunState{}, false
	}
	return t.state(), true
}

// moveIn makes the task the one at its address. What is recorded of the task
// does not change from then on.
func (e *Engine) moveIn(t *task) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.at[t.rec.Address] = t
}

// moveOut is for a task that is there no more, before its address is free.
func (e *Engine) moveOut(t *task) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.at[t.rec.Address] == t {
		delete(e.at, t.rec.Address)
	}
}
