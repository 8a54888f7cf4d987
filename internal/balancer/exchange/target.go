package exchange

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
)

// Protocol is how a target is spoken to (protocol-version of a target group).
type Protocol uint8

// The protocols. GRPC is HTTP/2 that is answered in gRPC's words.
const (
	HTTP1 Protocol = iota
	HTTP2
	GRPC
)

// Dial opens a connection to an address. It must obey ctx.
type Dial func(ctx context.Context, addr string) (net.Conn, error)

// TargetSpec is what a Pool makes a Target of.
type TargetSpec struct {
	Addr     netip.AddrPort
	Protocol Protocol
	TLS      bool // encrypted, without looking at the certificate, as an ALB
	Dial     Dial // nil is the pool's
}

// Target is an address that requests are sent to, with its kept connections. It is
// safe for concurrent use.
type Target struct {
	cfg  TargetSpec
	addr string // what is dialled
	pool *Pool
	kept Kept
	cut  atomic.Bool // requests in flight end here
	lost atomic.Bool // nothing answers at the address any more

	mu    sync.Mutex
	dials map[*dialing]struct{} // under way; guarded by mu
}

// dialing is an attempt to connect that is under way.
type dialing struct{ end context.CancelCauseFunc }

// errOutOfService is why a dial ends whose target left service meanwhile.
var errOutOfService = errors.New("the target left service")

// Addr returns the target's address.
func (t *Target) Addr() netip.AddrPort { return t.cfg.Addr }

// Protocol returns how the target is spoken to.
func (t *Target) Protocol() Protocol { return t.cfg.Protocol }

// Scheme returns "http" or "https", as the target is spoken to.
func (t *Target) Scheme() string {
	if t.cfg.TLS {
		return "https"
	}
	return "http"
}

// CloseIdle closes the kept connections, and those in use when they come back.
// The target stays usable, over new connections.
func (t *Target) CloseIdle() { t.kept.CloseIdle() }

// Close is CloseIdle for good: requests in flight finish, later ones still
// work, but no connection is kept any more.
func (t *Target) Close() {
	t.kept.Close()
	t.pool.forget(t)
}

// Cut is Close, and breaks the connections in use at once: their requests end
// with Broken and without another try (502, or a cut connection if the answer
// had begun), as at the end of a deregistration delay. Requests that were not
// connected yet may still be tried elsewhere.
func (t *Target) Cut() {
	t.cut.Store(true)
	t.breakAll()
}

// Lose is for a target that has ended by itself, whose address may not even
// refuse connections any more. It is Close, no connection is opened any more,
// and those in use break at once; requests that may be repeated go elsewhere.
func (t *Target) Lose() {
	t.lost.Store(true)
	t.breakAll()
}

func (t *Target) breakAll() {
	t.Close()
	t.EndDials()
	t.kept.Break()
}

// EndDials ends the attempts to connect that are under way. Their requests have
// not reached the target and may be tried elsewhere.
func (t *Target) EndDials() {
	t.mu.Lock()
	defer t.mu.Unlock()
	for d := range t.dials {
		d.end(errOutOfService)
	}
}

// Dial opens a new connection, encrypted if the target wants that: for codecs,
// which offer protos by ALPN. It takes no longer than the pool allows, and ends
// when the target leaves service meanwhile. A codec that has noted the
// connection, so that Break finds it, asks InService afterwards. The pool counts
// the connection until it is closed.
func (t *Target) Dial(ctx context.Context, protos ...string) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, t.pool.cfg.DialTimeout)
	defer cancel()
	ctx, leave := context.WithCancelCause(ctx)
	defer leave(nil)
	d := &dialing{end: leave}
	if !t.beginDial(d) {
		return nil, errOutOfService
	}
	c, err := t.connect(ctx, protos)
	t.mu.Lock()
	delete(t.dials, d)
	t.mu.Unlock()
	switch {
	case errors.Is(context.Cause(ctx), errOutOfService):
		if err == nil {
			_ = c.Close() // nothing was sent
		}
		return nil, errOutOfService
	case err != nil:
		return nil, err
	}
	return c, nil
}

// InService reports whether connections to the target may be used: it was neither
// cut nor lost.
func (t *Target) InService() bool { return !t.cut.Load() && !t.lost.Load() }

// beginDial notes a dial; false when the target takes none.
func (t *Target) beginDial(d *dialing) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.InService() {
		return false
	}
	if t.dials == nil {
		t.dials = map[*dialing]struct{}{}
	}
	t.dials[d] = struct{}{}
	return true
}

func (t *Target) connect(ctx context.Context, protos []string) (net.Conn, error) {
	if !t.pool.takeConn() {
		return nil, errNoRoom
	}
	c, err := t.cfg.Dial(ctx, t.addr)
	if err != nil {
		t.pool.room.open.Add(-1)
		return nil, err
	}
	c = t.pool.room.count(c)
	if !t.cfg.TLS {
		return c, nil
	}
	// An ALB takes any certificate of a target (load-balancer-target-groups,
	// "Protocol").
	s := tls.Client(c, &tls.Config{InsecureSkipVerify: true, NextProtos: protos}) //nolint:gosec // as AWS
	if err := s.HandshakeContext(ctx); err != nil {
		_ = c.Close()
		return nil, err
	}
	return s, nil
}
