package http1

import (
	"context"
	"errors"
	"net"
	"sync/atomic"
	"time"
)

// try sends the request to one target and passes its answer on. It reports true
// if another try is due.
func (c *Conn) try(g Group) bool {
	lease, err := g.Claim(&c.req)
	left := c.unwatch()
	if err != nil {
		c.refuseClaim(err, left)
		return false
	}
	c.lease, c.outcome = lease, Outcome{}
	c.sum.Tries++
	t := lease.Target()
	c.sum.Target = t
	if c.req.timedOut && t == c.req.failed { // there is no other
		c.settle(ConnectTimeout, false)
		c.fail(ConnectTimeout, nil)
		return false
	}
	if left {
		c.settle(ClientGone, false)
		c.leave()
		return false
	}
	f := c.exchange(t)
	switch {
	case f == OK && c.unavailable():
		c.outcome.Retry = true
		c.settle(OK, false)
		c.req.attempt++
		c.req.failed = t
		return true
	case f == OK:
		c.relay()
		return false
	}
	c.endUpload(0)
	bad := c.up.bad
	c.outcome.Retry = c.mayRetry(t, f)
	c.settle(f, false)
	if c.outcome.Retry {
		c.req.timedOut = f == ConnectTimeout
		c.req.attempt++
		c.req.failed = t
		return true
	}
	c.fail(f, bad)
	return false
}

// unavailable reports whether another target is to be asked, as this one answered
// that it is not available.
func (c *Conn) unavailable() bool {
	return c.set.RetryUnavailable && c.outcome.Status == 503 && c.replay && c.req.attempt+1 < c.set.Attempts
}

// mayRetry reports whether another target may be asked after a failure. One
// that was not reached cannot have seen the request; one that broke may have,
// so only what may be repeated is, and once.
func (c *Conn) mayRetry(t *Target, f Failure) bool {
	if c.req.attempt+1 >= c.set.Attempts {
		return false
	}
	switch f {
	case ConnectRefused:
		return true
	case ConnectTimeout:
		// Ten seconds are AWS's wait for a connection; another target may be
		// better off, but nobody waits for a third.
		return !c.req.timedOut
	case Broken:
		return c.replay && c.req.attempt == 0 && !t.cut.Load()
	default:
		return false
	}
}

// exchange sends the request and reads the head of the final answer. A kept
// connection that turns out to be dead is replaced by a new one.
func (c *Conn) exchange(t *Target) Failure {
	for fresh := false; ; fresh = true {
		if f := c.connect(t, fresh); f != OK {
			return f
		}
		f := c.request()
		tc := c.target
		if f != Broken || tc.got > 0 || tc.served == 0 || !c.replay || t.cut.Load() {
			return f
		}
		c.use(nil)
		t.drop(tc)
	}
}

// connect takes a kept connection to t, or opens one. A kept one that its target
// has closed, or on which bytes lie that belong to no request (the next would
// take them for its answer), is not used.
func (c *Conn) connect(t *Target, fresh bool) Failure {
	for !fresh {
		tc := t.take(time.Now())
		if tc == nil {
			break
		}
		if tc.peek() == peekNothing {
			tc.got, tc.sent = 0, 0
			c.use(tc)
			return OK
		}
		t.drop(tc)
	}
	tc, err := t.dial(c.ctx)
	if err == nil {
		c.use(tc)
		return OK
	}
	var ne net.Error
	switch {
	case c.ctx.Err() != nil:
		return Ended
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &ne) && ne.Timeout():
		return ConnectTimeout
	}
	return ConnectRefused
}

// request sends the request over c.target and reads the answer's head.
func (c *Conn) request() Failure {
	tc := c.target
	c.outcome.Reused = tc.served > 0
	err := tc.writeAll(c.work.fwd, c.set.IdleTimeout)
	if errors.Is(err, errIdle) {
		return Timeout
	}
	c.outcome.Sent = time.Now()
	c.sum.Dispatched = c.outcome.Sent
	if err == nil && !c.whole {
		c.startUpload()
	}
	// A target that would not take all may have answered before it closed.
	f := c.readAnswer()
	if f == OK {
		c.sum.Answered = time.Now()
		c.outcome.ResponseTime = c.sum.Answered.Sub(c.outcome.Sent)
		c.outcome.Status = c.work.head.status
	}
	return f
}

// readAnswer reads heads until the final one; the answer's bytes so far are
// then work.ans. Interim ones go to clients that know them; 100 was said
// already.
func (c *Conn) readAnswer() Failure {
	w := c.work
	held := 0
	for {
		end, n, f := c.readAnswerHead(held)
		if f != OK {
			return f
		}
		a := &w.head
		if err := a.parse(w.ans[:n], end, c.req.Method() == "HEAD"); err != nil {
			return BadAnswer
		}
		switch {
		case a.status >= 200:
			w.held = n
			return OK
		case a.status == 101:
			if !c.req.wantsUpgrade || !a.upgrades {
				return BadAnswer
			}
			w.held = n
			return OK
		case a.status != 100 && c.req.minor == 1:
			w.out = a.appendInterim(w.out[:0])
			if err := c.writeAll(w.out, c.set.IdleTimeout); err != nil {
				return ClientGone
			}
		}
		held = copy(w.ans, w.ans[end:n])
	}
}

// readAnswerHead reads until a head is complete: it ends at end, and n octets
// are there. held octets are there already.
func (c *Conn) readAnswerHead(held int) (end, n int, f Failure) {
	w := c.work
	scanned := 0
	for {
		end, err := headEnd(w.ans[:held], scanned)
		if err != nil || end > maxAnswerHeaders || end == 0 && held > maxAnswerHeaders {
			return 0, 0, BadAnswer
		}
		if end > 0 {
			return end, held, OK
		}
		scanned = held
		if held == len(w.ans) {
			w.ans = append(w.ans, make([]byte, len(w.ans))...)
		}
		n, err := c.await(w.ans[held:])
		if err != nil {
			return 0, 0, failureOf(err)
		}
		held += n
	}
}

// answerSlice is how often a request that waits for its answer looks whether
// the client is still there.
const answerSlice = time.Second

// failure is a Failure on its way up as an error.
type failure Failure

func (f failure) Error() string { return Failure(f).String() }

// failureOf is what an error of await means before an answer.
func failureOf(err error) Failure {
	if f, ok := errors.AsType[failure](err); ok {
		return Failure(f)
	}
	return Broken
}

// await reads from the target, for the idle timeout at most, and no longer than
// the request may take. Beside the
// socket's own errors it ends with a failure. A client that has ended its
// sending direction counts as gone, as it does for nginx: TCP cannot tell the
// two apart.
func (c *Conn) await(p []byte) (int, error) {
	began := time.Now()
	var stop *atomic.Bool
	if c.up.running {
		stop = &c.up.failed
	}
	for {
		slice := min(answerSlice, c.set.IdleTimeout)
		if c.set.RequestTimeout > 0 && !c.up.running {
			left := c.set.RequestTimeout - time.Since(c.outcome.Sent)
			if left <= 0 {
				return 0, failure(Timeout)
			}
			slice = min(slice, left)
		}
		n, err := c.target.readSome(p, slice, stop)
		switch {
		case err == nil:
			return n, nil
		case c.ctx.Err() != nil:
			return 0, failure(Ended)
		case errors.Is(err, errStopped):
			return 0, failure(c.up.failure)
		case !errors.Is(err, errIdle):
			return 0, err
		case !c.up.running && c.peek() == peekEnd:
			return 0, failure(ClientGone)
		case time.Since(c.lastMoved(began)) >= c.set.IdleTimeout:
			return 0, failure(Timeout)
		}
	}
}

// lastMoved is when something moved on the target's connection.
func (c *Conn) lastMoved(began time.Time) time.Time {
	if c.up.running {
		if at := time.Unix(0, c.up.active.Load()); at.After(began) {
			return at
		}
	}
	return began
}

// settle ends the lease. The target's connection is kept for other requests if
// keep is set, else closed.
func (c *Conn) settle(f Failure, keep bool) {
	if tc := c.target; tc != nil {
		c.outcome.In, c.outcome.Out = tc.got, tc.sent
		c.use(nil)
		if keep {
			tc.target.keep(tc, time.Now(), c.work.head.keepFor)
		} else {
			tc.target.drop(tc)
		}
	}
	c.outcome.Failure = f
	lease := c.lease
	c.lease = nil
	lease.Done(&c.req, &c.outcome)
}
