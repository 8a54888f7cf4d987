package http1

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"testing"
	"time"

	"neargate/internal/balancer/exchange"
)

// catcher is a target that keeps the head that it would have been sent, and
// everything else that a request meets on its way there.
type catcher struct {
	target *exchange.Target
	try    *try
	fwd    *exchange.Forward
}

// pass has a request with a head take its way; nil if the head is refused.
func (c *catcher) pass(t *testing.T, raw []byte, end int) *request {
	t.Helper()
	codec := New(Config{})
	c.target = exchange.NewPool(exchange.PoolConfig{Upstreams: exchange.Upstreams{exchange.HTTP1: c}}).Target(exchange.TargetSpec{Addr: netip.MustParseAddrPort("127.0.0.1:80")})
	proxy := exchange.NewProxy(exchange.Config{Router: c, Observer: c, Log: slog.New(slog.DiscardHandler), Settings: exchange.DefaultSettings()})
	conn := codec.Conn(t.Context(), proxy, silent{}, exchange.Conn{Local: "127.0.0.1:80"})
	conn.in.b, conn.in.w = raw, end
	turn := newTurn()
	turn.start(conn)
	if turn.req.parse(raw, 0, end) != nil {
		return nil
	}
	turn.flow.Serve(t.Context())
	if c.fwd == nil {
		return nil
	}
	return &turn.req
}

func (c *catcher) Route(*exchange.Request) exchange.Verdict        { return exchange.Verdict{Group: c} }
func (c *catcher) Claim(*exchange.Request) (exchange.Lease, error) { return c, nil }
func (c *catcher) Target() *exchange.Target                        { return c.target }
func (c *catcher) Done(*exchange.Request, *exchange.Outcome)       {}
func (c *catcher) Opened(netip.Addr)                               {}
func (c *catcher) Rejected()                                       {}
func (c *catcher) Closed(netip.Addr)                               {}
func (c *catcher) Finished(*exchange.Request, *exchange.Summary)   {}
func (c *catcher) Keep(*exchange.Target) exchange.Kept             { return c }
func (c *catcher) Open(context.Context, bool) (exchange.Try, error) {
	c.try = &try{}
	return caught{c.try, c}, nil
}
func (c *catcher) CloseIdle()      {}
func (c *catcher) Close()          {}
func (c *catcher) Break()          {}
func (c *catcher) Prune(time.Time) {}

// caught is a try that goes no further than Send.
type caught struct {
	*try
	c *catcher
}

func (c caught) Send(fwd *exchange.Forward, _ []byte, _ bool) error {
	c.c.fwd = fwd
	return io.ErrClosedPipe
}

func (c caught) Head(*exchange.Head, time.Duration) error { return exchange.ErrMalformed }
func (c caught) Counts() (received, sent int64)           { return 0, 0 }
func (c caught) Reused() bool                             { return false }
func (c caught) Wake()                                    {}
func (c caught) Break()                                   {}
func (c caught) Free(bool)                                {}
func (c caught) Release()                                 {}

// silent is a connection on which nothing comes.
type silent struct{ net.Conn }

func (silent) Read([]byte) (int, error)         { return 0, errors.ErrUnsupported }
func (silent) Write(p []byte) (int, error)      { return len(p), nil }
func (silent) SetReadDeadline(time.Time) error  { return nil }
func (silent) SetWriteDeadline(time.Time) error { return nil }
func (silent) Close() error                     { return nil }
