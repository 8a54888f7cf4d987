package http1

import (
	"context"
	"errors"
	"fmt"
	"net"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"neargate/internal/balancer/exchange"
)

// Conn is a client's connection, accepted by somebody else. Owned by the
// goroutine that calls Serve, but for what is atomic or mu guards.
type Conn struct {
	codec *Codec
	proxy *exchange.Proxy
	// ctx is that of the connection. It is kept because the requests of the
	// connection take it over one after another.
	ctx context.Context
	of  exchange.Conn

	link
	in       buffer
	draining atomic.Bool
	retiring atomic.Bool
	unread   bool // the client may still be sending, though answered

	// Of the wait for a request.
	silentBy time.Time // when it is over; zero: none is under way
	asleep   bool      // the client is silent

	mu     sync.Mutex
	killed bool  // guarded by mu
	turn   *turn // the request under way; guarded by mu for Kill, written by the owner only
}

// Conn creates the object that serves a connection, which it takes over, for a
// proxy. The caller calls Serve. The end of ctx does not end it: that is for Kill,
// which comes with it.
func (c *Codec) Conn(ctx context.Context, p *exchange.Proxy, nc net.Conn, of exchange.Conn) *Conn {
	return &Conn{codec: c, proxy: p, ctx: ctx, of: of, link: newLink(nc), in: buffer{pools: c.pools}}
}

// Drain begins the graceful end: Serve returns soon if the connection is idle,
// else after the request under way, whose answer has Connection: close. A tunnel
// goes on. It may be called from any goroutine.
func (c *Conn) Drain() {
	c.draining.Store(true)
	_ = c.SetReadDeadline(past()) // wakes an idle one; another sets its deadline anew
}

// Retire has the next answer be the last: it has Connection: close. A client that
// sends nothing more is waited for as ever, so that no request meets a connection
// that is just being closed. It may be called from any goroutine.
func (c *Conn) Retire() { c.retiring.Store(true) }

// Kill cuts the connection and its target's. It may be called from any goroutine.
func (c *Conn) Kill() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.killed = true
	_ = c.Close()
	if c.turn != nil {
		c.turn.flow.Kill()
	}
}

// Serve takes requests until one of both sides wants no more, and closes the
// connection.
func (c *Conn) Serve() {
	for awake := true; awake; {
		awake = c.ServeAwake() > 0
	}
}

// ServeAwake is Serve, but returns when the client has been silent for a moment
// between requests, with how long it may go on being so; the connection holds
// almost nothing then. 0 is its end. A panic ends this connection only.
func (c *Conn) ServeAwake() (idle time.Duration) {
	defer func() {
		if p := recover(); p != nil {
			c.proxy.Log.Error("connection panicked", "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
			idle = 0
		}
		if idle <= 0 {
			_ = c.Close()
		}
		c.in.release()
	}()
	for c.next() {
		c.in.rest()
	}
	if c.asleep {
		c.asleep = false
		return max(time.Until(c.silentBy), 1)
	}
	if c.unread {
		c.linger()
	}
	return 0
}

// next serves the next request. It reports whether another may follow.
func (c *Conn) next() (more bool) {
	end, err := c.readHead()
	fault, told := errors.AsType[*exchange.Fault](err)
	if err != nil && !told {
		return false
	}
	t := c.begin()
	defer c.end(t)
	if err == nil {
		err = t.req.parse(c.in.b[:c.in.w], c.in.r, end)
		fault, told = errors.AsType[*exchange.Fault](err)
	}
	if told {
		t.flow.Refuse(fault)
		c.unread = t.answered
		return false
	}
	t.keep = c.mayKeep(&t.req)
	if !t.flow.Serve(c.ctx) || !t.keep {
		c.unread = t.answered && !t.body.whole && !t.aborted
		return false
	}
	c.in.r = t.bodyEnd
	return true
}

// mayKeep reports whether the connection may take another request after this.
func (c *Conn) mayKeep(r *request) bool {
	if r.minor == 0 && !r.wantsKeep || r.wantsClose {
		return false
	}
	return r.Arrived.Sub(c.of.Started) < c.proxy.Current().ClientKeepAlive
}

// begin takes out what the request that has come needs.
func (c *Conn) begin() *turn {
	t := c.codec.turns.Get().(*turn)
	t.start(c)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.turn = t
	if c.killed {
		t.flow.Kill()
	}
	return t
}

func (c *Conn) end(t *turn) {
	c.mu.Lock()
	c.turn = nil
	c.mu.Unlock()
	t.unwatch()
	t.release()
	c.codec.turns.Put(t)
}

// Bounds of the wait for a client that may still be sending, as nginx has them.
const (
	lingerTime  = 30 * time.Second
	lingerPause = 5 * time.Second
)

// linger ends the sending direction and takes what still comes: closing over
// unread bytes would make the kernel destroy the answer on its way.
func (c *Conn) linger() {
	if c.closeWrite() != nil {
		return
	}
	until := time.Now().Add(lingerTime)
	c.in.r, c.in.w = 0, 0
	for {
		left := min(time.Until(until), lingerPause)
		if left <= 0 || c.draining.Load() {
			return
		}
		if _, err := c.readSome(c.in.b, left, &c.draining); err != nil {
			return
		}
	}
}

// reset has the close that follows end in a reset.
func (c *Conn) reset() {
	if socket, ok := c.bare().(interface{ SetLinger(seconds int) error }); ok {
		_ = socket.SetLinger(0)
	}
}
