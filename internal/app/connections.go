package app

import (
	"container/list"
	"crypto/tls"
	"net"
	"net/http"
	"net/netip"
	"sync"
)

// connections bounds the connections of an http.Server, all and those from one
// address: one too many closes the one that has waited longest without a
// request, so that those who only connect cannot keep others out. Its changed
// method is the server's ConnState.
type connections struct {
	most, each int

	mu      sync.Mutex
	open    map[netip.Addr]int
	total   int
	waiting *list.List // of net.Conn, between requests, the oldest first
	places  map[net.Conn]*list.Element
}

func newConnections(most, each int) *connections {
	return &connections{most: most, each: each, open: map[netip.Addr]int{}, waiting: list.New(), places: map[net.Conn]*list.Element{}}
}

// peer is the address at the other end; invalid where there is none.
func peer(conn net.Conn) netip.Addr {
	if a, ok := conn.RemoteAddr().(*net.TCPAddr); ok {
		return a.AddrPort().Addr().Unmap()
	}
	return netip.Addr{}
}

func (c *connections) changed(conn net.Conn, to http.ConnState) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.busyLocked(conn)
	switch to {
	case http.StateNew:
		from := peer(conn)
		c.total++
		c.open[from]++
		c.waitLocked(conn)
		if longest := c.tooManyLocked(from); longest != nil {
			c.busyLocked(longest)
			abandon(longest)
		}
	case http.StateIdle:
		c.waitLocked(conn)
	case http.StateClosed, http.StateHijacked:
		from := peer(conn)
		c.total--
		if c.open[from]--; c.open[from] == 0 {
			delete(c.open, from)
		}
	case http.StateActive:
	}
}

// tooManyLocked returns the connection that has to make room for a new one from
// an address, which waits itself; nil: there is room.
func (c *connections) tooManyLocked(from netip.Addr) net.Conn {
	switch {
	case c.open[from] > c.each:
		for e := c.waiting.Front(); e != nil; e = e.Next() {
			if conn := e.Value.(net.Conn); peer(conn) == from {
				return conn
			}
		}
	case c.total > c.most:
		return c.waiting.Front().Value.(net.Conn)
	}
	return nil
}

func (c *connections) waitLocked(conn net.Conn) { c.places[conn] = c.waiting.PushBack(conn) }

func (c *connections) busyLocked(conn net.Conn) {
	if e, ok := c.places[conn]; ok {
		c.waiting.Remove(e)
		delete(c.places, conn)
	}
}

// abandon closes a connection whose goroutine waits for a request; that
// reports it closed.
func abandon(conn net.Conn) {
	if t, ok := conn.(*tls.Conn); ok {
		conn = t.NetConn() // a farewell could block
	}
	_ = conn.Close() // the client learns it by the connection
}
