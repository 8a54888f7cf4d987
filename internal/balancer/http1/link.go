package http1

import (
	"errors"
	"net"
	"os"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"neargate/internal/balancer/exchange"
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

	plain   bool // a bare TCP socket, which is read and written directly
	in, out transfer
	first   []byte        // to be sent before the next read waits
	within  time.Duration // limit of that without progress
}

// newLink returns the link of a connection.
func newLink(c net.Conn) link {
	l := link{Conn: c}
	switch tcp := c.(type) {
	case *net.TCPConn:
		l.raw, _ = tcp.SyscallConn() // cannot fail
	case *exchange.Counted:
		l.raw, _ = tcp.SyscallConn()
	}
	l.plain = l.raw != nil && !raceEnabled
	return l
}

// readSome reads once, giving up with exchange.ErrIdle after limit without a byte. With
// stop, it gives up with exchange.ErrWoken once that is set; who sets it then calls
// SetReadDeadline(past()) to wake the reader.
func (l *link) readSome(p []byte, limit time.Duration, stop *atomic.Bool) (int, error) {
	until := time.Now().Add(limit)
	for {
		if err := l.readUntil(until, limit); err != nil {
			return 0, err
		}
		if stop != nil && stop.Load() {
			return 0, exchange.ErrWoken
		}
		n, err := l.readOnce(p)
		if l.first != nil && err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
			if err := l.sendRest(); err != nil {
				return 0, err
			}
			continue
		}
		if n > 0 || err == nil {
			l.got += int64(n)
			return n, nil // the error comes again with the next read
		}
		if !errors.Is(err, os.ErrDeadlineExceeded) {
			return 0, err
		}
		l.readBy = time.Time{}
		if stop != nil && stop.Load() {
			return 0, exchange.ErrWoken
		}
		if !time.Now().Before(until) {
			return 0, exchange.ErrIdle
		}
	}
}

// readUntil sets the read deadline to until, which is limit from now, if the one in
// force is far from it.
func (l *link) readUntil(until time.Time, limit time.Duration) error {
	if !l.readBy.After(until) && !l.readBy.Before(until.Add(-limit/2)) {
		return nil
	}
	if err := l.SetReadDeadline(until); err != nil {
		return err
	}
	l.readBy = until
	return nil
}

// sendRest sends what a read could not send before it waits. An error but
// exchange.ErrIdle is left to the read: a peer that takes no more may have answered.
func (l *link) sendRest() error {
	err := l.writeAll(l.first, l.within)
	l.first = nil
	if errors.Is(err, exchange.ErrIdle) {
		return err
	}
	return nil
}

// writeAll writes p, giving up with exchange.ErrIdle after limit without progress.
func (l *link) writeAll(p []byte, limit time.Duration) error {
	if l.plain {
		n, all, err := l.writeNow(p)
		l.sent += int64(n)
		if all {
			return err
		}
		p = p[n:]
	}
	until := time.Now().Add(limit)
	for {
		if l.writeBy.After(until) || l.writeBy.Before(until.Add(-limit/2)) || l.bare() != l.Conn { // TLS does not survive one that fires
			if err := l.SetWriteDeadline(until); err != nil {
				return err
			}
			l.writeBy = until
		}
		n, err := l.writeOnce(p)
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
			return exchange.ErrIdle
		}
	}
}

// past wakes readers and writers when set as a deadline.
func past() time.Time { return time.Unix(1, 0) }

// bare is the connection beneath TLS, or the connection itself.
func (l *link) bare() net.Conn {
	if t, ok := l.Conn.(interface{ NetConn() net.Conn }); ok {
		return t.NetConn()
	}
	return l.Conn
}

// socket is the file descriptor's access, or nil if the connection is not a
// socket.
func (l *link) socket() syscall.RawConn {
	if sc, ok := l.bare().(syscall.Conn); ok && l.raw == nil {
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

// heard is how long ago the last packet of the peer came, such as its end; long where
// that is not known.
func (l *link) heard() time.Duration {
	ago := time.Hour
	raw := l.socket()
	if raw == nil {
		return ago
	}
	_ = raw.Control(func(fd uintptr) { // of a closed one nothing is known
		if info, err := unix.GetsockoptTCPInfo(int(fd), unix.IPPROTO_TCP, unix.TCP_INFO); err == nil {
			ago = time.Duration(info.Last_ack_recv) * time.Millisecond
		}
	})
	return ago
}

func peekSocket(fd uintptr) peeked {
	var b [1]byte
	for {
		n, err := receive(fd, b[:], syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
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

// awaitReset waits until the peer, which has ended its sending direction, resets
// the connection (true), or until stop is set and the read deadline passes (false).
func (l *link) awaitReset(stop *atomic.Bool) bool {
	raw := l.socket()
	if raw == nil {
		return false
	}
	for {
		gone := false
		err := raw.Read(func(fd uintptr) bool {
			code, err := syscall.GetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_ERROR)
			gone = err != nil || code != 0
			return gone
		})
		if err == nil {
			return gone
		}
		_ = l.SetReadDeadline(time.Time{})
		if stop.Load() || !errors.Is(err, os.ErrDeadlineExceeded) {
			return false
		}
	}
}

// closeWrite ends the sending direction, where the connection can.
func (l *link) closeWrite() error {
	if c, ok := l.Conn.(interface{ CloseWrite() error }); ok {
		return c.CloseWrite()
	}
	return l.Close()
}
