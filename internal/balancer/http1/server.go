package http1

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"neargate/internal/balancer/exchange"
)

// Server accepts the connections of one proxy.
type Server struct {
	codec    *Codec
	proxy    *exchange.Proxy
	limit    *ConnLimit // of client connections; nil is none
	draining atomic.Bool

	mu     sync.Mutex
	fronts map[*front]struct{} // guarded by mu
}

// front is one listener being served, with its connections.
type front struct {
	srv *Server
	ln  net.Listener

	mu    sync.Mutex
	conns map[*Conn]struct{} // guarded by mu
}

// NewServer creates a server. It starts nothing.
func NewServer(c *Codec, p *exchange.Proxy, limit *ConnLimit) *Server {
	return &Server{codec: c, proxy: p, limit: limit, fronts: map[*front]struct{}{}}
}

// Serve accepts connections on ln until Drain or the end of ctx, closes ln,
// and returns when every connection has ended. It takes ln over.
//
// Drain ends it gracefully and Serve returns nil; the end of ctx ends it hard,
// cutting requests in flight, and Serve returns the cause.
func (s *Server) Serve(ctx context.Context, ln net.Listener) error {
	f := &front{srv: s, ln: ln, conns: map[*Conn]struct{}{}}
	s.mu.Lock()
	s.fronts[f] = struct{}{}
	s.mu.Unlock()

	ended := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(ended)
		f.kill()
	})
	var conns sync.WaitGroup
	err := f.accept(ctx, &conns)
	closeErr := ln.Close()
	if err != nil && !errors.Is(closeErr, net.ErrClosed) {
		err = errors.Join(err, closeErr)
	}
	conns.Wait()
	if !stop() {
		<-ended
		err = context.Cause(ctx)
	}
	s.mu.Lock()
	delete(s.fronts, f)
	s.mu.Unlock()
	return err
}

// Drain begins the graceful end, once and for all: no new connections, idle
// ones closed, requests in flight finished with Connection: close, tunnels left
// until they end. It does not wait.
func (s *Server) Drain() {
	s.draining.Store(true)
	s.mu.Lock()
	defer s.mu.Unlock()
	for f := range s.fronts {
		f.drain()
	}
}

// drain closes the listener and drains its connections.
func (f *front) drain() {
	_ = f.ln.Close()
	f.mu.Lock()
	defer f.mu.Unlock()
	for c := range f.conns {
		c.Drain()
	}
}

// kill cuts everything.
func (f *front) kill() {
	_ = f.ln.Close()
	f.mu.Lock()
	defer f.mu.Unlock()
	for c := range f.conns {
		c.Kill()
	}
}

// accept starts a goroutine for each connection until the listener is closed.
// It returns nil if Drain or ctx closed it.
func (f *front) accept(ctx context.Context, conns *sync.WaitGroup) error {
	pause := time.Duration(0)
	for {
		if f.ending(ctx) {
			return nil
		}
		nc, err := f.ln.Accept()
		if err != nil {
			if f.ending(ctx) {
				return nil
			}
			if !passing(err) {
				return err
			}
			pause = min(max(2*pause, 5*time.Millisecond), time.Second)
			f.srv.proxy.Log.Warn("accept paused", "error", err, "pause", pause)
			wait(ctx, pause)
			continue
		}
		pause = 0
		f.start(ctx, nc, conns)
	}
}

// ending reports whether Drain or ctx has closed the listener, or is about to.
func (f *front) ending(ctx context.Context) bool {
	return f.srv.draining.Load() || ctx.Err() != nil
}

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
func (f *front) start(ctx context.Context, nc net.Conn, conns *sync.WaitGroup) {
	s := f.srv
	if !s.limit.take() {
		_ = nc.Close() // nothing was written
		s.proxy.Observer.Rejected()
		return
	}
	of := describe(nc)
	c := s.codec.Conn(ctx, s.proxy, nc, of)
	f.mu.Lock()
	f.conns[c] = struct{}{}
	f.mu.Unlock()
	if ctx.Err() != nil {
		c.Kill()
	}
	if s.draining.Load() {
		c.Drain()
	}
	s.proxy.Observer.Opened(of.Client.Addr())
	conns.Go(func() {
		c.Serve()
		f.mu.Lock()
		delete(f.conns, c)
		f.mu.Unlock()
		s.limit.release()
		s.proxy.Observer.Closed(of.Client.Addr())
	})
}

// describe is what requests are told of a connection without TLS.
func describe(nc net.Conn) exchange.Conn {
	of := exchange.Conn{Scheme: "http", Started: time.Now()}
	if a, ok := nc.RemoteAddr().(*net.TCPAddr); ok {
		ap := a.AddrPort()
		of.Client = netip.AddrPortFrom(ap.Addr().Unmap(), ap.Port())
	}
	if a := nc.LocalAddr(); a != nil {
		of.Local = a.String()
	}
	return of
}
