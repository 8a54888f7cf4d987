package connect

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"time"

	"neargate/internal/balancer/exchange"
	"neargate/internal/balancer/front"
)

// door is the socket behind an alias.
type door struct {
	endpoint *endpoint
	address  netip.AddrPort // of the alias
	port     uint16         // of the socket
	tcp      bool           // connections are passed on as they are
	socket   net.Listener
	proxy    *exchange.Proxy // nil: tcp
	server   *front.Server   // nil: tcp
	done     chan struct{}   // closed when all has ended

	mu      sync.RWMutex
	callers map[netip.Addr]*caller // guarded by mu
	conns   map[net.Conn]struct{}  // of tcp; guarded by mu
	shut    bool                   // guarded by mu
}

// tcp reports whether connections are passed on as they are: all but HTTP/1.1,
// of which each request goes to the next target.
func (o offer) tcp() bool { return o.Protocol != "http" }

// The time-outs of Service Connect (API_TimeoutConfiguration).
const (
	idleHTTP    = 5 * time.Minute
	idleTCP     = time.Hour
	perRequest  = 15 * time.Second
	noTimeout   = 365 * 24 * time.Hour
	maxAttempts = 3 // service-connect-concepts-deploy, "Retries": 2 after the first
)

func (o offer) idle() time.Duration {
	switch {
	case o.IdleTimeout == nil && o.tcp():
		return idleTCP
	case o.IdleTimeout == nil:
		return idleHTTP
	case *o.IdleTimeout == 0:
		return noTimeout
	}
	return *o.IdleTimeout
}

func (o offer) settings() exchange.Settings {
	s := exchange.DefaultSettings()
	s.Port, s.PreserveHost, s.Attempts = o.Port, true, maxAttempts
	s.IdleTimeout, s.ClientKeepAlive = o.idle(), noTimeout
	s.RequestTimeout, s.RetryUnavailable = perRequest, true
	if o.RequestTimeout != nil {
		s.RequestTimeout = *o.RequestTimeout
	}
	return s
}

// open opens the socket of an endpoint's alias and serves it.
func (c *Connect) open(ctx context.Context, o offer) (*door, error) {
	record, _ := c.table.Get(addressKey(o.at()))
	socket, err := c.cfg.Ways.Listen(ctx, fmt.Sprintf("%s:%d", addressKey(o.at()), o.Port))
	if err != nil {
		return nil, fmt.Errorf("listen for %s: %w", o.at().name, err)
	}
	d := &door{
		endpoint: c.endpoint(o.DiscoveryARN), address: netip.AddrPortFrom(record.Address, uint16(o.Port)),
		port: socket.Addr().(*net.TCPAddr).AddrPort().Port(), tcp: o.tcp(), socket: socket, done: make(chan struct{}),
		callers: map[netip.Addr]*caller{}, conns: map[net.Conn]struct{}{},
	}
	serve := d.relay
	if !d.tcp {
		d.proxy = exchange.NewProxy(exchange.Config{Router: d, Observer: d, Log: c.log, Settings: o.settings()})
		d.server = front.New(front.Config{Log: c.log, Events: d, Codec: func(ctx context.Context, conn front.Conn) front.Session {
			return c.codec.Conn(ctx, d.proxy, conn.Conn, conn.Describe())
		}})
		serve = func(ctx context.Context) error { return d.server.Serve(ctx, entrance{socket, d}) }
	}
	c.serve(func(ctx context.Context) {
		defer close(d.done)
		if err := serve(ctx); err != nil && !errors.Is(err, net.ErrClosed) && ctx.Err() == nil {
			c.log.Error("serve endpoint", "endpoint", o.Discovery(), "error", err)
		}
	})
	return d, nil
}

// settle puts changed settings in force.
func (d *door) settle(o offer) {
	if d.server != nil {
		d.proxy.SetSettings(o.settings())
	}
}

// drain takes no new connections and lets requests under way finish; connections
// that are passed on as they are end.
func (d *door) drain() {
	if d.server != nil {
		d.server.Drain()
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.shut = true
	_ = d.socket.Close()
	for conn := range d.conns {
		_ = conn.Close()
	}
}

// retire takes no new connections; those that there are end after their next request,
// or as they like where they are passed on as they are.
func (d *door) retire() {
	if d.server != nil {
		d.server.Retire()
	}
	_ = d.socket.Close() // nothing was written
}

// caller returns who is at an address; nil for one that the endpoint is not for.
func (d *door) caller(at netip.Addr, now time.Time) *caller {
	d.mu.RLock()
	c := d.callers[at]
	d.mu.RUnlock()
	if c != nil && now.Before(c.until) && c.policy == d.endpoint.c.policy.Load() {
		return c
	}
	c = d.endpoint.newCaller(at, now)
	d.mu.Lock()
	defer d.mu.Unlock()
	if c == nil {
		delete(d.callers, at)
		return nil
	}
	if len(d.callers) > 1000 { // tasks that are gone
		for other, o := range d.callers {
			if now.After(o.until) {
				delete(d.callers, other)
			}
		}
	}
	d.callers[at] = c
	return c
}

// entrance lets in whom the endpoint is for.
type entrance struct {
	net.Listener
	d *door
}

// Accept returns the next connection of a task of the namespace.
func (e entrance) Accept() (net.Conn, error) {
	for {
		conn, err := e.Listener.Accept()
		if err != nil {
			return nil, err
		}
		from := clientAddress(conn)
		if e.d.caller(from, time.Now()) != nil && e.d.endpoint.c.room.take(from) {
			e.d.endpoint.traffic.newConns.Add(1)
			return conn, nil
		}
		if tcp, ok := conn.(*net.TCPConn); ok {
			_ = tcp.SetLinger(0) // as where nobody listens
		}
		_ = conn.Close()
	}
}

func clientAddress(conn net.Conn) netip.Addr {
	if tcp, ok := conn.RemoteAddr().(*net.TCPAddr); ok {
		return tcp.AddrPort().Addr().Unmap()
	}
	return netip.Addr{}
}

// Route sends a request to the endpoint: exchange.Router.
func (d *door) Route(r *exchange.Request) exchange.Verdict {
	c := d.caller(r.Client().Addr(), r.Arrived)
	if c == nil {
		return exchange.Verdict{Drop: true}
	}
	r.Note = c
	return exchange.Verdict{Group: c}
}

// Opened counts a connection: front.Events.
func (d *door) Opened(netip.Addr) { d.endpoint.traffic.conns.Add(1) }

// Rejected is not called: whom there is no room for is not let in: front.Events.
func (d *door) Rejected() {}

// Refused is not called: there is no TLS. front.Events.
func (d *door) Refused(front.Refusal) {}

// Closed ends what Opened began: front.Events.
func (d *door) Closed(from netip.Addr) {
	d.endpoint.traffic.conns.Add(-1)
	d.endpoint.c.room.release(from)
}

// Finished has nothing to add to what the claims counted: exchange.Observer.
func (d *door) Finished(*exchange.Request, *exchange.Summary) {}
