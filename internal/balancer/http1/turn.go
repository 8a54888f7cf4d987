package http1

import (
	"errors"
	"io"
	"sync/atomic"
	"time"

	"neargate/internal/balancer/exchange"
)

// turn is one request of a client: exchange.Client. Turns are pooled, so that an
// idle connection holds none.
type turn struct {
	flow exchange.Flow
	conn *Conn
	req  request

	// The body. What has come of it lies in conn.in.b[req.end:bodyEnd] until the
	// rest is read.
	body    requestBody
	bodyEnd int // how far the buffered body goes
	form    exchange.Form
	woken   atomic.Bool

	// The answer.
	out      []byte
	keep     bool // the connection may take another request afterwards
	answered bool // an answer has begun
	aborted  bool
	inChunks bool // we put the body in chunks
	endless  bool // after an upgrade

	baseGot  int64 // link.got when the request began, less what was read ahead
	baseSent int64
	watch    watch
}

// requestBody is the body of a request, and whether it has come entirely.
type requestBody struct {
	body
	whole bool
}

func newTurn() *turn {
	t := &turn{}
	t.req.Request = &t.flow.Request
	return t
}

// start begins a request whose head has come, or is malformed.
func (t *turn) start(c *Conn) {
	t.conn = c
	t.flow.Begin(c.proxy, t, &c.of)
	t.req.reset()
	t.req.Scheme = c.of.Scheme
	t.req.Arrived = time.Now()
	t.body.begin(noBody, 0)
	t.body.whole, t.bodyEnd = false, 0
	t.woken.Store(false)
	t.keep, t.answered, t.aborted, t.inChunks, t.endless = false, false, false, false, false
	t.watch.reset()
	t.baseGot, t.baseSent = c.got-int64(c.in.w-c.in.r), c.sent
}

// release forgets what the request refers to.
func (t *turn) release() {
	t.conn = nil
	t.body.release()
	t.out = shrink(t.out)
}

// Buffered returns what has come of the body: exchange.Body.
func (t *turn) Buffered(form exchange.Form) (part []byte, whole bool, err error) {
	in := &t.conn.in
	t.unwatch()
	if t.endless {
		part = in.b[t.bodyEnd:in.w]
		t.bodyEnd = in.w
		return part, false, nil
	}
	t.form = form
	t.body.begin(t.req.body, t.req.length)
	part, n, whole, err := t.body.take(in.b[t.req.end:in.w], form)
	t.body.whole, t.bodyEnd = whole, t.req.end+n
	if err != nil {
		return nil, false, errBadChunk
	}
	return part, whole, nil
}

// Collect reads the body until it is whole: exchange.Client.
func (t *turn) Collect(limit time.Duration) error {
	c := t.conn
	t.unwatch()
	c.in.reserve(t.req.end + int(t.req.length))
	for int64(c.in.w-t.req.end) < t.req.length {
		n, err := c.readSome(c.in.b[c.in.w:], limit, &t.woken)
		c.in.w += n
		if err != nil {
			return err
		}
	}
	return nil
}

// Next reads more of the body: exchange.Body.
func (t *turn) Next(limit time.Duration) (part []byte, done bool, err error) {
	t.unwatch()
	c := t.conn
	for {
		if t.bodyEnd == c.in.w { // nothing was read ahead
			if err := t.refill(limit); err != nil {
				return t.endOf(err)
			}
		}
		part, n, done, err := t.body.take(c.in.b[t.bodyEnd:c.in.w], t.form)
		t.bodyEnd += n
		if err != nil {
			return nil, false, errBadChunk
		}
		if len(part) > 0 || done {
			t.body.whole = done
			return part, done, nil
		}
	}
}

// refill reads over what was passed on already.
func (t *turn) refill(limit time.Duration) error {
	in := &t.conn.in
	in.reserve(t.req.end + streamBuffer)
	t.bodyEnd, in.w = t.req.end, t.req.end
	n, err := t.conn.readSome(in.b[in.w:], limit, &t.woken)
	in.w += n
	return err
}

// endOf is what the end of reading means: after an upgrade, of a direction.
func (t *turn) endOf(err error) ([]byte, bool, error) {
	if t.endless && errors.Is(err, io.EOF) {
		return nil, true, nil
	}
	return nil, false, err
}

// Trailers returns what came behind the body: exchange.Body.
func (t *turn) Trailers() []exchange.Field { return t.body.trailers() }

// Wake ends a wait for the body: exchange.Body.
func (t *turn) Wake() {
	t.woken.Store(true)
	_ = t.conn.SetReadDeadline(past())
}

// Counts returns what was read and written for this request: exchange.Client.
func (t *turn) Counts() (received, sent int64) {
	t.unwatch()
	c := t.conn
	received = c.got - t.baseGot
	if t.body.whole {
		received -= int64(c.in.w - t.bodyEnd)
	}
	return received, c.sent - t.baseSent
}
