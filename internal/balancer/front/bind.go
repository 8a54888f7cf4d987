package front

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"syscall"

	"neargate/internal/model"
)

// bind listens on a port of each address, or on none. A loopback address that
// this machine does not have (IPv6 switched off; 127.x.y.z where only 127.0.0.1
// is set up) is left out.
func (l Listen) bind(ctx context.Context, port int, addresses ...netip.Addr) (map[netip.Addr]net.Listener, error) {
	sockets := map[netip.Addr]net.Listener{}
	for _, a := range addresses {
		s, err := l.at(ctx, netip.AddrPortFrom(a, uint16(port)))
		switch {
		case err == nil:
			sockets[a] = s
		case absent(err) && a.IsLoopback() && a != loopback4():
		default:
			closeSockets(sockets)
			return nil, errPort(port, err)
		}
	}
	return sockets, nil
}

func (l Listen) at(ctx context.Context, at netip.AddrPort) (net.Listener, error) {
	network := "tcp4"
	if at.Addr().Is6() {
		network = "tcp6"
	}
	return l(ctx, network, at.String())
}

// absent reports whether an address could not be listened on because the machine
// does not have it.
func absent(err error) bool {
	return errors.Is(err, syscall.EADDRNOTAVAIL) || errors.Is(err, syscall.EAFNOSUPPORT)
}

func closeSockets(sockets map[netip.Addr]net.Listener) {
	for _, s := range sockets {
		_ = s.Close() // nothing was written
	}
}

// errPort returns why a port cannot be had. AWS has no such failure; the code is
// the one that clients know for a listener that cannot be.
func errPort(port int, err error) error {
	why := err.Error()
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		why = "another process on this machine listens on it"
	case errors.Is(err, syscall.EACCES):
		why = "this user may not listen on ports under 1024"
	}
	e := model.Errorf(model.Conflict, "InvalidConfigurationRequest", "Port %d cannot be used: %s", port, why)
	e.Err = fmt.Errorf("listen on port %d: %w", port, err)
	return e
}

// reason is what a caller of the APIs is told of an error.
func reason(err error) string {
	if e, ok := errors.AsType[*model.Error](err); ok {
		return e.Msg
	}
	return err.Error()
}
