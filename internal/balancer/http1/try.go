package http1

import (
	"errors"
	"io"
	"net/http"
	"strconv"
	"sync/atomic"
	"time"

	"neargate/internal/balancer/exchange"
)

// try is a request on a connection to a target: exchange.Try. Tries are pooled.
type try struct {
	codec *Codec
	tc    *targetConn

	// The request.
	out      []byte
	idle     time.Duration // limit of writes
	toHead   bool          // it is HEAD
	inChunks bool          // we put its body in chunks
	upgrades bool          // it asks for a WebSocket

	// The answer lies in buf[:held], its head in buf[:end]. buf is in, or a larger
	// one.
	in, buf   []byte
	held, end int
	scanned   int  // octets in which no end of a head was found
	empty     int  // empty lines that came before a head
	bare      bool // a line of it ends without CR
	head      answer
	body      body
	form      exchange.Form
	whole     bool // the body has come to its end
	surplus   bool // octets came that belong to no answer
	endless   bool // after an upgrade
	crossed   bool // a kept connection ended as the request came
	chunk     []byte

	woken  atomic.Bool
	broken atomic.Bool
}

// try begins a try on a connection.
func (c *Codec) try(tc *targetConn) *try {
	t := c.tries.Get().(*try)
	t.tc, t.buf = tc, t.in
	t.held, t.end, t.scanned, t.empty, t.bare = 0, 0, 0, 0, false
	t.inChunks, t.whole, t.surplus, t.endless = false, false, false, false
	t.crossed = false
	t.woken.Store(false)
	t.broken.Store(false)
	return t
}

// Send sends head and body at once: exchange.Try. Where this is all there is, Head
// sends it as it begins to wait.
func (t *try) Send(fwd *exchange.Forward, p []byte, end bool) error {
	t.idle, t.toHead, t.upgrades = fwd.Idle, fwd.Method == http.MethodHead, fwd.Upgrade
	t.out = t.appendRequest(t.out[:0], fwd, p, end)
	if end && t.tc.plain && len(t.out) <= streamBuffer {
		t.tc.sendFirst(t.out, t.idle) // by Head, which follows
		return nil
	}
	return t.tc.writeAll(t.out, t.idle)
}

func (t *try) appendRequest(out []byte, fwd *exchange.Forward, p []byte, end bool) []byte {
	out = append(append(out, fwd.Method...), ' ')
	out = append(append(out, fwd.URI...), " HTTP/1.1\r\n"...)
	for i := range fwd.Fields {
		out = appendField(out, &fwd.Fields[i])
	}
	switch {
	case fwd.Length != exchange.Unknown:
	case end && fwd.Form == exchange.Payload:
		out = append(strconv.AppendInt(append(out, "Content-Length: "...), int64(len(p)), 10), "\r\n"...)
	default:
		t.inChunks = fwd.Form == exchange.Payload
		out = append(out, "Transfer-Encoding: chunked\r\n"...)
	}
	switch {
	case fwd.Upgrade:
		out = append(out, "Connection: upgrade\r\nUpgrade: websocket\r\n"...)
	case fwd.Trailers:
		out = append(out, "Connection: TE\r\nTE: trailers\r\n"...)
	}
	out = append(out, "\r\n"...)
	if t.inChunks {
		return appendChunk(out, p, end)
	}
	return append(out, p...)
}

// Write sends more of the body: exchange.Try.
func (t *try) Write(p []byte, end bool) error {
	if t.inChunks {
		t.chunk = appendChunk(t.chunk[:0], p, end)
		p = t.chunk
	}
	if len(p) > 0 {
		if err := t.tc.writeAll(p, t.idle); err != nil {
			return err
		}
	}
	if end && t.endless {
		return t.tc.closeWrite()
	}
	return nil
}

// WriteTrailers ends the body with trailers: exchange.Try.
func (t *try) WriteTrailers(fields []exchange.Field) error {
	if !t.inChunks {
		return nil // there is no room for them
	}
	t.chunk = appendTrailers(t.chunk[:0], fields)
	return t.tc.writeAll(t.chunk, t.idle)
}

// Buffered returns what came with the final head: exchange.Body.
func (t *try) Buffered(form exchange.Form) (part []byte, whole bool, err error) {
	t.form = form
	t.body.begin(t.head.body, t.head.length)
	part, done, err := t.take(t.buf[t.end:t.held])
	return part, done, err
}

// take takes octets of the body.
func (t *try) take(p []byte) (part []byte, done bool, err error) {
	part, n, done, err := t.body.take(p, t.form)
	if err != nil {
		return nil, false, exchange.ErrMalformed
	}
	t.whole = done
	t.surplus = t.surplus || n < len(p)
	return part, done, nil
}

// Next reads more of the body: exchange.Body.
func (t *try) Next(limit time.Duration) (part []byte, done bool, err error) {
	if t.head.body == lengthBody && t.body.left > middleBuffer && len(t.buf) < largeBuffer {
		t.buf = t.codec.pools.get(largeBuffer)
	}
	w := reading{limit: limit}
	for {
		n, err := w.read(t, t.buf)
		if errors.Is(err, io.EOF) && (t.endless || t.head.body == closeBody) {
			t.whole = true
			return nil, true, nil
		}
		if err != nil {
			return nil, false, err
		}
		part, done, err := t.take(t.buf[:n])
		if err != nil || len(part) > 0 || done {
			return part, done, err
		}
	}
}

// read reads once.
func (t *try) read(p []byte, limit time.Duration) (int, error) {
	n, err := t.tc.readSome(p, limit, &t.woken)
	if errors.Is(err, exchange.ErrWoken) {
		t.woken.Store(false)
	}
	return n, err
}

// Trailers returns what came behind the body: exchange.Body.
func (t *try) Trailers() []exchange.Field { return t.body.trailers() }

// Linger waits until the target has closed: exchange.Try.
func (t *try) Linger(limit time.Duration) error {
	var b [1]byte
	_, err := t.read(b[:], limit)
	if errors.Is(err, exchange.ErrIdle) || errors.Is(err, exchange.ErrWoken) {
		return err
	}
	t.surplus = true
	return nil
}

// Wake ends a wait for the answer: exchange.Body.
func (t *try) Wake() {
	t.woken.Store(true)
	_ = t.tc.SetReadDeadline(past())
}

// Break cuts the connection: exchange.Try.
func (t *try) Break() {
	t.broken.Store(true)
	_ = t.tc.Close()
}

// Reused reports whether the connection had served requests: exchange.Try.
func (t *try) Reused() bool { return t.tc.served > 0 }

// Crossed reports whether a kept connection would have been used but for its end, which
// the request would have crossed: exchange.Crosser.
func (t *try) Crossed() bool { return t.crossed }

// Counts returns what was read and written: exchange.Try.
func (t *try) Counts() (received, sent int64) { return t.tc.got, t.tc.sent }

// Free gives the connection back: exchange.Try.
func (t *try) Free(keep bool) {
	tc := t.tc
	t.tc = nil
	if keep && t.head.keep && t.whole && !t.surplus && !t.endless && !t.broken.Load() {
		tc.kept.keep(tc, time.Now(), t.head.keepFor)
		return
	}
	tc.kept.drop(tc)
}

// Release gives the buffers back: exchange.Try.
func (t *try) Release() {
	if len(t.buf) == largeBuffer {
		t.codec.pools.put(t.buf)
	}
	t.buf = nil
	t.body.release()
	t.out, t.chunk = shrink(t.out), shrink(t.chunk)
	t.head = answer{}
	t.codec.tries.Put(t)
}
