package http1

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"
)

// conn is a client's connection. Owned by its goroutine, but for what mu
// guards.
type Conn struct {
	srv *Server
	// ctx is Serve's. It is kept because Request.Context is called from
	// outside, in the middle of a request.
	ctx     context.Context
	me      string // the local address, for clients that name no Host
	started time.Time

	link
	in  buffer
	req Request
	set *Settings // in force for this request

	// Of the request under way.
	work     *scratch
	keep     bool  // the connection may take another request afterwards
	whole    bool  // the body lies entirely in in.b[req.end:bodyEnd]
	replay   bool  // it can be sent again though a target may have seen it
	unread   bool  // the client may still be sending, though answered
	bodyEnd  int   // how far the buffered body goes
	baseGot  int64 // link.got when the request began, less what was read ahead
	baseSent int64
	lease    Lease // held and not yet done
	outcome  Outcome
	sum      Summary
	up       upload
	watcher  watcher
	draining atomic.Bool

	mu     sync.Mutex
	killed bool        // guarded by mu
	target *targetConn // in use; guarded by mu for Kill, written by the owner only
}

// Conn creates the object that serves a connection, which it takes over. The
// caller calls Serve. The end of ctx does not end it: that is for Kill, which
// comes with it.
func (s *Server) Conn(ctx context.Context, nc net.Conn) *Conn {
	c := &Conn{srv: s, ctx: ctx, link: link{Conn: nc}, in: buffer{pools: s.pools}, started: time.Now()}
	c.req.conn = c
	if a, ok := nc.RemoteAddr().(*net.TCPAddr); ok {
		ap := a.AddrPort()
		c.req.client = netip.AddrPortFrom(ap.Addr().Unmap(), ap.Port())
	}
	if a := nc.LocalAddr(); a != nil {
		c.me = a.String()
	}
	return c
}

// Drain begins the graceful end: Serve returns soon if the connection is idle,
// else after the request under way, whose answer has Connection: close. A tunnel
// goes on. It may be called from any goroutine.
func (c *Conn) Drain() {
	c.draining.Store(true)
	_ = c.SetReadDeadline(past()) // wakes an idle one; another sets its deadline anew
}

// Kill cuts the connection and its target's. It may be called from any goroutine.
func (c *Conn) Kill() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.killed = true
	_ = c.Close()
	if c.target != nil {
		_ = c.target.Close()
	}
}

// use makes tc the connection that Kill cuts too.
func (c *Conn) use(tc *targetConn) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.target = tc
	if c.killed && tc != nil {
		_ = tc.Close()
	}
}

// Serve takes requests until one of both sides wants no more, and closes the
// connection. A panic of the Router or a Lease ends this connection only.
func (c *Conn) Serve() {
	defer func() {
		if p := recover(); p != nil {
			c.srv.cfg.Log.Error("request panicked", "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
		}
		c.unwatch()
		c.endUpload(0)
		if c.lease != nil {
			c.settle(Ended, false)
		}
		_ = c.Close()
		c.in.rest()
		c.in.pools.put(c.in.b)
	}()
	for c.next() {
		c.handle()
		if !c.keep {
			break
		}
		c.in.rest()
	}
	if c.unread {
		c.linger()
	}
}

// next reads the next head. It reports false if there is none, having answered
// what was malformed.
func (c *Conn) next() bool {
	c.req.reset()
	c.set = c.srv.settings.Load()
	c.sum = Summary{}
	end, err := c.readHead()
	c.set = c.srv.settings.Load() // they may have changed while it was idle
	c.baseGot, c.baseSent = c.got-int64(c.in.w-c.in.r), c.sent
	c.req.arrived = time.Now()
	c.keep = false
	if err == nil {
		err = c.req.parse(c.in.b[:c.in.w], c.in.r, end)
	}
	if err == nil {
		c.req.setTrace()
		return true
	}
	if bad, ok := errors.AsType[*protoError](err); ok {
		c.req.blame(bad.class, bad.reason)
		c.refuse(bad)
		c.finish()
	}
	return false
}

// handle takes a request whose head is good to its end.
func (c *Conn) handle() {
	r := &c.req
	v := c.srv.cfg.Router.Route(r)
	if v.Settings != nil {
		c.set = v.Settings
	}
	c.keep = c.mayKeep()
	bad := c.measureBody()
	switch {
	case v.Drop:
		c.keep, c.sum.Reason = false, "Dropped"
		c.reset()
	case bad != nil:
		c.refuse(bad)
	case r.class >= Acceptable && c.set.Desync == Strictest:
		c.refuse(errStrict)
	case v.Answer != nil:
		c.answer(v.Answer)
	case v.Group == nil:
		c.answer(&Answer{Status: 503, Reason: "NoTargets"})
	default:
		c.forward(v.Group)
	}
	c.finish()
}

// mayKeep reports whether the connection may take another request after this.
func (c *Conn) mayKeep() bool {
	r := &c.req
	if r.class == Ambiguous && c.set.Desync != Monitor || c.draining.Load() {
		return false
	}
	if r.minor == 0 && !r.wantsKeep || r.wantsClose {
		return false
	}
	return r.arrived.Sub(c.started) < c.set.ClientKeepAlive
}

// forward passes the request on to targets of g until one has answered.
func (c *Conn) forward(g Group) {
	c.work = c.srv.pools.scratch()
	if c.readBody() {
		c.replay = c.whole && c.req.idempotent()
		w := c.work
		w.fwd = c.req.appendForward(w.fwd[:0], c.set, c.me)
		w.fwd = append(w.fwd, c.in.b[c.req.end:c.bodyEnd]...)
		for c.try(g) {
		}
	}
	c.srv.pools.done(c.work)
	c.work = nil
}

// finish tells of the request, and passes over its body.
func (c *Conn) finish() {
	s := &c.sum
	s.Received = c.got - c.baseGot
	if c.keep {
		c.in.r = c.bodyEnd
		s.Received -= int64(c.in.w - c.in.r)
	}
	s.SentBytes = c.sent - c.baseSent
	s.Finished = time.Now()
	s.Class, s.ClassReason = c.req.class, c.req.reason
	if c.set.DropInvalid {
		s.DroppedBad = c.req.invalid
	}
	c.srv.cfg.Observer.Finished(&c.req, s)
}
