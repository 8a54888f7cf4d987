package front

import (
	"cmp"
	"context"
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"sync"

	"neargate/internal/model"
)

// The loopback addresses that all load balancers share.
func loopback4() netip.Addr { return netip.AddrFrom4([4]byte{127, 0, 0, 1}) }
func loopback6() netip.Addr { return netip.IPv6Loopback() }

// Listener is what a front needs to know of a listener.
type Listener interface {
	comparable
	Port() int
	// Own are the addresses that are its load balancer's alone.
	Own() []netip.Addr
	// Outside reports whether clients from outside reach its load balancer at all.
	Outside() bool
	// Faces reports whether they do at an address of this machine.
	Faces(a netip.Addr) bool
}

// Frontend serves the connections of one listener's own sockets, or of sockets
// that listeners share.
type Frontend[L Listener] interface {
	// Set says which listeners it serves. It is called with the front's lock held.
	Set(all []L)
	// Settle puts changed settings of its listeners in force.
	Settle()
	// Server accepts its connections.
	Server() *Server
}

// Front opens and closes the sockets of listeners. A listener answers
//
//   - at its load balancer's own addresses: one of loopback, and one among the
//     targets where these have a network;
//   - at 127.0.0.1 and [::1], which all load balancers with a listener on the port
//     share, and where what the client asks for picks one;
//   - at the public addresses, if its load balancer is internet-facing: shared in
//     the same way, and only for clients that its security groups let in.
type Front[L Listener] struct {
	cfg FrontConfig[L]

	mu      sync.Mutex
	own     map[L]*place[L]     // guarded by mu
	shared  map[int]*place[L]   // by port; guarded by mu
	outside map[int]*outside[L] // by port; guarded by mu
	failed  map[L]string        // not opened when the server started, and why; guarded by mu
	down    bool                // the server stops; guarded by mu
}

// FrontConfig is what a Front needs.
type FrontConfig[L Listener] struct {
	Log *slog.Logger
	// Public returns the public addresses.
	Public func() ([]netip.Addr, error)
	// Frontend makes who serves sockets; public ones are those of clients from
	// outside.
	Frontend func(public bool) Frontend[L]
	// Facing is called when clients from outside may come to a listener, at
	// addresses.
	Facing func(l L, addresses []netip.Addr)
	// Serve has a server accept what comes to a socket, until that is closed.
	Serve func(*Server, net.Listener)
	// Listen opens a socket. nil: as net does.
	Listen Listen
}

// place are sockets that one frontend serves. Guarded by Front.mu.
type place[L Listener] struct {
	frontend  Frontend[L]
	sockets   map[netip.Addr]net.Listener
	listeners []L
}

func (p *place[L]) add(l L) {
	p.listeners = append(p.listeners, l)
	p.frontend.Set(slices.Clone(p.listeners))
}

func (p *place[L]) remove(l L) (left int) {
	p.listeners = slices.DeleteFunc(p.listeners, func(other L) bool { return other == l })
	p.frontend.Set(slices.Clone(p.listeners))
	return len(p.listeners)
}

// drain takes no new connections and lets requests under way finish.
func (p *place[L]) drain() {
	p.frontend.Server().Drain()
	closeSockets(p.sockets)
}

// Listen opens a socket, or takes one over that was open already.
type Listen func(ctx context.Context, network, address string) (net.Listener, error)

// NewFront creates a front. It opens nothing.
func NewFront[L Listener](cfg FrontConfig[L]) *Front[L] {
	if cfg.Listen == nil {
		cfg.Listen = (&net.ListenConfig{}).Listen
	}
	return &Front[L]{cfg: cfg, own: map[L]*place[L]{}, shared: map[int]*place[L]{}, outside: map[int]*outside[L]{}, failed: map[L]string{}}
}

// Open opens all of a listener's sockets, or none and returns why.
func (f *Front[L]) Open(ctx context.Context, l L) error {
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
func (f *Front[L]) openLocked(ctx context.Context, l L) error {
	if f.down {
		return model.Errorf(model.Unavailable, "ServiceUnavailable", "The server is stopping")
	}
	own, err := f.cfg.Listen.bind(ctx, l.Port(), l.Own()...)
	if err != nil {
		return err
	}
	if shared, known := f.shared[l.Port()]; known {
		shared.add(l)
	} else {
		sockets, err := f.cfg.Listen.bind(ctx, l.Port(), loopback4(), loopback6())
		if err != nil {
			closeSockets(own)
			return err
		}
		f.shared[l.Port()] = f.start(l, sockets)
	}
	f.own[l] = f.start(l, own)
	return nil
}

func (f *Front[L]) start(l L, sockets map[netip.Addr]net.Listener) *place[L] {
	made := &place[L]{frontend: f.cfg.Frontend(false), sockets: sockets}
	made.add(l)
	for _, s := range sockets {
		f.cfg.Serve(made.frontend.Server(), s)
	}
	return made
}

// Close closes a listener's sockets; requests under way finish.
func (f *Front[L]) Close(l L) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.closeLocked(l)
}

func (f *Front[L]) closeLocked(l L) {
	delete(f.failed, l)
	own, open := f.own[l]
	if !open {
		return
	}
	delete(f.own, l)
	own.drain()
	if shared := f.shared[l.Port()]; shared.remove(l) == 0 {
		delete(f.shared, l.Port())
		shared.drain()
	}
	if o, known := f.outside[l.Port()]; known && o.remove(l) == 0 {
		delete(f.outside, l.Port())
		o.drain()
	}
}

// Replace has a listener's sockets serve another listener, on the same port.
func (f *Front[L]) Replace(old, l L) {
	f.mu.Lock()
	defer f.mu.Unlock()
	own, open := f.own[old]
	if !open {
		return
	}
	delete(f.own, old)
	f.own[l] = own
	places := []*place[L]{own, f.shared[l.Port()]}
	if o, known := f.outside[l.Port()]; known {
		places = append(places, o.place)
	}
	for _, p := range places {
		for i := range p.listeners {
			if p.listeners[i] == old {
				p.listeners[i] = l
			}
		}
		p.frontend.Set(slices.Clone(p.listeners))
	}
}

// Settle puts changed settings of a listener in force.
func (f *Front[L]) Settle(l L) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if own, open := f.own[l]; open {
		own.frontend.Settle()
		f.shared[l.Port()].frontend.Settle()
		if o, known := f.outside[l.Port()]; known {
			o.frontend.Settle()
		}
	}
}

// Restore opens a listener as the server starts; a failure is for Reopen.
func (f *Front[L]) Restore(ctx context.Context, l L) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	err := f.openLocked(ctx, l)
	if err != nil {
		f.failed[l] = reason(err)
		return err
	}
	return f.publishLocked(ctx, l)
}

// Reopen tries again what could not be opened when the server started, and
// returns the listeners that are open now.
func (f *Front[L]) Reopen(ctx context.Context) (opened []L) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for l := range f.failed {
		if f.openLocked(ctx, l) == nil {
			delete(f.failed, l)
			opened = append(opened, l)
			_ = f.publishLocked(ctx, l) // Failure has why
		}
	}
	return opened
}

// Failure returns how many of the listeners that match are not open, and why the
// one on the lowest port does not answer everywhere.
func (f *Front[L]) Failure(match func(L) bool) (closed int, why string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	lowest := 0
	note := func(l L, because string) {
		if why == "" || l.Port() < lowest {
			lowest, why = l.Port(), because
		}
	}
	for l, because := range f.failed {
		if match(l) {
			closed++
			note(l, because)
		}
	}
	for _, o := range f.outside {
		for _, l := range o.listeners {
			if match(l) && o.lacks != "" {
				note(l, o.lacks)
			}
		}
	}
	return closed, why
}

// Ports returns the ports of the open listeners that match, in order.
func (f *Front[L]) Ports(match func(L) bool) (ports []uint16) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for l := range f.own {
		if match(l) {
			ports = append(ports, uint16(l.Port()))
		}
	}
	slices.SortFunc(ports, cmp.Compare)
	return ports
}

// Shut takes no new connections anywhere, for good, and lets requests under way
// finish.
func (f *Front[L]) Shut() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.down = true
	f.eachLocked((*place[L]).drain)
}

// Retire takes no new connections anywhere, for good, as others take them now, and
// lets those that there are end after their next request.
func (f *Front[L]) Retire() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.down = true
	f.eachLocked(func(p *place[L]) {
		p.frontend.Server().Retire()
		closeSockets(p.sockets)
	})
}

// Each calls do for each frontend that serves sockets, with the front's lock held.
func (f *Front[L]) Each(do func(Frontend[L])) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.eachLocked(func(p *place[L]) { do(p.frontend) })
}

func (f *Front[L]) eachLocked(do func(*place[L])) {
	for _, p := range f.shared {
		do(p)
	}
	for _, o := range f.outside {
		do(o.place)
	}
	for _, p := range f.own {
		do(p)
	}
}
