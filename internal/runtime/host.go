package runtime

import (
	"net/netip"

	"neargate/internal/model"
)

// Host is an engine whose tasks run on the server's own machine, where they can
// reach services of the server. Engines need not be one.
type Host interface {
	// Gateway returns the machine's address among those of tasks, which every
	// task reaches. It never changes.
	Gateway() netip.Addr
	// OpenPorts lets every task reach the ports, and no others from the call
	// before, whatever security groups and the reach of tasks say. Who connects
	// does so from its task's own address: no task can use another's.
	OpenPorts(ports []Port) error
	// TaskAt returns the task that has an address, as soon as one of its
	// containers can send from it and until the task has ended. A task that is
	// still starting has a zero StartedAt.
	TaskAt(address netip.Addr) (model.RunState, bool)
}

// Port is where tasks reach a service of the server.
type Port struct {
	UDP bool // else TCP
	// Address is where tasks send to: a port of the gateway, or of an address
	// that means the machine to tasks, such as 169.254.170.2.
	Address netip.AddrPort
	// Listener is the port of the gateway that the service listens on. It may be
	// another one, so that programs of the machine can have the known port.
	Listener uint16
}
