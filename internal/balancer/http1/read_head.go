package http1

import (
	"bytes"
	"errors"
	"time"

	"neargate/internal/balancer/exchange"
	"neargate/internal/balancer/octet"
)

// readHead waits for a head and returns where it ends in in.b. An error that is
// not an *exchange.Fault has no one to be told.
func (c *Conn) readHead() (end int, err error) {
	var headBy time.Time
	scanned, empty := 0, 0
	for {
		if empty += c.skipEmptyLines(); empty > maxEmptyLines {
			return 0, errBadMethod
		}
		if held := c.in.b[c.in.r:c.in.w]; len(held) > 0 {
			n, err := headEnd(held, scanned)
			if err == nil && n == 0 {
				err = checkPartial(held)
			}
			if n > 0 || err != nil {
				return c.in.r + n, err
			}
			scanned = len(held)
		}
		if !c.in.space() {
			return 0, errHeaderSize
		}
		if scanned == 0 {
			err = c.readFirst()
		} else {
			if headBy.IsZero() {
				headBy = time.Now().Add(c.proxy.Current().IdleTimeout)
			}
			err = c.readMore(time.Until(headBy))
		}
		if err != nil {
			return 0, err
		}
	}
}

// skipEmptyLines passes over empty lines before a request (RFC 9112 2.2), and returns
// how many there were.
func (c *Conn) skipEmptyLines() (n int) {
	for c.in.w-c.in.r >= 2 && c.in.b[c.in.r] == '\r' && c.in.b[c.in.r+1] == '\n' {
		c.in.r += 2
		n++
	}
	return n
}

// checkPartial refuses what cannot become a good head.
func checkPartial(p []byte) error {
	if !octet.Is(p[0], octet.Token) && p[0] != '\r' {
		return errBadMethod
	}
	if len(p) > maxRequestLine && bytes.IndexByte(p[:maxRequestLine], '\n') < 0 {
		return errURITooLong
	}
	if len(p) > maxRequestLine+maxRequestHeaders {
		return errHeaderSize
	}
	return nil
}

// drainGrace is how long an idle connection stays open for a request that was
// already on its way when Drain came.
const drainGrace = 100 * time.Millisecond

// readFirst waits for the first octets of a request.
func (c *Conn) readFirst() error {
	now := time.Now()
	if c.silentBy.IsZero() {
		set := c.proxy.Current()
		c.silentBy = now.Add(min(set.IdleTimeout, max(set.ClientKeepAlive-now.Sub(c.of.Started), time.Second)))
	}
	n, err := c.readSome(c.in.b[c.in.w:], min(c.silentBy.Sub(now), c.awake()), &c.draining)
	switch {
	case errors.Is(err, exchange.ErrWoken):
		n, err = c.readSome(c.in.b[c.in.w:], drainGrace, nil)
	case errors.Is(err, exchange.ErrIdle):
		c.asleep = time.Now().Before(c.silentBy)
	}
	if err == nil {
		c.silentBy = time.Time{}
	}
	c.in.w += n
	return err
}

// How long a connection waits for a request with what it needs to serve one at
// hand: clients send the first one at once.
const (
	awakeFirst = 100 * time.Millisecond
	awakeNext  = time.Second
)

func (c *Conn) awake() time.Duration {
	if c.got == 0 {
		return awakeFirst
	}
	return awakeNext
}

// readMore reads on within a head.
func (c *Conn) readMore(limit time.Duration) error {
	if limit <= 0 {
		return errSilent
	}
	n, err := c.readSome(c.in.b[c.in.w:], limit, nil)
	c.in.w += n
	if errors.Is(err, exchange.ErrIdle) {
		return errSilent
	}
	return err
}
