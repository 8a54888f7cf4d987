package http1

import (
	"errors"
	"io"
	"sync/atomic"
	"time"
)

// tunnel joins both connections after 101 until both directions have ended, one
// breaks, or nothing has moved for the idle timeout.
func (c *Conn) tunnel() {
	w, a, tc := c.work, &c.work.head, c.target
	c.keep = false
	c.sum.Tunnel = true
	w.out = a.appendFields(w.out[:0])
	w.out = append(w.out, c.req.extra...)
	w.out = append(w.out, "Connection: upgrade\r\nUpgrade: websocket\r\n\r\n"...)
	w.out = append(w.out, w.ans[a.end:w.held]...)
	early := c.in.b[c.bodyEnd:c.in.w]
	if c.writeAll(w.out, c.set.IdleTimeout) != nil || tc.writeAll(early, c.set.IdleTimeout) != nil {
		c.settle(ClientGone, false)
		return
	}
	var active atomic.Int64
	active.Store(time.Now().UnixNano())
	c.in.reserve(c.in.w + streamBuffer)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		carry(&tc.link, &c.link, c.in.b[c.in.w:], c.set.IdleTimeout, &active)
	}()
	carry(&c.link, &tc.link, w.ans, c.set.IdleTimeout, &active)
	<-ended
	c.settle(OK, false)
}

// carry copies one direction. Its end is passed on as an end of that direction;
// anything else closes both connections, which ends the other direction too.
func carry(dst, src *link, buf []byte, idle time.Duration, active *atomic.Int64) {
	for {
		n, err := src.readSome(buf, idle, nil)
		switch {
		case err == nil:
			active.Store(time.Now().UnixNano())
			if err := dst.writeAll(buf[:n], idle); err == nil {
				continue
			}
		case errors.Is(err, errIdle) && time.Since(time.Unix(0, active.Load())) < idle:
			continue
		case errors.Is(err, io.EOF):
			if dst.closeWrite() == nil {
				return
			}
		}
		_ = dst.Close()
		_ = src.Close()
		return
	}
}
