package http2

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"neargate/internal/balancer/exchange"
)

// kept are the connections to one target: one for all requests, and more where the
// target takes no more streams on it.
type kept struct {
	up     *Upstream
	target *exchange.Target

	mu     sync.Mutex
	conns  []*targetConn // guarded by mu
	dial   *dial         // under way, or nil; guarded by mu
	closed bool          // guarded by mu
}

// dial is an attempt to connect that several requests wait for.
type dial struct {
	done chan struct{}
	err  error // set before done is closed
}

// Open implements exchange.Kept.
func (k *kept) Open(ctx context.Context, fresh bool) (exchange.Try, error) {
	if fresh {
		c, err := k.connect(ctx)
		if err != nil {
			return nil, err
		}
		if t := c.reserve(); t != nil {
			return t, nil
		}
	}
	for {
		t, d, mine := k.pick()
		if t != nil {
			return t, nil
		}
		if mine {
			_, d.err = k.connect(ctx)
			k.mu.Lock()
			k.dial = nil
			k.mu.Unlock()
			close(d.done)
			if d.err != nil {
				return nil, d.err
			}
			continue
		}
		select {
		case <-d.done:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
		if d.err != nil && !errors.Is(d.err, context.Canceled) { // that was of the one that dialled
			return nil, d.err
		}
	}
}

// pick takes a stream of a connection, or else the attempt to open another one,
// which may be the caller's to make.
func (k *kept) pick() (t *try, d *dial, mine bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, c := range k.conns {
		if t := c.reserve(); t != nil {
			return t, nil, false
		}
	}
	if k.dial != nil {
		return nil, k.dial, false
	}
	k.dial = &dial{done: make(chan struct{})}
	return nil, k.dial, true
}

// connect opens a connection.
func (k *kept) connect(ctx context.Context) (*targetConn, error) {
	nc, err := k.target.Dial(ctx, "h2")
	if err != nil {
		return nil, err
	}
	c := newTargetConn(k, nc)
	k.mu.Lock()
	k.conns = append(k.conns, c)
	c.retired = k.closed
	k.mu.Unlock()
	if !k.target.InService() {
		_ = nc.Close()
	}
	k.up.all.Go(c.run)
	return c, nil
}

// remove forgets a connection that has ended.
func (k *kept) remove(c *targetConn) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.conns = slices.DeleteFunc(k.conns, func(other *targetConn) bool { return other == c })
}

// all returns the connections.
func (k *kept) all() []*targetConn {
	k.mu.Lock()
	defer k.mu.Unlock()
	return slices.Clone(k.conns)
}

// CloseIdle implements exchange.Kept.
func (k *kept) CloseIdle() {
	for _, c := range k.all() {
		c.retire()
	}
}

// Close implements exchange.Kept.
func (k *kept) Close() {
	k.mu.Lock()
	k.closed = true
	k.mu.Unlock()
	k.CloseIdle()
}

// Break implements exchange.Kept.
func (k *kept) Break() {
	for _, c := range k.all() {
		_ = c.nc.Close()
	}
}

// Prune implements exchange.Kept.
func (k *kept) Prune(now time.Time) {
	for _, c := range k.all() {
		c.prune(now)
	}
}
