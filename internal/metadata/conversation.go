package metadata

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// maxHead is the longest head of a request; SDKs send a few hundred bytes.
	maxHead = 8 << 10
	// patience is how long a connection lives without a whole request.
	patience = time.Minute
	// prompt is the longest answer that a new connection takes at once, whether
	// the client reads or not.
	prompt = 8 << 10
)

// conversation is a connection with the requests of one client.
type conversation struct {
	*Metadata
	conn  net.Conn
	from  netip.Addr
	pause time.Duration // before the next request is looked at
	buf   []byte        // what has come and is not answered
}

// first answers the request that has come with the connection, and reports
// whether that was all. It waits for nobody: what it cannot answer at once is
// left to converse.
func (c *conversation) first(ctx context.Context) (last bool) {
	if c.pause > 0 {
		return false
	}
	c.buf = come(c.conn, c.buf)
	head, rest, ok := bytes.Cut(c.buf, []byte("\r\n\r\n"))
	if !ok {
		return false
	}
	r, ok := parseHead(head)
	if !ok || !c.swift(c.from, r) {
		return false
	}
	status, v := c.respond(ctx, c.from, r)
	out := answer(status, r, v)
	if len(out) > prompt {
		return false
	}
	if _, err := c.conn.Write(out); err != nil || r.last {
		return true
	}
	c.pause, c.buf = c.pace.next(c.from, time.Now()), append(c.buf[:0], rest...)
	return false
}

// converse answers requests, one after the other, until the client or ctx ends
// that.
func (c *conversation) converse(ctx context.Context) {
	defer c.end()
	defer context.AfterFunc(ctx, func() { _ = c.conn.Close() })()
	for wait(ctx, c.pause) && c.conn.SetDeadline(time.Now().Add(patience)) == nil {
		head, rest, err := readHead(c.conn, c.buf)
		if err != nil {
			return
		}
		c.cfg.ConnState(c.conn, http.StateActive)
		r, ok := parseHead(head)
		if !ok {
			_, _ = c.conn.Write(answer(http.StatusBadRequest, request{last: true}, "bad request"))
			return
		}
		if r.body, rest, err = readBody(c.conn, rest, r.length); err != nil {
			return
		}
		status, v := c.respond(ctx, c.from, r)
		if _, err := c.conn.Write(answer(status, r, v)); err != nil || r.last {
			return
		}
		c.cfg.ConnState(c.conn, http.StateIdle)
		c.pause, c.buf = c.pace.next(c.from, time.Now()), append(c.buf[:0], rest...)
	}
}

func (c *conversation) end() {
	_ = c.conn.Close()
	c.cfg.ConnState(c.conn, http.StateClosed)
}

// come reads what has come on a connection, at most until buf is full, and does
// not wait.
func come(conn net.Conn, buf []byte) []byte {
	socket, ok := conn.(syscall.Conn)
	if !ok {
		return buf
	}
	raw, err := socket.SyscallConn()
	if err != nil {
		return buf
	}
	_ = raw.Read(func(fd uintptr) (done bool) { // an error is met again by who waits
		if n, err := unix.Read(int(fd), buf[:cap(buf)]); err == nil {
			buf = buf[:n]
		}
		return true
	})
	return buf
}

var errTooLong = errors.New("the head of a request is too long")

// readHead reads up to the end of a head. buf has what has come already; rest
// is what came after the head.
func readHead(conn net.Conn, buf []byte) (head, rest []byte, err error) {
	for {
		if head, rest, ok := bytes.Cut(buf, []byte("\r\n\r\n")); ok {
			return head, rest, nil
		}
		if len(buf) == maxHead {
			return nil, nil, errTooLong
		}
		if len(buf) == cap(buf) {
			buf = append(make([]byte, 0, min(2*cap(buf), maxHead)), buf...)
		}
		n, err := conn.Read(buf[len(buf):cap(buf)])
		if err != nil {
			return nil, nil, err
		}
		buf = buf[:len(buf)+n]
	}
}

// readBody reads a body of a length, of which some may have come already; more is
// what came after it.
func readBody(conn net.Conn, came []byte, length int) (body, more []byte, err error) {
	if length <= len(came) {
		return came[:length], came[length:], nil
	}
	body = make([]byte, length)
	_, err = io.ReadFull(conn, body[copy(body, came):])
	return body, nil, err
}

// answer writes a whole answer with JSON.
func answer(status int, to request, v any) []byte {
	body, err := json.Marshal(v)
	if err != nil {
		status, body = http.StatusInternalServerError, []byte(`"failed to get metadata"`)
	}
	out := make([]byte, 0, len(body)+160)
	out = fmt.Appendf(out, "HTTP/1.1 %d %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n", status, http.StatusText(status), len(body))
	if to.last {
		out = append(out, "Connection: close\r\n"...)
	}
	out = append(out, "\r\n"...)
	if to.method != http.MethodHead {
		out = append(out, body...)
	}
	return out
}
