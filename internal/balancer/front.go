package balancer

import (
	"context"
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"sync"

	"neargate/internal/balancer/http1"
	"neargate/internal/model"
)

// The loopback addresses that all load balancers share.
func loopback4() netip.Addr { return netip.AddrFrom4([4]byte{127, 0, 0, 1}) }
func loopback6() netip.Addr { return netip.IPv6Loopback() }

// front owns the sockets. A listener answers
//
//   - at its load balancer's own addresses: one of loopback, and one among the
//     targets where these have a network;
//   - at 127.0.0.1 and [::1], which all load balancers with a listener on the port
//     share, and where the Host header picks one;
//   - at the public addresses, if its load balancer is internet-facing: shared in
//     the same way, and only for clients that its security groups let in.
type front struct {
	log    *slog.Logger
	codec  *http1.Codec
	limit  *http1.ConnLimit              // of client connections, of all frontends
	public func() ([]netip.Addr, error)  // the public addresses
	serve  func(*frontend, net.Listener) // set by Run before anything is opened

	mu      sync.Mutex
	own     map[*listener]*frontend // guarded by mu
	shared  map[int]*frontend       // by port; guarded by mu
	outside map[int]*outside        // by port; guarded by mu
	failed  map[*listener]string    // not opened when the server started, and why; guarded by mu
	down    bool                    // the server stops; guarded by mu
}

func newFront(cfg Config, codec *http1.Codec, log *slog.Logger) *front {
	f := &front{
		log: log, codec: codec, public: cfg.Public,
		own: map[*listener]*frontend{}, shared: map[int]*frontend{}, outside: map[int]*outside{}, failed: map[*listener]string{},
	}
	if f.public == nil {
		f.public = func() ([]netip.Addr, error) { return nil, nil }
	}
	if cfg.MaxConns > 0 {
		f.limit = http1.NewConnLimit(cfg.MaxConns)
	}
	return f
}

// open opens all of a listener's sockets, or none and returns why.
func (f *front) open(ctx context.Context, l *listener) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.openLocked(ctx, l); err != nil {
		return err
	}
	if err := f.publishLocked(ctx, l); err != nil {
		f.closeLocked(l)
		return err
	}
	return nil
}

// openLocked opens what of a listener answers inside.
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
		sockets, err := bind(ctx, l.port, loopback4(), loopback6())
		if err != nil {
			closeSockets(own)
			return err
		}
		f.shared[l.port] = f.start(l, sockets)
	}
	f.own[l] = f.start(l, own)
	return nil
}

func (f *front) start(l *listener, sockets map[netip.Addr]net.Listener) *frontend {
	made := newFrontend(l, frontendKind{codec: f.codec, limit: f.limit, log: f.log})
	made.sockets = sockets
	for _, s := range sockets {
		f.serve(made, s)
	}
	return made
}

// close closes a listener's sockets; requests under way finish.
func (f *front) close(l *listener) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.closeLocked(l)
}

func (f *front) closeLocked(l *listener) {
	delete(f.failed, l)
	own, open := f.own[l]
	if !open {
		return
	}
	delete(f.own, l)
	own.drain()
	if shared := f.shared[l.port]; shared.remove(l) == 0 {
		delete(f.shared, l.port)
		shared.drain()
	}
	if o, known := f.outside[l.port]; known && o.remove(l) == 0 {
		delete(f.outside, l.port)
		o.drain()
	}
}

// settle puts changed settings of a listener in force.
func (f *front) settle(l *listener) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if own, open := f.own[l]; open {
		own.settle()
		f.shared[l.port].settle()
		if o, known := f.outside[l.port]; known {
			o.settle()
		}
	}
}

// restore opens a listener as the server starts; a failure is for reopen.
func (f *front) restore(ctx context.Context, l *listener) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	err := f.openLocked(ctx, l)
	if err != nil {
		f.failed[l] = reason(err)
		return err
	}
	return f.publishLocked(ctx, l)
}

// reopen tries again what could not be opened when the server started, and
// returns the listeners that are open now.
func (f *front) reopen(ctx context.Context) (opened []*listener) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for l := range f.failed {
		if f.openLocked(ctx, l) == nil {
			delete(f.failed, l)
			opened = append(opened, l)
			_ = f.publishLocked(ctx, l) // failure has why
		}
	}
	return opened
}

// failure returns how many of a load balancer's listeners are not open, and why
// the one on the lowest port does not answer everywhere.
func (f *front) failure(lbARN string) (closed int, why string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	lowest := 0
	note := func(l *listener, because string) {
		if why == "" || l.port < lowest {
			lowest, why = l.port, because
		}
	}
	for l, because := range f.failed {
		if l.lb.arn == lbARN {
			closed++
			note(l, because)
		}
	}
	for _, o := range f.outside {
		for _, l := range o.listeners.Load().all {
			if l.lb.arn == lbARN && o.lacks != "" {
				note(l, o.lacks)
			}
		}
	}
	return closed, why
}

// ports returns the ports that a load balancer listens on at its own addresses,
// in order.
func (f *front) ports(lbARN string) (ports []uint16) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for l := range f.own {
		if l.lb.arn == lbARN {
			ports = append(ports, uint16(l.port))
		}
	}
	slices.Sort(ports)
	return ports
}

// shut takes no new connections anywhere, for good, and lets requests under way
// finish.
func (f *front) shut() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.down = true
	for _, served := range f.allLocked() {
		served.drain()
	}
}

// active returns the client connections open now, by load balancer.
func (f *front) active() map[*loadBalancer]int {
	f.mu.Lock()
	defer f.mu.Unlock()
	out := map[*loadBalancer]int{}
	for _, served := range f.allLocked() {
		out[served.listeners.Load().oldest().lb] += int(served.conns.Load())
	}
	return out
}

func (f *front) allLocked() (all []*frontend) {
	for _, served := range f.shared {
		all = append(all, served)
	}
	for _, o := range f.outside {
		all = append(all, o.frontend)
	}
	for _, served := range f.own {
		all = append(all, served)
	}
	return all
}
