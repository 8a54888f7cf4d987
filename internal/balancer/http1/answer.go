package http1

import (
	"errors"
	"net"
	"net/http"
	"strconv"
	"time"
)

// answer sends an answer of the balancer's own, in the form that AWS gives it.
func (c *Conn) answer(a *Answer) {
	c.keep = c.keep && c.whole && !c.draining.Load()
	c.sum.Own, c.sum.Status, c.sum.Reason = true, a.Status, a.Reason
	w := c.work
	if w == nil {
		w = c.srv.pools.scratch()
		defer c.srv.pools.done(w)
	}
	w.out = c.appendOwn(w.out[:0], a)
	if err := c.writeAll(w.out, c.set.IdleTimeout); err != nil {
		c.keep = false
		return
	}
	c.unread = !c.whole
}

// appendOwn writes the whole answer. Answers below 200 and 204 and 304 have no
// body; HEAD is told its length only.
func (c *Conn) appendOwn(out []byte, a *Answer) []byte {
	body, kind := a.Body, a.ContentType
	text := http.StatusText(a.Status)
	if body == "" && a.Status >= 300 {
		num := strconv.Itoa(a.Status)
		body = "<html>\r\n<head><title>" + num + " " + text + "</title></head>\r\n<body>\r\n<center><h1>" +
			num + " " + text + "</h1></center>\r\n</body>\r\n</html>\r\n"
		kind = "text/html"
	}
	out = append(out, "HTTP/1.1 "...)
	out = strconv.AppendInt(out, int64(a.Status), 10)
	out = append(append(out, ' '), text...)
	out = append(out, "\r\nServer: awselb/2.0\r\nDate: "...)
	out = time.Now().UTC().AppendFormat(out, http.TimeFormat)
	bodiless := a.Status == 204 || a.Status == 304
	if !bodiless {
		if kind != "" {
			out = append(append(out, "\r\nContent-Type: "...), kind...)
		}
		out = append(out, "\r\nContent-Length: "...)
		out = strconv.AppendInt(out, int64(len(body)), 10)
	}
	if a.Location != "" {
		out = append(append(out, "\r\nLocation: "...), a.Location...)
	}
	if c.keep {
		out = append(out, "\r\nConnection: keep-alive\r\n"...)
	} else {
		out = append(out, "\r\nConnection: close\r\n"...)
	}
	out = append(append(out, c.req.extra...), "\r\n"...)
	if bodiless || c.req.Method() == "HEAD" {
		return out
	}
	return append(out, body...)
}

// refuse answers a request that is malformed or came too slowly, and ends the
// connection: what follows cannot be told apart.
func (c *Conn) refuse(e *protoError) {
	c.keep, c.whole = false, false
	c.answer(&Answer{Status: e.status, Reason: e.reason})
}

// refuseClaim answers a request that no target was given for.
func (c *Conn) refuseClaim(err error, left bool) {
	var no *RefusalError
	switch {
	case left:
		c.leave()
	case c.ctx.Err() != nil:
		c.keep = false
	case errors.As(err, &no):
		c.answer(&Answer{Status: no.Status, Reason: no.Reason})
	default:
		c.answer(&Answer{Status: 503, Reason: err.Error()})
	}
}

// fail answers a request whose last try has failed; bad is what was wrong with
// its body, if that was why.
func (c *Conn) fail(f Failure, bad *protoError) {
	if bad != nil {
		c.refuse(bad)
		return
	}
	status := 502
	switch f {
	case ClientGone:
		c.leave()
		return
	case Ended:
		c.keep = false
		return
	case ConnectTimeout, Timeout:
		status = 504
	default: // a target that broke or answered badly: 502
	}
	c.answer(&Answer{Status: status, Reason: f.String()})
}

// leave notes that the client has gone, as 460 if it got nothing.
func (c *Conn) leave() {
	c.keep = false
	if c.sum.Status == 0 {
		c.sum.Status = 460
	}
	c.sum.Reason = ClientGone.String()
}

// Bounds of the wait for a client that may still be sending.
const (
	lingerTime  = time.Second
	lingerBytes = 256 << 10
)

// linger ends the sending direction and takes what still comes: closing over
// unread bytes would make the kernel destroy the answer on its way.
func (c *Conn) linger() {
	if c.closeWrite() != nil {
		return
	}
	until := time.Now().Add(lingerTime)
	c.in.r, c.in.w = 0, 0
	for taken := 0; taken < lingerBytes; {
		left := time.Until(until)
		if left <= 0 {
			return
		}
		n, err := c.readSome(c.in.b, left, nil)
		if err != nil {
			return
		}
		taken += n
	}
}

// reset has the close that follows end in a reset.
func (c *Conn) reset() {
	if tcp, ok := c.Conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
}
