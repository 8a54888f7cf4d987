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
	"sync"
	"time"
)

const (
	// maxHead is the longest head of a request; SDKs send a few hundred bytes.
	maxHead = 8 << 10
	// patience is how long a connection lives without a whole request.
	patience = time.Minute
)

// Serve answers on a listener, whose connections' senders nobody can forge,
// until ctx ends, and waits for all that it has begun. It speaks as much of
// HTTP/1.1 as its clients need: a server for everything takes twice the CPU a
// call.
func (m *Metadata) Serve(ctx context.Context, l net.Listener) error {
	var conns sync.WaitGroup
	defer conns.Wait()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(ctx, func() { _ = l.Close() })()
	for {
		conn, err := l.Accept()
		switch {
		case ctx.Err() != nil:
			return nil
		case errors.Is(err, net.ErrClosed):
			return fmt.Errorf("serve metadata: %w", err)
		case err != nil: // out of files, for a while
			if !wait(ctx, 10*time.Millisecond) {
				return nil
			}
			continue
		}
		m.cfg.ConnState(conn, http.StateNew)
		conns.Go(func() {
			defer m.cfg.ConnState(conn, http.StateClosed)
			defer func() { _ = conn.Close() }()
			defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
			m.converse(ctx, conn)
		})
	}
}

// converse answers the requests of a connection, one after the other.
func (m *Metadata) converse(ctx context.Context, conn net.Conn) {
	from, err := netip.ParseAddrPort(conn.RemoteAddr().String())
	if err != nil {
		return
	}
	buf := make([]byte, 0, 1<<10)
	for wait(ctx, m.pace.next(from.Addr(), time.Now())) && conn.SetDeadline(time.Now().Add(patience)) == nil {
		head, rest, err := readHead(conn, buf)
		if err != nil {
			return
		}
		m.cfg.ConnState(conn, http.StateActive)
		r, ok := parseHead(head)
		if !ok {
			_, _ = conn.Write(answer(http.StatusBadRequest, request{last: true}, "bad request"))
			return
		}
		if r.body, rest, err = readBody(conn, rest, r.length); err != nil {
			return
		}
		status, v := m.respond(ctx, from.Addr(), r)
		if _, err := conn.Write(answer(status, r, v)); err != nil || r.last {
			return
		}
		m.cfg.ConnState(conn, http.StateIdle)
		buf = append(buf[:0], rest...)
	}
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

// wait waits, unless ctx ends before; it reports whether it has waited to the
// end.
func wait(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return ctx.Err() == nil
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
