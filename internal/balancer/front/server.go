// Package front is the sockets of load balancers: it accepts connections within a
// limit, reads what a proxy in front says of the client, speaks TLS (by which name
// the client asks for, with that listener's certificates, policy and demands of
// client certificates), and hands each connection to the codec that its client
// speaks. It drains and cuts them.
//
// It knows no rule, no target and no request. A Server, a Front and a Limit are
// safe for concurrent use.
package front

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// Session is one connection in the hands of a codec.
type Session interface {
	// Serve takes requests until one of both sides wants no more, and closes the
	// connection.
	Serve()
	// Drain begins the graceful end: an idle connection ends soon, another after
	// the request under way. It does not wait.
	Drain()
	// Retire has the connection end after the next request, however long that takes to
	// come: no client meets a connection that is just being closed. It does not wait.
	Retire()
	// Kill cuts the connection.
	Kill()
}

// Sleeper is a Session that keeps nothing while its client is silent.
type Sleeper interface {
	Session
	// ServeAwake is Serve, but returns when the client has been silent for a moment,
	// with how long it may go on being so. It is called again when something has come,
	// when that time has passed, and after Drain and Kill. 0 is the end of the
	// connection.
	ServeAwake() (idle time.Duration)
}

// Config is what a Server needs. Log, Codec and Events are required.
type Config struct {
	Log    *slog.Logger
	Events Events
	// Codec begins a session on a connection, which it takes over; the end of ctx
	// comes with Kill. nil ends the connection.
	Codec func(ctx context.Context, c Conn) Session
	Limit *Limit // of client connections; nil is none
	// Lot is where connections wait while their clients are silent. nil: with the
	// goroutines that serve them.
	Lot *Lot
	// Admits reports whether a client may connect. nil: everybody may.
	Admits func(client netip.Addr) bool
	// Speaks reports how clients may speak: without TLS, with it, or as they like.
	// nil: without.
	Speaks func() (plain, secure bool)
	// TLS returns how the listener speaks TLS that a client means; nil where none
	// is for it. It is called in the client's handshake.
	TLS func(hello *tls.ClientHelloInfo) *TLS
	// Proof returns the certificate that proves to an authority that a name leads
	// here, which it asks for by ALPN (RFC 8737); nil: there is none for the name.
	// A nil Proof has none.
	Proof func(name string) *tls.Certificate
	// Proxies are whose connections begin with a PROXY header.
	Proxies Proxies
}

// Events counts. Calls come from many goroutines at once and must not block.
type Events interface {
	// Opened is called for each client connection accepted; from is the zero value
	// if it is not TCP.
	Opened(from netip.Addr)
	// Rejected is called for each closed at once, the limit being reached.
	Rejected()
	// Refused is called for a client with whom no TLS was agreed on.
	Refused(r Refusal)
	// Closed is called when a client connection that was opened has ended.
	Closed(from netip.Addr)
}

// Server serves the connections of some sockets alike.
type Server struct {
	cfg      Config
	tls      *tls.Config // nil: none
	draining atomic.Bool
	retiring atomic.Bool // draining as well

	mu      sync.Mutex
	sockets map[net.Listener]struct{} // being served; guarded by mu
	conns   map[*conn]struct{}        // guarded by mu
}

// New creates a server. It starts nothing.
func New(cfg Config) *Server {
	s := &Server{cfg: cfg, sockets: map[net.Listener]struct{}{}, conns: map[*conn]struct{}{}}
	if cfg.Speaks != nil {
		s.tls = s.handshakes()
	}
	return s
}

// Serve accepts connections on a socket until Drain or the end of ctx, closes it,
// and returns when every connection of it has ended. It takes the socket over.
//
// Drain ends it gracefully and Serve returns nil; the end of ctx ends it hard,
// cutting requests in flight, and Serve returns the cause.
func (s *Server) Serve(ctx context.Context, socket net.Listener) error {
	s.mu.Lock()
	s.sockets[socket] = struct{}{}
	s.mu.Unlock()
	var conns group
	ended := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(ended)
		_ = socket.Close() // nothing was written
		conns.each(s, (*conn).kill)
	})
	err := s.accept(ctx, socket, &conns)
	closeErr := socket.Close()
	if err != nil && !errors.Is(closeErr, net.ErrClosed) {
		err = errors.Join(err, closeErr)
	}
	conns.wait.Wait()
	if !stop() {
		<-ended
		err = context.Cause(ctx)
	}
	s.mu.Lock()
	delete(s.sockets, socket)
	s.mu.Unlock()
	return err
}

// group are the connections that one socket accepted.
type group struct{ wait sync.WaitGroup }

// each calls f for the connections of a group.
func (g *group) each(s *Server, f func(*conn)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.conns {
		if c.group == g {
			f(c)
		}
	}
}

// Drain begins the graceful end, once and for all: no new connections, idle
// ones closed, requests in flight finished, tunnels left until they end. It does
// not wait.
func (s *Server) Drain() { s.leave((*conn).drain) }

// leave takes no new connections, and has those there are end in a way.
func (s *Server) leave(end func(*conn)) {
	s.draining.Store(true)
	s.mu.Lock()
	defer s.mu.Unlock()
	for socket := range s.sockets {
		_ = socket.Close() // nothing was written
	}
	for c := range s.conns {
		end(c)
	}
}

// Retire is Drain for a server whose clients find another one at the same address:
// connections end after their next request, or when their clients close them.
func (s *Server) Retire() {
	s.retiring.Store(true) // before the other: who sees that finds this
	s.leave((*conn).retire)
}

// accept starts a goroutine for each connection until the socket is closed. It
// returns nil if Drain or ctx closed it.
func (s *Server) accept(ctx context.Context, socket net.Listener, conns *group) error {
	pause := time.Duration(0)
	for {
		if s.ending(ctx) {
			return nil
		}
		nc, err := socket.Accept()
		switch {
		case err == nil:
			pause = 0
			s.start(ctx, nc, conns)
		case s.ending(ctx):
			return nil
		case !passing(err):
			return err
		default:
			pause = min(max(2*pause, 5*time.Millisecond), time.Second)
			s.cfg.Log.Warn("accept paused", "error", err, "pause", pause)
			wait(ctx, pause)
		}
	}
}

// ending reports whether Drain or ctx has closed the socket, or is about to.
func (s *Server) ending(ctx context.Context) bool { return s.draining.Load() || ctx.Err() != nil }

// passing reports whether Accept may succeed later: out of files or memory, or
// a client that left.
func passing(err error) bool {
	for _, e := range []error{
		syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM, syscall.ECONNABORTED,
	} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

func wait(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}

// start serves one connection in a goroutine of its own.
func (s *Server) start(ctx context.Context, nc net.Conn, of *group) {
	from := client(nc)
	trusted := s.cfg.Proxies.has(from.Addr())
	if !trusted && !s.admits(from.Addr()) {
		reset(nc)
		return
	}
	if !s.cfg.Limit.take() {
		_ = nc.Close() // nothing was written
		s.cfg.Events.Rejected()
		return
	}
	c := &conn{server: s, group: of, socket: nc, from: from, proxied: trusted}
	s.mu.Lock()
	s.conns[c] = struct{}{}
	s.mu.Unlock()
	if s.draining.Load() { // nobody has seen it who drained
		c.leave(s.retiring.Load())
	}
	if ctx.Err() != nil {
		c.kill()
	}
	of.wait.Add(1)
	go c.run(ctx) // finish ends what Add began: the connection may wait without it
}

func (s *Server) admits(client netip.Addr) bool { return s.cfg.Admits == nil || s.cfg.Admits(client) }

// client is the address at the other end; the zero value where there is none.
func client(nc net.Conn) netip.AddrPort {
	a, ok := nc.RemoteAddr().(*net.TCPAddr)
	if !ok {
		return netip.AddrPort{}
	}
	ap := a.AddrPort()
	return netip.AddrPortFrom(ap.Addr().Unmap(), ap.Port())
}

// reset ends a connection so that nothing of it stays behind.
func reset(nc net.Conn) {
	if socket, ok := nc.(interface{ SetLinger(seconds int) error }); ok {
		_ = socket.SetLinger(0)
	}
	_ = nc.Close()
}
