package connect

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"neargate/internal/balancer/exchange"
)

// relay passes connections on as they are, each to the next target, until the
// socket is closed or ctx ends, which cuts them.
func (d *door) relay(ctx context.Context) error {
	defer context.AfterFunc(ctx, d.drain)()
	in := entrance{d.socket, d}
	var conns sync.WaitGroup
	defer conns.Wait()
	for {
		conn, err := in.Accept()
		if err != nil {
			return err
		}
		conns.Go(func() { d.pass(ctx, conn) })
	}
}

// pass serves one connection.
func (d *door) pass(ctx context.Context, conn net.Conn) {
	defer conn.Close()
	from := clientAddress(conn)
	d.Opened(from)
	defer d.Closed(from)
	if !d.keep(conn) {
		return
	}
	defer d.forget(conn)
	c := d.caller(from, time.Now())
	if c == nil {
		return
	}
	t, up := c.connect(ctx)
	if t == nil {
		if tcp, ok := conn.(*net.TCPConn); ok {
			_ = tcp.SetLinger(0)
		}
		return
	}
	defer t.release()
	defer up.Close()
	done, ok := t.stream(up)
	if !ok {
		return
	}
	defer done()
	n := join(conn, up, d.endpoint.offer.Load().idle())
	d.endpoint.traffic.bytes.Add(n)
	c.client.bytes.Add(n)
}

func (d *door) keep(conn net.Conn) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.shut {
		return false
	}
	d.conns[conn] = struct{}{}
	return true
}

func (d *door) forget(conn net.Conn) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.conns, conn)
}

// connect connects to the next target, or to another. The caller releases it.
func (c *caller) connect(ctx context.Context) (*target, net.Conn) {
	var failed *exchange.Target
	for range maxAttempts {
		t, why := c.pick(failed, time.Now())
		if why != given {
			return nil, nil
		}
		conn, err := (&net.Dialer{Timeout: dialTimeout}).DialContext(ctx, "tcp", t.addr.String())
		if ctx.Err() == nil {
			t.judge(err != nil, time.Now())
		}
		if err == nil {
			return t, conn
		}
		t.release()
		failed = t.upstream
	}
	return nil, nil
}

// join copies both ways until both have ended, one breaks, or nothing has moved
// for the idle time. It returns how many bytes went through.
func join(a, b net.Conn, idle time.Duration) uint64 {
	var moved atomic.Uint64
	var last atomic.Int64
	last.Store(time.Now().UnixNano())
	one := func(to, from net.Conn) {
		buf := make([]byte, 32<<10)
		for {
			_ = from.SetReadDeadline(time.Unix(0, last.Load()).Add(idle)) // a closed one fails below
			n, err := from.Read(buf)
			if n > 0 {
				last.Store(time.Now().UnixNano())
				moved.Add(uint64(n))
				_ = to.SetWriteDeadline(time.Now().Add(idle))
				if _, err := to.Write(buf[:n]); err != nil {
					break
				}
			}
			if err == nil {
				continue
			}
			if ne, ok := errors.AsType[net.Error](err); ok && ne.Timeout() && time.Since(time.Unix(0, last.Load())) < idle {
				continue // the other direction has moved
			}
			if half, ok := to.(*net.TCPConn); ok && errors.Is(err, io.EOF) {
				_ = half.CloseWrite()
				return
			}
			break
		}
		_ = a.Close()
		_ = b.Close()
	}
	var back sync.WaitGroup
	back.Go(func() { one(a, b) })
	one(b, a)
	back.Wait()
	return moved.Load()
}
