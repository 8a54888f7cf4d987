package http1

import (
	"errors"
	"fmt"
	"runtime/debug"
	"sync/atomic"
	"time"
)

// maxWhole is how large a body of known length may be to be read entirely
// before a target is asked for: it then holds no target up, goes out in one
// write, and can be sent again.
const maxWhole = 16 << 10

// bodyReader follows a body to its end.
type bodyReader struct {
	kind   bodyKind
	left   int64 // of lengthBody
	chunks chunks
}

// feed takes the part of p that belongs to the body. A closeBody is never done.
func (b *bodyReader) feed(p []byte) (n int, done bool, err error) {
	switch b.kind {
	case noBody:
		return 0, true, nil
	case lengthBody:
		n = int(min(b.left, int64(len(p))))
		b.left -= int64(n)
		return n, b.left == 0, nil
	case chunkedBody:
		return b.chunks.scan(p)
	case closeBody:
	}
	return len(p), false, nil
}

// upload passes the rest of a request's body on to the target while the answer
// is awaited. It runs in a goroutine of its own, which owns the client's
// reading side and the target's writing side until it has ended.
type upload struct {
	body    bodyReader
	running bool
	ended   chan struct{} // of capacity 1, made once

	stop    atomic.Bool  // set to end it
	failed  atomic.Bool  // set by it, to end the wait for the answer
	active  atomic.Int64 // when bytes moved last, in Unix nanoseconds
	failure Failure      // why it failed; set before failed
	bad     *protoError  // what the client gets
}

// measureBody finds how much of the body lies in the buffer.
func (c *Conn) measureBody() *protoError {
	c.up.body, c.up.bad = bodyReader{kind: c.req.body, left: c.req.length}, nil
	n, done, err := c.up.body.feed(c.in.b[c.req.end:c.in.w])
	c.whole, c.bodyEnd = done, c.req.end+n
	if err != nil {
		return errBadChunk
	}
	return nil
}

// readBody invites the body if the client waits for that, and reads a small one
// entirely. It reports false if the client failed, who was then answered.
func (c *Conn) readBody() bool {
	r := &c.req
	if c.whole {
		return true
	}
	if r.expects && c.in.w == r.end {
		// At once, whatever the length; the target is not asked
		// (how-elastic-load-balancing-works, "HTTP headers").
		if err := c.writeAll([]byte("HTTP/1.1 100 Continue\r\n\r\n"), c.set.IdleTimeout); err != nil {
			c.leave()
			return false
		}
	}
	if r.body != lengthBody || r.length > maxWhole {
		c.in.reserve(r.end + streamBuffer)
		return true
	}
	c.in.reserve(r.end + int(r.length))
	for !c.whole {
		if err := c.readMore(c.set.IdleTimeout); err != nil {
			c.failBody(err)
			return false
		}
		_ = c.measureBody() // only chunks can be bad
	}
	return true
}

// failBody ends a request whose body did not come.
func (c *Conn) failBody(err error) {
	var bad *protoError
	if !errors.As(err, &bad) {
		bad = errBrokenBody
	}
	c.refuse(bad)
}

// startUpload begins to pass on what is not buffered.
func (c *Conn) startUpload() {
	u := &c.up
	if u.ended == nil {
		u.ended = make(chan struct{}, 1)
	}
	u.stop.Store(false)
	u.failed.Store(false)
	u.failure, u.bad = OK, nil
	u.active.Store(time.Now().UnixNano())
	u.running = true
	go c.upload(c.target)
}

func (c *Conn) upload(tc *targetConn) {
	defer func() {
		if p := recover(); p != nil { // ends this connection only
			c.srv.cfg.Log.Error("upload panicked", "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
			c.up.failure, c.up.bad = BadBody, errBadChunk
			c.up.failed.Store(true)
			_ = tc.SetReadDeadline(past())
		}
		c.up.ended <- struct{}{}
	}()
	c.up.failure, c.up.bad = c.pump(tc)
	if c.up.failure != OK {
		c.up.failed.Store(true)
		_ = tc.SetReadDeadline(past())
	}
}

// pump moves the body until its end. If the target takes no more it just ends:
// the answer, or its absence, tells why.
func (c *Conn) pump(tc *targetConn) (Failure, *protoError) {
	u, start := &c.up, c.req.end
	for {
		n, err := c.readSome(c.in.b[start:], c.set.IdleTimeout, &u.stop)
		switch {
		case errors.Is(err, errStopped):
			return OK, nil
		case errors.Is(err, errIdle):
			return ClientGone, errSilent
		case err != nil:
			return ClientGone, errBrokenBody
		}
		c.in.w = start + n
		used, done, err := u.body.feed(c.in.b[start:c.in.w])
		if err != nil {
			return BadBody, errBadChunk
		}
		if err := tc.writeAll(c.in.b[start:start+used], c.set.IdleTimeout); err != nil {
			if errors.Is(err, errIdle) {
				return Timeout, nil
			}
			return OK, nil
		}
		u.active.Store(time.Now().UnixNano())
		if done {
			c.whole, c.bodyEnd = true, start+used
			return OK, nil
		}
	}
}

// uploadGrace is how long an upload may still run when the answer is complete:
// its last step may lag behind the target's.
const uploadGrace = 100 * time.Millisecond

// endUpload waits for the upload, stopping it if it is not about to end. What
// was not passed on by then makes both connections useless for more.
func (c *Conn) endUpload(grace time.Duration) {
	u := &c.up
	if !u.running {
		return
	}
	u.running = false
	timer := time.NewTimer(grace)
	defer timer.Stop()
	select {
	case <-u.ended:
		return
	case <-timer.C:
	}
	u.stop.Store(true)
	_ = c.SetReadDeadline(past())
	_ = c.target.SetWriteDeadline(past())
	_ = c.target.Close()
	<-u.ended
}
