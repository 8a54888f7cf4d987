package http1

import (
	"errors"
	"io"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// watch looks whether the client leaves while an answer is awaited: it reads
// ahead into the connection's buffer, as far as there is room.
//
// A client that ends its sending direction in the middle of a request has gone.
// Behind a whole one the end says nothing: TCP cannot tell a half-closed
// connection from one that was closed. An HTTP/1.1 client is therefore asked, by
// an interim answer (RFC 9110 15.2), which one that has gone answers with a reset.
// nginx takes both for gone, HAProxy neither.
type watch struct {
	running bool
	asked   bool // by the interim answer
	ended   bool // the client's sending direction
	stop    atomic.Bool
	wg      sync.WaitGroup
}

func (w *watch) reset() { w.asked, w.ended = false, false }

// Watch begins to look: exchange.Client.
func (t *turn) Watch() {
	w := &t.watch
	if w.running || t.endless {
		return
	}
	w.running = true
	w.stop.Store(false)
	c := t.conn
	c.in.reserve(c.in.w + smallBuffer)
	c.readBy = time.Time{}
	_ = c.SetReadDeadline(time.Time{})
	w.wg.Go(t.look)
}

// unwatch ends the looking; what was read ahead lies in the buffer. It returns at
// once if nobody looks.
func (t *turn) unwatch() {
	w := &t.watch
	if !w.running {
		return
	}
	w.stop.Store(true)
	_ = t.conn.SetReadDeadline(past())
	w.wg.Wait()
	w.running, t.conn.readBy = false, time.Time{}
}

// look reads until the client has gone, the buffer is full or nobody wants to know
// any more.
func (t *turn) look() {
	c, w := t.conn, &t.watch
	for c.in.w < len(c.in.b) && !w.ended {
		n, err := c.readOnce(c.in.b[c.in.w:])
		c.in.w += n
		c.got += int64(n)
		switch {
		case err == nil:
		case errors.Is(err, os.ErrDeadlineExceeded): // by unwatch, or by somebody else's wake
			_ = c.SetReadDeadline(time.Time{})
			if w.stop.Load() {
				return
			}
		case errors.Is(err, io.EOF) && t.body.whole:
			w.ended = true
		default:
			t.flow.Gone()
			return
		}
	}
	if w.ended && t.ask() && c.awaitReset(&w.stop) {
		t.flow.Gone()
	}
}

// ask sends an interim answer to a client that has ended its sending direction. It
// reports false for one that knows none.
func (t *turn) ask() bool {
	w := &t.watch
	if t.req.minor == 0 {
		return false
	}
	if w.asked {
		return true
	}
	w.asked = true
	return t.conn.writeAll([]byte("HTTP/1.1 100 Continue\r\n\r\n"), time.Second) == nil
}
