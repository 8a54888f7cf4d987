package http1

import (
	"bytes"
	"time"

	"neargate/internal/balancer/exchange"
)

// Head reads the next head: exchange.Try. What comes of it does not start the wait anew.
func (t *try) Head(h *exchange.Head, limit time.Duration) error {
	if t.end > 0 { // that of an interim answer
		t.held = copy(t.buf, t.buf[t.end:t.held])
		t.end, t.scanned, t.bare = 0, 0, false
	}
	w := reading{limit: limit}
	for {
		if err := t.skipEmptyLines(); err != nil {
			return err
		}
		end := t.headEnd()
		if end > maxAnswerHeaders || end == 0 && t.held > maxAnswerHeaders {
			return exchange.ErrMalformed
		}
		if end > 0 {
			t.end = end
			return t.parse(h)
		}
		t.scanned = t.held
		if t.held == len(t.buf) {
			t.buf = append(t.buf, make([]byte, len(t.buf))...)
		}
		n, err := w.read(t, t.buf[t.held:])
		t.held += n
		if err != nil {
			return err
		}
	}
}

// headEnd looks for the end of the head in what was not scanned yet, and returns
// where it is, or 0. Targets may end lines without CR (RFC 9112 2.2).
func (t *try) headEnd() int {
	p := t.buf[:t.held]
	for at := t.scanned; ; at++ {
		i := bytes.IndexByte(p[at:], '\n')
		if i < 0 {
			return 0
		}
		at += i
		line := p[:at]
		if at > 0 && p[at-1] == '\r' {
			line = p[:at-1]
		} else {
			t.bare = true
		}
		if n := len(line); n > 0 && line[n-1] == '\n' {
			return at + 1
		}
	}
}

// maxEmptyLines is how many empty lines before a head are passed over.
const maxEmptyLines = 8

// skipEmptyLines passes over empty lines before an answer, of which a few may come.
func (t *try) skipEmptyLines() error {
	p := t.buf[:t.held]
	for len(p) > 0 && p[0] == '\n' || len(p) > 1 && p[0] == '\r' && p[1] == '\n' {
		p = p[bytes.IndexByte(p, '\n')+1:]
		if t.empty++; t.empty > maxEmptyLines {
			return exchange.ErrMalformed
		}
	}
	if len(p) < t.held {
		t.held = copy(t.buf, p)
		t.scanned, t.bare = 0, false
	}
	return nil
}

// withCR ends all lines with CRLF.
func withCR(head []byte) []byte {
	var out []byte
	for line := range bytes.Lines(head) {
		out = append(append(out, bytes.TrimRight(line, "\r\n")...), "\r\n"...)
	}
	return out
}

// parse reads the head that has come.
func (t *try) parse(h *exchange.Head) error {
	t.head.Head = h
	raw := t.buf[:t.end]
	if t.bare {
		raw = withCR(raw)
	}
	if err := t.head.parse(raw, t.toHead); err != nil {
		return exchange.ErrMalformed
	}
	if t.bare {
		h.Raw = nil
	}
	if h.Status == 101 {
		if !t.upgrades || !t.head.upgrades {
			return exchange.ErrMalformed
		}
		t.endless, t.head.body = true, endlessBody
	}
	t.body.begin(t.head.body, t.head.length)
	return nil
}
