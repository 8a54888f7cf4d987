package app

import (
	"container/list"
	"crypto/tls"
	"net"
	"net/http"
	"sync"
)

// connections bounds the connections of an http.Server: one too many closes
// the one that has waited longest without a request, so that those who only
// connect cannot keep others out. Its changed method is the server's ConnState.
type connections struct {
	most int

	mu      sync.Mutex
	open    int
	waiting *list.List // of net.Conn, between requests, the oldest first
	places  map[net.Conn]*list.Element
}

func newConnections(most int) *connections {
	return &connections{most: most, waiting: list.New(), places: map[net.Conn]*list.Element{}}
}

func (c *connections) changed(conn net.Conn, to http.ConnState) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.busyLocked(conn)
	switch to {
	case http.StateNew:
		c.open++
		c.waitLocked(conn)
		if c.open > c.most {
			longest := c.waiting.Front().Value.(net.Conn)
			c.busyLocked(longest)
			abandon(longest)
		}
	case http.StateIdle:
		c.waitLocked(conn)
	case http.StateClosed, http.StateHijacked:
		c.open--
	case http.StateActive:
	}
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
