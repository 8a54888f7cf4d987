package metadata

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"
)

// Serve answers on a listener, whose connections' senders nobody can forge,
// until ctx ends, and waits for all that it has begun. It speaks as much of
// HTTP/1.1 as its clients need: a server for everything takes twice the CPU a
// call. Most connections are for one request, which has come with them: it is
// answered here if that takes no waiting, because another goroutine is another
// thread to wake, for a third of what a call costs.
func (m *Metadata) Serve(ctx context.Context, l net.Listener) error {
	var conns sync.WaitGroup
	defer conns.Wait()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(ctx, func() { _ = l.Close() })()
	spare := make([]byte, 0, 1<<10)
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
		c := m.meet(conn, spare)
		if c.first(ctx) {
			c.end()
			spare = c.buf[:0]
			continue
		}
		spare = make([]byte, 0, cap(spare))
		conns.Go(func() { c.converse(ctx) })
	}
}

// meet begins a conversation; buf is what it reads into.
func (m *Metadata) meet(conn net.Conn, buf []byte) *conversation {
	m.cfg.ConnState(conn, http.StateNew)
	c := &conversation{Metadata: m, conn: conn, buf: buf}
	if a, ok := conn.RemoteAddr().(*net.TCPAddr); ok { // others are of no task
		c.from = a.AddrPort().Addr().Unmap()
	}
	c.pause = m.pace.next(c.from, time.Now())
	return c
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
