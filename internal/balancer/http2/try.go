package http2

import (
	"fmt"
	"net/http"
	"time"

	"neargate/internal/balancer/exchange"
	"neargate/internal/balancer/http2/hpack"
)

// try is one request to a target: exchange.Try. It has no stream before its head is
// sent: identifiers must be used in their order.
type try struct {
	stream
	conn   *targetConn
	reused bool
	toHead bool // the request is HEAD
	idle   time.Duration

	// Guarded by mu, until they are handed out.
	heads  []*answerHead // that have come and were not taken
	final  answerHead
	headed bool // final has come

	interim int // interim heads that have come; guarded by mu
}

// maxInterim is how many interim answers wait at most; more are dropped.
const maxInterim = 8

// errNotSeen is of requests that a target has not looked at.
var errNotSeen = fmt.Errorf("http2: target closes the connection: %w", exchange.ErrUnprocessed)

func newTry() *try {
	t := &try{}
	t.make()
	t.owner = t
	t.badLength = exchange.ErrMalformed
	return t
}

// Send implements exchange.Try.
func (t *try) Send(fwd *exchange.Forward, p []byte, end bool) error {
	t.idle, t.toHead = fwd.Idle, fwd.Method == http.MethodHead
	out := t.enc[:0]
	switch fwd.Method {
	case http.MethodGet:
		out = hpack.AppendIndexed(out, 2)
	case http.MethodPost:
		out = hpack.AppendIndexed(out, 3)
	default:
		out = hpack.AppendField(out, ":method", fwd.Method)
	}
	out = hpack.AppendField(out, ":scheme", fwd.Scheme)
	out = hpack.AppendField(out, ":authority", fwd.Authority)
	out = hpack.AppendField(out, ":path", fwd.URI)
	for i := range fwd.Fields {
		switch f := &fwd.Fields[i]; f.ID {
		case exchange.HostField, exchange.ConnectionField, exchange.KeepAliveField, exchange.ProxyConnectionField,
			exchange.TransferEncodingField, exchange.UpgradeField, exchange.TEField:
		default:
			out = hpack.AppendField(out, f.Name, f.Value)
		}
	}
	if fwd.Trailers {
		out = hpack.AppendField(out, "te", "trailers")
	}
	t.enc = out
	return t.transmit(out, p, end, t.idle)
}

// Write implements exchange.Try.
func (t *try) Write(p []byte, end bool) error { return t.transmit(nil, p, end, t.idle) }

// WriteTrailers implements exchange.Try.
func (t *try) WriteTrailers(fields []exchange.Field) error {
	t.enc = appendTrailers(t.enc[:0], fields)
	return t.transmit(t.enc, nil, true, t.idle)
}

// startLocked gives the try its stream.
func (t *try) startLocked() error {
	s := t.s
	if s.err != nil {
		return s.err
	}
	if t.conn.retired {
		return errNotSeen
	}
	if s.lastID == 0 {
		s.lastID = 1
	} else {
		s.lastID += 2
	}
	t.beginLocked(s.lastID, tryShare)
	return nil
}

// Head implements exchange.Try.
func (t *try) Head(h *exchange.Head, limit time.Duration) error {
	s := t.s
	s.mu.Lock()
	defer s.mu.Unlock()
	var until time.Time
	for {
		switch {
		case len(t.heads) > 0:
			t.fillLocked(h, t.heads[0])
			t.heads = t.heads[:copy(t.heads, t.heads[1:])]
			return nil
		case t.spoilt != nil:
			return t.spoilt
		case t.err != nil:
			return t.err
		case t.ended: // a body without a head
			return exchange.ErrMalformed
		}
		if err := t.awaitLocked(&until, limit); err != nil {
			return err
		}
	}
}

// fillLocked sets h to a head that has come.
func (t *try) fillLocked(h *exchange.Head, a *answerHead) {
	*h = exchange.Head{Status: a.status, Fields: append(h.Fields[:0], a.fields...), Length: a.length, Last: t.conn.retired}
	h.Bodiless = a.bodiless(t.toHead)
	switch {
	case h.Bodiless, a.length == exchange.Unknown && t.ended && len(t.body) == 0:
		h.Length = 0
	}
}

// Linger implements exchange.Try.
func (t *try) Linger(limit time.Duration) error {
	t.s.mu.Lock()
	defer t.s.mu.Unlock()
	var until time.Time
	for t.err == nil {
		if err := t.awaitLocked(&until, limit); err != nil {
			return err
		}
	}
	return nil
}

// Reused implements exchange.Try.
func (t *try) Reused() bool { return t.reused }

// Break implements exchange.Try.
func (t *try) Break() {
	t.s.mu.Lock()
	defer t.s.mu.Unlock()
	t.endLocked(errBrokenOff)
}

// Free implements exchange.Try: the stream ends, the connection stays.
func (t *try) Free(bool) {
	c := t.conn
	c.mu.Lock()
	if t.id > 0 {
		if !t.ended && !t.headed && t.err == nil {
			c.doubtLocked()
		}
		_, theirs := t.err.(resetError) //nolint:errorlint // as the reader sets it
		if !t.ended {
			c.paid = min(c.paid+1, credit) // its head or trailers may be on their way
		}
		if c.err == nil && !theirs && (!t.ended || !t.finished) {
			t.resetLocked(cancelled)
		}
		c.served = c.served || t.headed
		t.detachLocked()
	}
	c.used--
	c.idle = time.Now()
	over := c.retired && c.used == 0
	c.mu.Unlock()
	c.send()
	if over {
		_ = c.nc.Close()
	}
}

// Release implements exchange.Try.
func (t *try) Release() {
	up := t.conn.kept.up
	t.release(up.pools)
	t.final.release(up.pools)
	clear(t.heads)
	t.heads = t.heads[:0]
	t.conn, t.s = nil, nil
	up.tries.Put(t)
}
