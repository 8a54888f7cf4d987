package http1

import (
	"net/http"
	"strconv"

	"neargate/internal/balancer/exchange"
)

// Continue invites the body: exchange.Client.
func (t *turn) Continue() error { return t.write([]byte("HTTP/1.1 100 Continue\r\n\r\n")) }

// Interim passes an interim answer on to those who know them: exchange.Client.
func (t *turn) Interim(h *exchange.Head) error {
	if t.req.minor == 0 {
		return nil
	}
	t.out = append(appendHead(t.out[:0], h), "\r\n"...)
	return t.write(t.out)
}

// Respond begins the answer: exchange.Client.
func (t *turn) Respond(h *exchange.Head, p []byte, end bool) error {
	t.answered = true
	t.keep = t.keep && !h.Close && !t.conn.draining.Load() && !t.conn.retiring.Load() // it may have begun meanwhile
	if h.Status == http.StatusSwitchingProtocols {
		return t.upgrade(h, p)
	}
	t.frame(h)
	if t.passesAsItCame(h) {
		return t.verbatim(h.Raw, p)
	}
	t.out = append(t.appendHead(t.out[:0], h), "\r\n"...)
	t.out = t.appendBody(t.out, p, end)
	return t.write(t.out)
}

// passesAsItCame reports whether a head that is there as HTTP/1.1 serves this client.
func (t *turn) passesAsItCame(h *exchange.Head) bool {
	return h.Raw != nil && !t.inChunks && h.Chunks == (h.Form == exchange.Chunks) && t.keep == (t.req.minor == 1)
}

// frame decides how the end of the body is marked.
func (t *turn) frame(h *exchange.Head) {
	switch {
	case h.Bodiless || h.Form == exchange.Chunks || h.Length != exchange.Unknown:
	case t.req.minor == 1:
		t.inChunks = true
	default:
		t.keep = false
	}
}

// verbatim sends a head as it came. Mostly the body lies right behind it.
func (t *turn) verbatim(head, p []byte) error {
	if len(p) == 0 {
		return t.write(head)
	}
	if n := len(head) + len(p); cap(head) >= n && &head[:n][len(head)] == &p[0] {
		return t.write(head[:n])
	}
	t.out = append(append(t.out[:0], head...), p...)
	return t.write(t.out)
}

// appendHead writes status line and fields.
func appendHead(out []byte, h *exchange.Head) []byte {
	out = strconv.AppendInt(append(out, "HTTP/1.1 "...), int64(h.Status), 10)
	out = append(out, ' ')
	if h.Reason == "" {
		out = append(out, http.StatusText(h.Status)...)
	}
	return appendFields(append(append(out, h.Reason...), "\r\n"...), h.Fields)
}

// appendHead writes the head but for its empty line. An ALB's own answers have the
// connection's field behind the length.
func (t *turn) appendHead(out []byte, h *exchange.Head) []byte {
	if !h.Own {
		return t.appendConnection(appendHead(out, h), h)
	}
	rest := *h
	for i := range h.Fields {
		if h.Fields[i].ID == exchange.ContentLengthField {
			rest.Fields = h.Fields[:i+1]
			out = t.appendConnection(appendHead(out, &rest), h)
			return appendFields(out, h.Fields[i+1:])
		}
	}
	return t.appendConnection(appendHead(out, h), h)
}

func appendFields(out []byte, fields []exchange.Field) []byte {
	for i := range fields {
		out = appendField(out, &fields[i])
	}
	return out
}

// appendConnection writes what is of this connection.
func (t *turn) appendConnection(out []byte, h *exchange.Head) []byte {
	if t.inChunks || h.Form == exchange.Chunks {
		out = append(out, "Transfer-Encoding: chunked\r\n"...)
	}
	switch {
	case !t.keep && (t.req.minor == 1 || h.Own):
		out = append(out, "Connection: close\r\n"...)
	case t.keep && (t.req.minor == 0 || h.Own):
		out = append(out, "Connection: keep-alive\r\n"...)
	}
	return out
}

// appendBody writes a part of the body as it is framed.
func (t *turn) appendBody(out, p []byte, end bool) []byte {
	if !t.inChunks {
		return append(out, p...)
	}
	return appendChunk(out, p, end)
}

// appendChunk writes a chunk, and the last one behind it at the end.
func appendChunk(out, p []byte, end bool) []byte {
	if len(p) > 0 {
		out = append(strconv.AppendInt(out, int64(len(p)), 16), "\r\n"...)
		out = append(append(out, p...), "\r\n"...)
	}
	if end {
		out = append(out, "0\r\n\r\n"...)
	}
	return out
}

// Write passes on more of the answer's body: exchange.Client.
func (t *turn) Write(p []byte, end bool) error {
	if t.inChunks {
		t.out = appendChunk(t.out[:0], p, end)
		p = t.out
	}
	if err := t.write(p); err != nil || !end || !t.endless {
		return err
	}
	return t.conn.closeWrite()
}

// WriteTrailers ends the answer's body with trailers: exchange.Client.
func (t *turn) WriteTrailers(fields []exchange.Field) error {
	if !t.inChunks {
		return nil // there is no room for them
	}
	t.out = appendTrailers(t.out[:0], fields)
	return t.write(t.out)
}

func appendTrailers(out []byte, fields []exchange.Field) []byte {
	return append(appendFields(append(out, "0\r\n"...), fields), "\r\n"...)
}

// Abort has the connection end without a proper answer: exchange.Client.
func (t *turn) Abort(hard bool) {
	t.keep, t.aborted = false, true
	if hard {
		t.conn.reset()
	}
}

// upgrade switches protocols: from now on octets go both ways.
func (t *turn) upgrade(h *exchange.Head, p []byte) error {
	t.keep, t.endless = false, true
	t.body.begin(endlessBody, 0)
	t.out = append(appendHead(t.out[:0], h), "Connection: upgrade\r\nUpgrade: websocket\r\n\r\n"...)
	t.out = append(t.out, p...)
	return t.write(t.out)
}

// write writes to the client, for the idle timeout at most without progress.
func (t *turn) write(p []byte) error {
	t.unwatch()
	if len(p) == 0 {
		return nil
	}
	return t.conn.writeAll(p, t.flow.Settings().IdleTimeout)
}
