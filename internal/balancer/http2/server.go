package http2

import (
	"context"
	"errors"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"neargate/internal/balancer/exchange"
)

// maxRequests is how many requests an ALB takes over one connection
// (load-balancer-troubleshooting).
const maxRequests = 10_000

// Server serves HTTP/2 to clients.
type Server struct {
	pools   *buffers
	tags    *tags
	streams sync.Pool // of *clientStream
	workers workers
	most    int64 // requests at once; 0 is no limit
	running atomic.Int64
}

// NewServer creates a server that serves most requests at once, of all clients
// together; 0 is no limit. Streams beyond are refused, and may be sent again. It
// starts nothing.
func NewServer(most int) *Server {
	s := &Server{pools: newBuffers(), tags: newTags(), most: int64(most)}
	s.streams.New = func() any { return newClientStream() }
	return s
}

// Wait ends the goroutines that are kept for requests to come, and waits for them.
// It is called when the connections have ended.
func (s *Server) Wait() { s.workers.end() }

// Conn is a client's connection. Drain and Kill may be called from any goroutine at
// any time.
type Conn struct {
	session
	srv   *Server
	proxy *exchange.Proxy
	info  *exchange.Conn
	ctx   context.Context
	end   context.CancelFunc

	flows sync.WaitGroup

	// Owned by the reader.
	fresh   []*clientStream // requests that it has read and not yet begun
	begun   int             // requests
	retired bool            // the connection has lived long enough

	// Guarded by mu.
	draining bool
	idle     time.Time // since when no request is under way
	farewell farewell  // how far it has come; written by the reader only
	warned   time.Time // when the client was
}

// Conn creates the object that serves a connection, which it takes over. The
// caller calls Serve. The end of ctx does not end it: that is for Kill, which
// comes with it.
func (s *Server) Conn(ctx context.Context, proxy *exchange.Proxy, info *exchange.Conn, nc net.Conn) *Conn {
	c := &Conn{srv: s, proxy: proxy, info: info, idle: time.Now()}
	c.ctx, c.end = context.WithCancel(ctx)
	c.init(nc, c, s.pools, s.tags)
	c.first = 1
	c.limit = proxy.Current().IdleTimeout
	return c
}

// Serve takes requests until one of both sides wants no more, and closes the
// connection.
func (c *Conn) Serve() {
	defer c.end()
	c.out = appendSettings(c.pools.get(smallBuffer),
		settingValue{settingMaxStreams, maxStreams},
		settingValue{settingInitialWindow, streamSpace},
		settingValue{settingMaxHeaderList, maxList},
		settingValue{settingConnectProtocol, 1},
	)
	c.out = appendWindow(c.out, 0, connSpace-defaultSpace)
	c.beginReading()
	err := c.readExactly(preface)
	if err == nil {
		err = c.readFrames()
	}
	c.fail(err)
	c.start() // what came just before is told of too
	if c.said(err) {
		c.linger()
	}
	_ = c.nc.Close()
	c.flows.Wait()
	c.tasks.Wait()
	c.pools.put(c.in)
	c.pools.put(c.block)
	c.pools.put(c.out)
	c.pools.put(c.spare)
}

// beginReading sets how long the client may take to say the first thing, unless a
// Drain came before: its deadline stands.
func (c *Conn) beginReading() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.draining {
		_ = c.nc.SetReadDeadline(time.Now().Add(c.limit))
	}
}

// said tells the client why its connection ends, unless the connection is broken.
// It reports whether there is something to wait for.
func (c *Conn) said(err error) bool {
	_, fault := errors.AsType[*connError](err)
	if !fault && !errors.Is(err, errEnded) {
		return false
	}
	if fault || c.farewell != leaving {
		c.hangUp(c.lastID, err)
	} else {
		c.flush() // the last answers and the last stream
	}
	return true
}
