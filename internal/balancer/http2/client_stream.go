package http2

import (
	"net/http"
	"strings"
	"time"

	"neargate/internal/balancer/exchange"
	"neargate/internal/balancer/http2/hpack"
)

// clientStream is one request of a client: exchange.Client.
type clientStream struct {
	stream
	conn  *Conn
	flow  exchange.Flow
	head  requestHead
	fault *exchange.Fault // what is wrong with the request
	// upgrade is of a request for a WebSocket until it is accepted: what comes behind
	// it is not its body.
	upgrade bool
}

func newClientStream() *clientStream {
	st := &clientStream{}
	st.make()
	st.tell, st.end = st.flow.Gone, st.flow.Kill
	st.badLength = errLength
	return st
}

// serve takes the request to its end.
func (st *clientStream) serve() {
	c := st.conn
	defer c.flows.Done()
	if st.fault != nil {
		st.flow.Refuse(st.fault)
	} else {
		st.flow.Serve(c.ctx)
	}
	st.leave()
}

// leave ends the stream, in order if it was served whole.
func (st *clientStream) leave() {
	c := st.conn
	st.gone.Lock()
	st.serving = false
	st.gone.Unlock()
	c.mu.Lock()
	if st.err == nil {
		switch {
		case st.fault != nil && !wellFormed(st.fault), st.spoilt != nil:
			st.resetLocked(protocolError)
		case !st.finished:
			st.resetLocked(internalError)
		case !st.ended:
			st.resetLocked(noError) // what is still to come is not needed (RFC 9113, 8.1)
		}
	}
	st.detachLocked()
	c.srv.running.Add(-1)
	st.release(c.pools)
	st.head.block.release(c.pools)
	if len(c.streams) == 0 {
		c.idle = time.Now()
		if c.farewell == leaving {
			c.wakeReader()
		}
	}
	due := len(c.out) > 0
	c.mu.Unlock()
	if due {
		c.send()
	}
	st.conn, st.s = nil, nil
	c.srv.streams.Put(st)
}

// Next, Buffered and Collect have trailers come with the end of the body, so that
// they are passed on.

// Buffered implements exchange.Body.
func (st *clientStream) Buffered(exchange.Form) (p []byte, whole bool, err error) {
	st.s.mu.Lock()
	defer st.s.mu.Unlock()
	if st.upgrade {
		return nil, true, nil
	}
	p, whole, err = st.bufferedLocked()
	return p, whole && len(st.trailers.fields) == 0, err
}

// Collect implements exchange.Client.
func (st *clientStream) Collect(limit time.Duration) error {
	st.s.mu.Lock()
	defer st.s.mu.Unlock()
	var until time.Time
	held := -1
	for {
		p, whole, err := st.bufferedLocked()
		if whole || err != nil {
			return err
		}
		if len(p) > held { // each wait has its own limit
			held, until = len(p), time.Time{}
		}
		if err := st.awaitLocked(&until, limit); err != nil {
			return err
		}
	}
}

// Watch implements exchange.Client: the reader always looks.
func (st *clientStream) Watch() {}

func (st *clientStream) limit() time.Duration { return st.flow.Settings().IdleTimeout }

// Continue implements exchange.Client.
func (st *clientStream) Continue() error {
	st.enc = hpack.AppendStatus(st.enc[:0], 100)
	return st.transmit(st.enc, nil, false, st.limit())
}

// Interim implements exchange.Client.
func (st *clientStream) Interim(h *exchange.Head) error {
	return st.transmit(st.answerBlock(h), nil, false, st.limit())
}

// Respond implements exchange.Client.
func (st *clientStream) Respond(h *exchange.Head, p []byte, end bool) error {
	switch {
	case h.Status == http.StatusSwitchingProtocols:
		st.upgrade = false
	case h.Bodiless:
		p = nil
	}
	return st.transmit(st.answerBlock(h), p, end, st.limit())
}

// Write implements exchange.Client.
func (st *clientStream) Write(p []byte, end bool) error {
	return st.transmit(nil, p, end, st.limit())
}

// WriteTrailers implements exchange.Client.
func (st *clientStream) WriteTrailers(fields []exchange.Field) error {
	st.enc = appendTrailers(st.enc[:0], fields)
	return st.transmit(st.enc, nil, true, st.limit())
}

// Abort implements exchange.Client.
func (st *clientStream) Abort(bool) {
	c := st.conn
	c.mu.Lock()
	if st.err == nil {
		st.resetLocked(internalError)
		st.endLocked(errBrokenOff)
	}
	c.mu.Unlock()
	c.send()
}

// answerBlock is an answer's head as a block.
func (st *clientStream) answerBlock(h *exchange.Head) []byte {
	status := h.Status
	if status == http.StatusSwitchingProtocols { // an extended CONNECT succeeds (RFC 8441)
		status = 200
	}
	out := hpack.AppendStatus(st.enc[:0], status)
	lengths := 0
	for i := range h.Fields {
		f := &h.Fields[i]
		switch f.ID {
		case exchange.ConnectionField, exchange.KeepAliveField, exchange.ProxyConnectionField,
			exchange.TransferEncodingField, exchange.UpgradeField, exchange.TEField:
			continue
		case exchange.OtherField:
			if h.Status == http.StatusSwitchingProtocols && strings.EqualFold(f.Name, "sec-websocket-accept") {
				continue // of the key, which is not the client's
			}
		case exchange.ContentLengthField:
			if lengths++; lengths > 1 || h.Status < 200 {
				continue
			}
		default: // passes as it is
		}
		out = hpack.AppendField(out, f.Name, f.Value)
	}
	st.enc = out
	return out
}

// appendTrailers appends what may stand behind a body.
func appendTrailers(out []byte, fields []exchange.Field) []byte {
	for i := range fields {
		if f := &fields[i]; exchange.KnownField(f.Name) == exchange.OtherField {
			out = hpack.AppendField(out, f.Name, f.Value)
		}
	}
	return out
}
