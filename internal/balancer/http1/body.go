package http1

import (
	"strings"

	"neargate/internal/balancer/exchange"
)

// body follows a body to its end, in the form that is asked for.
type body struct {
	kind   bodyKind
	left   int64 // of lengthBody
	chunks chunks
	plain  []byte // payload of chunks
	tail   []byte // trailers, as lines
	fields []exchange.Field
}

// begin starts over with another body; buffers are kept.
func (b *body) begin(kind bodyKind, length int64) {
	*b = body{kind: kind, left: length, chunks: chunks{answer: b.chunks.answer}, plain: b.plain[:0], tail: b.tail[:0], fields: b.fields[:0]}
}

// feed takes the part of p that belongs to the body. The end of one that lasts
// until the connection's shows elsewhere.
func (b *body) feed(p []byte) (n int, done bool, err error) {
	switch b.kind {
	case noBody:
		return 0, true, nil
	case lengthBody:
		n = int(min(b.left, int64(len(p))))
		b.left -= int64(n)
		return n, b.left == 0, nil
	case chunkedBody:
		return b.chunks.scan(p)
	default: // closeBody, endlessBody
		return len(p), false, nil
	}
}

// take is feed for a form: part is what the octets of p are in it.
func (b *body) take(p []byte, form exchange.Form) (part []byte, n int, done bool, err error) {
	if b.kind != chunkedBody || form == exchange.Chunks {
		n, done, err = b.feed(p)
		return p[:n], n, done, err
	}
	b.plain, b.chunks.tail = b.plain[:0], &b.tail
	for n < len(p) && b.chunks.state != chunkDone {
		frame, data, err := b.chunks.next(p[n:])
		if err != nil {
			return b.plain, n, false, err
		}
		b.plain = append(b.plain, p[n+frame:n+frame+data]...)
		n += frame + data
	}
	return b.plain, n, b.chunks.state == chunkDone, nil
}

// trailers returns the fields behind the chunks, once they were taken as payload.
func (b *body) trailers() []exchange.Field {
	if len(b.tail) <= len("\r\n") || len(b.fields) > 0 {
		return b.fields
	}
	for lines := view(b.tail); lines != "\r\n"; {
		end := strings.IndexByte(lines, '\n') + 1
		if f, quirk := parseField(lines[:end]); quirk == proper && !framing(f.ID) {
			b.fields = append(b.fields, f)
		}
		lines = lines[end:]
	}
	return b.fields
}

// release forgets what is too large to be kept.
func (b *body) release() {
	b.plain, b.tail = shrink(b.plain), shrink(b.tail)
	clear(b.fields[:cap(b.fields)])
}
