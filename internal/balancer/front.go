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

	"neargate/internal/balancer/http1"
	"neargate/internal/model"
)

// front owns the sockets. Every load balancer has a loopback address of its own,
// and one among the tasks where these have a network, and listens there; besides, all load balancers with a listener on a port
// share 127.0.0.1 and [::1] on that port, where the Host header picks one.
type front struct {
	log   *slog.Logger
	limit *http1.ConnLimit              // of client connections, of all frontends
	serve func(*frontend, net.Listener) // set by Run before anything is opened

	mu     sync.Mutex
	shared map[int]*frontend    // by port; guarded by mu
	own    map[string]*frontend // by listener ARN; guarded by mu
	failed map[string]failed    // by listener ARN; guarded by mu
	down   bool                 // the server stops; guarded by mu
}

// failed is a listener that could not be opened when the server started.
type failed struct {
	listener *listener
	why      string
}

func newFront(limit *http1.ConnLimit, log *slog.Logger) *front {
	return &front{log: log, limit: limit, shared: map[int]*frontend{}, own: map[string]*frontend{}, failed: map[string]failed{}}
}

// open opens all of a listener's sockets, or none and returns why.
func (f *front) open(ctx context.Context, l *listener) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.openLocked(ctx, l)
}

func (f *front) openLocked(ctx context.Context, l *listener) error {
	if f.down {
		return model.Errorf(model.Unavailable, "ServiceUnavailable", "The server is stopping")
	}
	own, err := bind(ctx, l.port, l.lb.addresses()...)
	if err != nil {
		return err
	}
	if shared, known := f.shared[l.port]; known {
		shared.add(l)
	} else {
		sockets, err := bind(ctx, l.port, "127.0.0.1", "::1")
		if err != nil {
			closeSockets(own)
			return err
		}
		f.shared[l.port] = f.start(l, sockets)
	}
	f.own[l.arn] = f.start(l, own)
	return nil
}

func (f *front) start(l *listener, sockets []net.Listener) *frontend {
	made := newFrontend(l, f.limit, f.log)
	made.sockets = sockets
	for _, s := range sockets {
		f.serve(made, s)
	}
	return made
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

// close closes a listener's sockets; requests under way finish.
func (f *front) close(l *listener) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.failed, l.arn)
	own, open := f.own[l.arn]
	if !open {
		return
	}
	delete(f.own, l.arn)
	own.drain()
	if shared := f.shared[l.port]; shared.remove(l) == 0 {
		delete(f.shared, l.port)
		shared.drain()
	}
}

// settle puts changed settings of a listener in force.
func (f *front) settle(l *listener) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if own, open := f.own[l.arn]; open {
		own.settle()
		f.shared[l.port].settle()
	}
}

// restore opens a listener as the server starts; a failure is for reopen.
func (f *front) restore(ctx context.Context, l *listener) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	err := f.openLocked(ctx, l)
	if err != nil {
		f.failed[l.arn] = failed{listener: l, why: reason(err)}
	}
	return err
}

// reopen tries again what could not be opened when the server started, and
// returns the listeners that are open now.
func (f *front) reopen(ctx context.Context) (opened []*listener) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for arn, was := range f.failed {
		if f.openLocked(ctx, was.listener) == nil {
			delete(f.failed, arn)
			opened = append(opened, was.listener)
		}
	}
	return opened
}

// failure returns how many of a load balancer's listeners are not open, and why
// the one on the lowest port is not.
func (f *front) failure(lbARN string) (closed int, why string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	lowest := 0
	for _, was := range f.failed {
		if was.listener.lb.arn != lbARN {
			continue
		}
		closed++
		if closed == 1 || was.listener.port < lowest {
			lowest, why = was.listener.port, was.why
		}
	}
	return closed, why
}

// shut takes no new connections anywhere, for good, and lets requests under way
// finish.
func (f *front) shut() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.down = true
	for _, served := range f.shared {
		served.drain()
	}
	for _, served := range f.own {
		served.drain()
	}
}

// active returns the client connections open now, by load balancer.
func (f *front) active() map[*loadBalancer]int {
	f.mu.Lock()
	defer f.mu.Unlock()
	out := map[*loadBalancer]int{}
	for _, served := range f.shared {
		out[served.listeners.Load().oldest.lb] += int(served.conns.Load())
	}
	for _, served := range f.own {
		out[served.listeners.Load().oldest.lb] += int(served.conns.Load())
	}
	return out
}
