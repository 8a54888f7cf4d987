package http2

import (
	"strings"

	"neargate/internal/balancer/exchange"
	"neargate/internal/balancer/http2/hpack"
	"neargate/internal/balancer/octet"
)

// answerHead is the head of a target's answer.
type answerHead struct {
	block
	status  int
	length  int64 // as Content-Length says, or Unknown
	regular bool  // a field that is no pseudo-field has come
}

func (h *answerHead) clear() {
	h.status, h.length, h.regular = 0, exchange.Unknown, false
	h.fields = h.fields[:0]
}

// bodiless reports whether there is no body whatever Content-Length says.
func (h *answerHead) bodiless(toHead bool) bool {
	return toHead || h.status < 200 || h.status == 204 || h.status == 304
}

// take implements fieldTaker.
func (h *answerHead) take(f *hpack.Field) *exchange.Fault {
	if f.Tag&tagPseudo != 0 {
		return h.takeStatus(f)
	}
	h.regular = true
	f.Value = strings.Trim(f.Value, " \t")
	if err := check(f); err != nil {
		return err
	}
	id := idOf(f.Tag)
	if id == exchange.ContentLengthField {
		n, ok := octet.Length(f.Value)
		if !ok || h.length != exchange.Unknown {
			return errBadLength
		}
		h.length = n
	}
	h.fields = append(h.fields, exchange.Field{Name: f.Name, Value: f.Value, ID: id})
	return nil
}

func (h *answerHead) takeStatus(f *hpack.Field) *exchange.Fault {
	if f.Tag&tagID != tagStatus || h.regular || h.status != 0 || len(f.Value) != 3 {
		return errPseudo
	}
	n, ok := octet.Length(f.Value)
	if !ok || n < 100 || n == 101 || n > 599 {
		return errPseudo
	}
	h.status = int(n)
	return nil
}

// head implements side: an answer's head, or its trailers. They are decoded into
// the connection's own, as the request may end meanwhile.
func (c *targetConn) head(f *frameHeader, p []byte) error {
	c.mu.Lock()
	st := c.streams[f.stream]
	var err error
	if st == nil {
		err = c.idleLocked(f.stream)
	}
	behind := st != nil && st.owner.headed
	c.mu.Unlock()
	if err != nil {
		return err
	}
	var fault *exchange.Fault
	h := &c.scratch
	h.clear()
	switch {
	case st == nil:
		_, err = c.decode(&h.block, p, discard{})
	case behind:
		fault, err = c.decode(&h.block, p, &h.block)
	default:
		fault, err = c.decode(&h.block, p, h)
		if h.status == 0 {
			fault = errPseudo
		}
	}
	if err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.streams[f.stream] != st || st == nil || st.err != nil || st.spoilt != nil || st.ended {
		return c.paidGlitchLocked() // nobody waits for it
	}
	st.received += int64(headerLen + len(p))
	if fault == nil {
		fault = st.owner.takeLocked(f, h)
	}
	if fault != nil {
		st.spoilLocked(exchange.ErrMalformed)
	}
	st.read.signal()
	return nil
}

// takeLocked takes a head, or trailers, from the connection.
func (t *try) takeLocked(f *frameHeader, h *answerHead) *exchange.Fault {
	end := f.has(flagEndStream)
	switch {
	case t.headed:
		if !end || t.left > 0 {
			return errTrailer
		}
		t.trailers, h.block = h.block, t.trailers
	case h.status < 200:
		if t.interim++; end || t.interim > exchange.MaxInterim {
			return errPseudo
		}
		if h.status != 100 && len(t.heads) < maxInterim {
			copied := *h
			h.block = block{}
			t.heads = append(t.heads, &copied)
		}
		return nil
	default:
		if t.left = h.length; h.bodiless(t.toHead) {
			t.left = 0
		}
		if end && t.left > 0 {
			return errBadLength
		}
		t.final, *h = *h, t.final
		t.headed = true
		t.heads = append(t.heads, &t.final)
	}
	if end {
		t.ended = true
		if t.finished {
			t.closeLocked()
		}
	}
	return nil
}
