// Package names answers DNS: the names of what the server runs, and for tasks
// and the programs of this machine every other name too, which it asks the
// machine's resolvers.
//
// What there is at a name is asked of Sources anew with every question, so that
// an answer is what runs now; there is no cache. The names of a source are
// answered here alone: they are never asked elsewhere, nor believed from there.
//
// A flood costs its sender: each client has a number of questions a second, and
// of questions and connections under way, and what is over it is dropped or
// refused. A loop among resolvers ends by itself: a question that is already
// under way is not asked again.
//
// A Server is safe for concurrent use.
package names

import (
	"cmp"
	"context"
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"
)

// Config is what a server can be told.
type Config struct {
	Sources []Source // the first that knows a name answers
	// Upstream returns the resolvers that are asked about other names, in the
	// order in which they are tried. It must not block.
	Upstream func() []netip.AddrPort
	// Alone leaves tasks with the names of Sources.
	Alone bool

	Sockets Sockets // nil: the system's

	patience patience // with resolvers; zero: the usual
}

// Sockets opens sockets, or takes them over where they are open already.
type Sockets interface {
	ListenUDP(ctx context.Context, address string) (*net.UDPConn, error)
	ListenTCP(ctx context.Context, address string) (net.Listener, error)
}

// system opens sockets.
type system struct{}

// ListenUDP implements Sockets.
func (system) ListenUDP(ctx context.Context, address string) (*net.UDPConn, error) {
	packets, err := (&net.ListenConfig{}).ListenPacket(ctx, "udp", address)
	if err != nil {
		return nil, err
	}
	return packets.(*net.UDPConn), nil
}

// ListenTCP implements Sockets.
func (system) ListenTCP(ctx context.Context, address string) (net.Listener, error) {
	return (&net.ListenConfig{}).Listen(ctx, "tcp", address)
}

// Server answers on the sockets that Listen opened. Make it with New.
type Server struct {
	cfg     Config
	log     *slog.Logger
	clients *clients
	forward *forwarder
	running sync.WaitGroup // what answers

	mu      sync.Mutex
	sockets []*socket // guarded by mu
}

// New creates a server without sockets.
func New(cfg Config, log *slog.Logger) *Server {
	if cfg.Sockets == nil {
		cfg.Sockets = system{}
	}
	s := &Server{cfg: cfg, log: log, clients: newClients(time.Now)}
	s.forward = newForwarder(s.upstream, s.ours, cmp.Or(cfg.patience, usualPatience()), log)
	return s
}

// upstream returns the resolvers without ourselves: the machine's own programs
// may be pointed here by the same file that names the resolvers.
func (s *Server) upstream() []netip.AddrPort {
	sockets := s.all()
	return slices.DeleteFunc(slices.Clone(s.cfg.Upstream()), func(a netip.AddrPort) bool {
		return slices.ContainsFunc(sockets, func(k *socket) bool { return k.at == a })
	})
}

// Run answers until ctx ends, and returns when everything under way has ended.
// The sockets are closed then.
func (s *Server) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	for _, k := range s.all() {
		s.running.Go(func() { s.serveUDP(ctx, k) })
		s.running.Go(func() { s.serveTCP(ctx, k) })
	}
	<-ctx.Done()
	s.Close()
	s.running.Wait()
	return nil
}

// Close closes the sockets. Run, if it was called, ends by its context.
func (s *Server) Close() {
	for _, k := range s.all() {
		_ = k.udp.Close() // nothing was written that could be lost
		_ = k.tcp.Close()
	}
}

func (s *Server) all() []*socket {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.sockets
}

// Addresses returns where clients of one kind ask.
func (s *Server) Addresses(from From) (out []netip.AddrPort) {
	for _, k := range s.all() {
		if k.view.From == from {
			out = append(out, k.at)
		}
	}
	return out
}

// ours reports whether a name is one of the sources'.
func (s *Server) ours(name string, view View) bool {
	_, known := s.lookup(name, view)
	return known
}

// lookup asks the sources for a name, in lower case and without the final dot.
func (s *Server) lookup(name string, view View) (Answer, bool) {
	for _, source := range s.cfg.Sources {
		if a, known := source.Lookup(name, view); known {
			return a, true
		}
	}
	return Answer{}, false
}
