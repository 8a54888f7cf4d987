package exchange

import (
	"errors"
	"net"
	"sync/atomic"
	"time"
)

// errNoRoom is why a connection is not opened: a Pool has as many as it may.
var errNoRoom = errors.New("too many connections to targets")

// room counts a pool's connections.
type room struct {
	most int64 // 0 is no limit
	open atomic.Int64
	shed atomic.Int64 // when kept connections were given up for others last, in Unix nanoseconds
}

// take counts a connection that is about to be opened. It reports false where there
// is no room for it.
func (r *room) take() bool {
	if n := r.open.Add(1); r.most == 0 || n <= r.most {
		return true
	}
	r.open.Add(-1)
	return false
}

// takeConn is take for a pool that gives kept connections up before it refuses one:
// those of a target that nobody asks would keep others from being asked.
func (p *Pool) takeConn() bool {
	if p.room.take() {
		return true
	}
	now, last := time.Now().UnixNano(), p.room.shed.Load()
	if now-last < int64(100*time.Millisecond) || !p.room.shed.CompareAndSwap(last, now) {
		return false
	}
	for _, t := range p.all() {
		t.CloseIdle()
	}
	return p.room.take()
}

// Counted is a TCP connection that its pool counts until it is closed.
type Counted struct {
	*net.TCPConn
	room   *room
	closed atomic.Bool
}

// Close closes the connection.
func (c *Counted) Close() error {
	if c.closed.CompareAndSwap(false, true) {
		defer c.room.open.Add(-1)
	}
	return c.TCPConn.Close()
}

// counted is a connection that is not TCP, as Counted.
type counted struct {
	net.Conn
	room   *room
	closed atomic.Bool
}

// Close closes the connection.
func (c *counted) Close() error {
	if c.closed.CompareAndSwap(false, true) {
		defer c.room.open.Add(-1)
	}
	return c.Conn.Close()
}

// count returns a connection for which there is room as one that makes it free again.
func (r *room) count(c net.Conn) net.Conn {
	if tcp, ok := c.(*net.TCPConn); ok {
		return &Counted{TCPConn: tcp, room: r}
	}
	return &counted{Conn: c, room: r}
}
