package supervisor

import (
	"errors"
	"os"
	"os/exec"

	"github.com/opencontainers/runc/libcontainer"
)

// another is a process in the container with the user, the environment, the
// directory and the limits of the first.
func (c *container) another(args []string) *libcontainer.Process {
	p := *c.process
	return &libcontainer.Process{
		Args: args, Env: p.Env, Cwd: p.Cwd, UID: p.UID, GID: p.GID,
		AdditionalGroups: p.AdditionalGroups, Rlimits: p.Rlimits,
	}
}

// join starts a process in the container, confined as the first is, and returns
// when its program has been started. await must follow.
func (c *container) join(p *libcontainer.Process) error {
	gate, child, err := newGate()
	if err != nil {
		return err
	}
	defer gate.close()
	defer func() { _ = child.Close() }()
	if err := gate.send(c.order.Filter); err != nil {
		return err
	}
	p.ExtraFiles = []*os.File{child}
	c.joining.Lock()
	defer c.joining.Unlock()
	if err := c.handle.Run(p); err != nil {
		c.reapOrphans()
		return cleanError(err)
	}
	if pid, err := p.Pid(); err == nil {
		c.joined[pid] = true
	}
	return nil
}

// await waits for the end of a process that has joined the container.
func (c *container) await(p *libcontainer.Process) (*os.ProcessState, error) {
	state, err := wait(p)
	c.joining.Lock()
	defer c.joining.Unlock()
	if pid, err := p.Pid(); err == nil {
		delete(c.joined, pid)
	}
	if _, ok := errors.AsType[*exec.ExitError](err); ok {
		err = nil // the state has it
	}
	return state, err
}
