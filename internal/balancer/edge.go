package balancer

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strconv"
	"sync"
	"syscall"

	"neargate/internal/model"
)

// edge owns the sockets. Every load balancer has a loopback address of its own
// and listens there; besides, all load balancers with a listener on a port
// share 127.0.0.1 and [::1] on that port, where the Host header picks one.
type edge struct {
	log   *slog.Logger
	serve func(*door, net.Listener) // set by Run before anything is opened

	mu     sync.Mutex
	shared map[int]*door        // by port; guarded by mu
	own    map[string]*door     // by listener ARN; guarded by mu
	failed map[string]*listener // could not be opened when the server started; guarded by mu
	down   bool                 // the server stops; guarded by mu
}

func newEdge(log *slog.Logger) *edge {
	return &edge{log: log, shared: map[int]*door{}, own: map[string]*door{}, failed: map[string]*listener{}}
}

// open opens a listener's sockets, or none and says why.
func (e *edge) open(ctx context.Context, l *listener) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.openLocked(ctx, l)
}

func (e *edge) openLocked(ctx context.Context, l *listener) error {
	if e.down {
		return model.Errorf(model.Unavailable, "ServiceUnavailable", "The server is stopping")
	}
	own, err := bind(ctx, l.port, l.lb.conf.Load().address)
	if err != nil {
		return err
	}
	shared, known := e.shared[l.port]
	if !known {
		sockets, err := bind(ctx, l.port, "127.0.0.1", "::1")
		if err != nil {
			closeSockets(own)
			return err
		}
		shared = newDoor(l, e.log)
		e.shared[l.port] = shared
		e.start(shared, sockets)
	}
	shared.add(l)
	door := newDoor(l, e.log)
	door.add(l)
	e.own[l.arn] = door
	e.start(door, own)
	return nil
}

func (e *edge) start(d *door, sockets []net.Listener) {
	d.sockets = sockets
	for _, s := range sockets {
		e.serve(d, s)
	}
}

// bind listens on a port of each address, or on none. An address that this
// machine does not have (IPv6 switched off; 127.x.y.z where only 127.0.0.1 is
// set up) is left out.
func bind(ctx context.Context, port int, addresses ...string) (sockets []net.Listener, err error) {
	var lc net.ListenConfig
	for _, a := range addresses {
		s, err := lc.Listen(ctx, "tcp", net.JoinHostPort(a, strconv.Itoa(port)))
		switch {
		case err == nil:
			sockets = append(sockets, s)
		case a != "127.0.0.1" && (errors.Is(err, syscall.EADDRNOTAVAIL) || errors.Is(err, syscall.EAFNOSUPPORT)):
		default:
			closeSockets(sockets)
			return nil, errPort(port, err)
		}
	}
	return sockets, nil
}

func closeSockets(sockets []net.Listener) {
	for _, s := range sockets {
		_ = s.Close() // nothing was written
	}
}

// errPort says why a port cannot be had. AWS has no such failure; the code is
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

// close closes a listener's sockets; requests under way finish.
func (e *edge) close(l *listener) {
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.failed, l.arn)
	own, open := e.own[l.arn]
	if !open {
		return
	}
	delete(e.own, l.arn)
	own.drain()
	if shared := e.shared[l.port]; shared.remove(l) == 0 {
		delete(e.shared, l.port)
		shared.drain()
	}
}

// settle gives the door of a listener its changed settings.
func (e *edge) settle(l *listener) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if d, open := e.own[l.arn]; open {
		d.server.SetSettings(*l.settings.Load())
	}
}

// restore opens a listener as the server starts; a failure is for reopen.
func (e *edge) restore(ctx context.Context, l *listener) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	err := e.openLocked(ctx, l)
	if err != nil {
		e.failed[l.arn] = l
	}
	return err
}

// reopen tries again what could not be opened when the server started, and
// gives the listeners that are open now.
func (e *edge) reopen(ctx context.Context) (opened []*listener) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for arn, l := range e.failed {
		if e.openLocked(ctx, l) == nil {
			delete(e.failed, arn)
			opened = append(opened, l)
		}
	}
	return opened
}

// shut takes no new connections anywhere, for good, and lets requests under way
// finish.
func (e *edge) shut() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.down = true
	for _, d := range e.shared {
		d.drain()
	}
	for _, d := range e.own {
		d.drain()
	}
}

// active gives the client connections open now, by load balancer.
func (e *edge) active() map[*loadBalancer]int {
	e.mu.Lock()
	defer e.mu.Unlock()
	out := map[*loadBalancer]int{}
	for _, d := range e.shared {
		out[d.behind.Load().oldest.lb] += int(d.conns.Load())
	}
	for _, d := range e.own {
		out[d.behind.Load().oldest.lb] += int(d.conns.Load())
	}
	return out
}
