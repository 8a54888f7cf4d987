package http2

import (
	"time"

	"neargate/internal/balancer/exchange"
	"neargate/internal/balancer/http2/hpack"
)

// head implements side: a request, or the trailers of one.
func (c *Conn) head(h *frameHeader, p []byte) error {
	if h.stream&1 == 0 {
		return &connError{protocolError, "stream of a server"}
	}
	if h.stream <= c.lastID {
		return c.trailers(h, p)
	}
	c.mu.Lock()
	c.lastID = h.stream
	full := c.open >= maxStreams || len(c.streams) >= maxRunning || c.srv.most > 0 && c.srv.running.Load() >= c.srv.most
	c.mu.Unlock()
	if full || c.farewell == leaving {
		return c.turnAway(h, p)
	}
	st := c.srv.streams.Get().(*clientStream)
	st.conn, st.fault = c, nil
	st.flow.Begin(c.proxy, st, c.info)
	st.head.reset(&st.flow.Request)
	fault, err := c.decode(&st.head.block, p, &st.head)
	if err != nil {
		c.srv.streams.Put(st)
		return err
	}
	switch fault {
	case nil:
		fault = st.head.finish(h.has(flagEndStream))
	case errLarge: // what was read first is overwritten
		r := &st.flow.Request
		r.Method, r.URI, r.Host, r.Fields = "", "", "", r.Fields[:0]
	}
	st.fault = fault
	c.admit(st, h, len(p))
	return nil
}

// admit makes a request that has come one that is served.
func (c *Conn) admit(st *clientStream, h *frameHeader, size int) {
	r := &st.flow.Request
	r.Scheme, r.Arrived = c.info.Scheme, time.Now()
	st.gone.Lock()
	st.serving = true
	c.mu.Lock()
	st.s, st.woken = &c.session, false
	st.beginLocked(h.stream, streamSpace)
	c.srv.running.Add(1)
	st.received = int64(headerLen + size)
	st.ended = h.has(flagEndStream)
	if st.left, st.upgrade = r.Length, r.Upgrade; r.Upgrade {
		st.left = exchange.Unknown
	}
	c.mu.Unlock()
	st.gone.Unlock()
	c.flows.Add(1)
	c.fresh = append(c.fresh, st)
	c.begun++
	if c.begun == maxRequests || r.Arrived.Sub(c.info.Started) >= st.flow.Settings().ClientKeepAlive {
		c.retired = true
	}
}

// discard takes fields that nobody is to see, for the sake of the table.
type discard struct{}

func (discard) take(*hpack.Field) *exchange.Fault { return nil }

// turnAway refuses a stream that there is no room for. It may be sent again.
func (c *Conn) turnAway(h *frameHeader, p []byte) error {
	if err := c.skip(p); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.noteClosedLocked(h.stream, true)
	if c.farewell != leaving { // else the last stream was named
		c.out = appendReset(c.out, h.stream, refusedStream)
	}
	return c.glitch()
}

// skip decodes a block that nobody wants.
func (c *Conn) skip(p []byte) error {
	var b block
	_, err := c.decode(&b, p, discard{})
	b.release(c.pools)
	return err
}

// trailers takes the block behind a body.
func (c *Conn) trailers(h *frameHeader, p []byte) error {
	c.mu.Lock()
	st := c.streams[h.stream]
	known, ours := c.wasClosedLocked(h.stream)
	ended := !ours
	if st != nil {
		known, ours = true, st.ourReset
		ended = !ours && (st.ended || st.err != nil) && st.spoilt == nil
	}
	dead := st == nil || st.err != nil || st.spoilt != nil
	c.mu.Unlock()
	switch {
	case !known:
		return &connError{protocolError, "stream identifier went down"}
	case ended:
		return &connError{streamClosed, "HEADERS of a stream that has ended"}
	case dead:
		return c.skip(p)
	}
	var b block
	fault, err := c.decode(&b, p, &b)
	if err != nil {
		return err
	}
	if !h.has(flagEndStream) {
		fault = errTrailer
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.streams[h.stream] != st { // it was answered meanwhile
		b.release(c.pools)
		return nil
	}
	if fault == nil && st.left > 0 {
		fault = errLength
	}
	st.received += int64(headerLen + len(p))
	st.trailers = b
	if fault != nil {
		st.spoilLocked(fault)
		return nil
	}
	st.ended = true
	if st.finished {
		st.closeLocked()
	}
	st.read.signal()
	return nil
}
