package http1

import (
	"errors"
	"net"
	"os"
	"sync/atomic"
	"syscall"
	"time"
)

// How a read or write on a link ends, beside the socket's own errors.
var (
	errIdle    = errors.New("idle timeout")
	errStopped = errors.New("stopped")
)

// link is a connection whose deadlines are set sparsely: one that is still far
// enough away is left, and one that fires early is set anew. One goroutine may
// read and another write.
type link struct {
	net.Conn
	readBy, writeBy time.Time // the deadlines in force; zero is unknown
	got, sent       int64     // bytes

	raw  syscall.RawConn
	look func(fd uintptr) // sets seen; made once
	seen peeked
}

// readSome reads once, giving up with errIdle after limit without a byte. With
// stop, it gives up with errStopped once that is set; who sets it then calls
// SetReadDeadline(past()) to wake the reader.
func (l *link) readSome(p []byte, limit time.Duration, stop *atomic.Bool) (int, error) {
	until := time.Now().Add(limit)
	for {
		if l.readBy.After(until) || l.readBy.Before(until.Add(-limit/2)) {
			if err := l.SetReadDeadline(until); err != nil {
				return 0, err
			}
			l.readBy = until
		}
		if stop != nil && stop.Load() {
			return 0, errStopped
		}
		n, err := l.Read(p)
		if n > 0 || err == nil {
			l.got += int64(n)
			return n, nil // the error comes again with the next read
		}
		if !errors.Is(err, os.ErrDeadlineExceeded) {
			return 0, err
		}
		l.readBy = time.Time{}
		if stop != nil && stop.Load() {
			return 0, errStopped
		}
		if !time.Now().Before(until) {
			return 0, errIdle
		}
	}
}

// writeAll writes p, giving up with errIdle after limit without progress.
func (l *link) writeAll(p []byte, limit time.Duration) error {
	until := time.Now().Add(limit)
	for {
		if l.writeBy.After(until) || l.writeBy.Before(until.Add(-limit/2)) {
			if err := l.SetWriteDeadline(until); err != nil {
				return err
			}
			l.writeBy = until
		}
		n, err := l.Write(p)
		l.sent += int64(n)
		if err == nil || !errors.Is(err, os.ErrDeadlineExceeded) {
			return err
		}
		p = p[n:]
		l.writeBy = time.Time{}
		now := time.Now()
		if n > 0 {
			until = now.Add(limit)
		} else if !now.Before(until) {
			return errIdle
		}
	}
}

// past wakes readers and writers when set as a deadline.
func past() time.Time { return time.Unix(1, 0) }

// socket is the file descriptor's access, or nil if the connection is not a
// plain socket.
func (l *link) socket() syscall.RawConn {
	if sc, ok := l.Conn.(syscall.Conn); ok && l.raw == nil {
		l.raw, _ = sc.SyscallConn()
	}
	return l.raw
}

// peeked is what lies in a socket.
type peeked uint8

const (
	peekNothing peeked = iota // open, no bytes
	peekBytes
	peekEnd // closed or broken by the peer
)

// peek looks into the socket without waiting or taking; other connections
// always look open.
func (l *link) peek() peeked {
	raw := l.socket()
	if raw == nil {
		return peekNothing
	}
	if l.look == nil {
		l.look = func(fd uintptr) { l.seen = peekSocket(fd) }
	}
	if err := raw.Control(l.look); err != nil {
		return peekEnd
	}
	return l.seen
}

func peekSocket(fd uintptr) peeked {
	var b [1]byte
	for {
		n, _, err := syscall.Recvfrom(int(fd), b[:], syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
		switch {
		case errors.Is(err, syscall.EINTR):
		case errors.Is(err, syscall.EAGAIN):
			return peekNothing
		case err != nil || n == 0:
			return peekEnd
		default:
			return peekBytes
		}
	}
}

// awaitEnd waits until the peer has closed (true), has sent bytes, or the read
// deadline passes (false).
func (l *link) awaitEnd() bool {
	is := peekNothing
	err := l.socket().Read(func(fd uintptr) bool {
		is = peekSocket(fd)
		return is != peekNothing
	})
	return err == nil && is == peekEnd
}

// closeWrite ends the sending direction, where the connection can.
func (l *link) closeWrite() error {
	if c, ok := l.Conn.(interface{ CloseWrite() error }); ok {
		return c.CloseWrite()
	}
	return l.Close()
}
