package http1

import (
	"errors"
	"io"
	"strconv"
	"time"
)

// delivery is how an answer's body goes to the client.
type delivery uint8

const (
	asIs    delivery = iota // as the target frames it
	chunked                 // closed by the target; in chunks to the client
	plain                   // in chunks from the target; bare to an HTTP/1.0 client
)

// relay passes the final answer on, whose head is complete in work.
func (c *Conn) relay() {
	w, a := c.work, &c.work.head
	c.sum.Status, c.sum.TargetStatus = a.status, a.status
	if a.status == 101 {
		c.tunnel()
		return
	}
	how := asIs
	c.keep = c.keep && !c.draining.Load() // it may have begun meanwhile
	switch {
	case a.body == closeBody && c.req.minor == 1:
		how = chunked
	case a.body == closeBody:
		c.keep = false
	case a.body == chunkedBody && c.req.minor == 0:
		how, c.keep = plain, false
	}
	body := bodyReader{kind: a.body, left: a.length}
	rest := w.ans[a.end:w.held]
	first, n, done, err := c.compose(&body, rest, how)
	if err != nil {
		c.endUpload(0)
		c.settle(BadAnswer, false)
		c.fail(BadAnswer, nil)
		return
	}
	if !done {
		c.stream(first, &body, how)
		return
	}
	// All is here: the target is free before a slow client has taken it.
	c.endUpload(uploadGrace)
	c.keep = c.keep && c.whole
	c.settle(OK, a.keep && c.whole && n == len(rest) && c.req.class != Ambiguous)
	if err := c.writeAll(first, c.set.IdleTimeout); err != nil {
		c.leave()
	}
}

// compose writes the first bytes for the client: the head, and the n octets of
// rest that belong to the body. Mostly they are the target's own.
func (c *Conn) compose(body *bodyReader, rest []byte, how delivery) (first []byte, n int, done bool, err error) {
	w, a := c.work, &c.work.head
	if how == asIs && c.verbatim(a) {
		n, done, err = body.feed(rest)
		return w.ans[:a.end+n], n, done, err
	}
	w.out = c.appendAnswerHead(w.out[:0], a, how)
	w.out, n, done, err = body.deliver(w.out, rest, how)
	return w.out, n, done, err
}

// deliver takes the part of p that belongs to the body and appends it to out as
// the client gets it.
func (b *bodyReader) deliver(out, p []byte, how delivery) (_ []byte, n int, done bool, err error) {
	switch {
	case how == plain:
		for n < len(p) && b.chunks.state != chunkDone {
			frame, data, err := b.chunks.next(p[n:])
			if err != nil {
				return out, n, false, err
			}
			out = append(out, p[n+frame:n+frame+data]...)
			n += frame + data
		}
		return out, n, b.chunks.state == chunkDone, nil
	case how == chunked && len(p) > 0:
		out = strconv.AppendInt(out, int64(len(p)), 16)
		out = append(append(out, "\r\n"...), p...)
		return append(out, "\r\n"...), len(p), false, nil
	}
	n, done, err = b.feed(p)
	return append(out, p[:n]...), n, done, err
}

// stream passes an answer on whose body has not come entirely. Once it has
// begun, cutting the client's connection is the only way to say that it failed.
func (c *Conn) stream(first []byte, body *bodyReader, how delivery) {
	f, keep := c.pass(first, body, how)
	grace := time.Duration(0)
	if f == OK {
		grace = uploadGrace
	}
	c.endUpload(grace)
	c.settle(f, f == OK && keep && c.whole && c.req.class != Ambiguous)
	switch f {
	case OK:
		c.keep = c.keep && c.whole
	case ClientGone:
		c.leave()
	default:
		c.keep = false
		c.sum.Reason = f.String()
		if how == asIs && body.kind == closeBody {
			c.reset() // a plain end would look like the body's
		}
	}
}

// pass copies the body. keep reports whether the target's connection can take
// another request.
func (c *Conn) pass(out []byte, body *bodyReader, how delivery) (f Failure, keep bool) {
	w, idle := c.work, c.set.IdleTimeout
	in, reuse := w.ans, w.head.keep // the head's bytes are overwritten below
	if body.kind == lengthBody && body.left > middleBuffer {
		in = c.in.pools.get(largeBuffer)
		defer c.in.pools.put(in)
	}
	for done := false; ; {
		if err := c.writeAll(out, idle); err != nil {
			return ClientGone, false
		}
		if done {
			return OK, reuse
		}
		n, err := c.await(in)
		if errors.Is(err, io.EOF) && body.kind == closeBody {
			if how == chunked && c.writeAll([]byte("0\r\n\r\n"), idle) != nil {
				return ClientGone, false
			}
			return OK, false
		}
		if err != nil {
			return truncated(err), false
		}
		used := 0
		if how == asIs {
			used, done, err = body.feed(in[:n])
			out = in[:used]
		} else {
			w.out, used, done, err = body.deliver(w.out[:0], in[:n], how)
			out = w.out
		}
		if err != nil {
			return Truncated, false
		}
		reuse = reuse && used == n
	}
}

// truncated is what an error of await means within an answer.
func truncated(err error) Failure {
	switch f := failureOf(err); f {
	case ClientGone, BadBody, Ended:
		return f
	default:
		return Truncated
	}
}

// verbatim reports whether the target's head can go to the client as it is.
func (c *Conn) verbatim(a *answer) bool {
	return a.minor == 1 && !a.hop && len(c.req.extra) == 0 && c.keep == (c.req.minor == 1)
}

// appendAnswerHead writes the head that the client gets.
func (c *Conn) appendAnswerHead(out []byte, a *answer, how delivery) []byte {
	out = a.appendFields(out)
	out = append(out, c.req.extra...)
	if how == chunked || how == asIs && a.body == chunkedBody {
		out = append(out, "Transfer-Encoding: chunked\r\n"...)
	} else if a.lengths > 1 && a.status != 204 && !a.bothFramings {
		out = append(out, "Content-Length: "...) // once for several
		out = strconv.AppendInt(out, a.length, 10)
		out = append(out, "\r\n"...)
	}
	switch {
	case !c.keep && c.req.minor == 1:
		out = append(out, "Connection: close\r\n"...)
	case c.keep && c.req.minor == 0:
		out = append(out, "Connection: keep-alive\r\n"...)
	}
	return append(out, "\r\n"...)
}

// appendFields writes the status line and the fields that pass.
func (a *answer) appendFields(out []byte) []byte {
	out = append(out, "HTTP/1.1"...)
	from := len("HTTP/1.1")
	if a.firstField == from+len(" 200\r\n") {
		out = append(out, a.buf[from:from+4]...)
		out = append(out, " \r\n"...) // the blank before a missing reason
		from = a.firstField
	}
	for i := range a.fields {
		if f := &a.fields[i]; !a.passes(f) {
			out = append(out, a.buf[from:f.line.from]...)
			from = f.line.to
		}
	}
	return append(out, a.buf[from:a.end-2]...)
}

// appendInterim writes an interim answer such as 103.
func (a *answer) appendInterim(out []byte) []byte {
	return append(a.appendFields(out), "\r\n"...)
}
