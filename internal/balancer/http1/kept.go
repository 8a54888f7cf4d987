package http1

import (
	"context"
	"net"
	"sync"
	"time"

	"neargate/internal/balancer/exchange"
)

// kept are the connections to one target: exchange.Kept. Its mutex is held for a
// few instructions, twice a request.
type kept struct {
	codec  *Codec
	target *exchange.Target

	mu     sync.Mutex
	idle   []*targetConn // the most recently used last; guarded by mu
	busy   []*targetConn // each knows its slot; guarded by mu
	epoch  int           // connections of an older one are not kept; guarded by mu
	closed bool          // guarded by mu
}

// targetConn is a connection to a target. Owned by the try that uses it, or by the
// idle list.
type targetConn struct {
	link
	kept    *kept
	slot    int // in busy
	epoch   int
	served  int       // answers taken over it
	expires time.Time // the target may close it then
}

// Open begins a try: exchange.Kept. A kept connection that its target has closed,
// or on which bytes lie that belong to no request (the next would take them for
// its answer), is not used.
func (k *kept) Open(ctx context.Context, fresh bool) (exchange.Try, error) {
	crossed := false
	for !fresh {
		tc := k.take(time.Now())
		if tc == nil {
			break
		}
		if tc.peek() == peekNothing {
			tc.got, tc.sent = 0, 0
			return k.codec.try(tc), nil
		}
		crossed = tc.seen == peekEnd && tc.heard() < crossing
		k.drop(tc)
	}
	tc, err := k.dial(ctx)
	if err != nil {
		return nil, err
	}
	t := k.codec.try(tc)
	t.crossed = crossed
	return t, nil
}

// crossing is how far apart a request and the end of a kept connection may be to
// cross on their way between an ALB and its target: the network between two zones
// and both ends take some milliseconds. Here, where both are on one machine, we see
// the end first.
const crossing = 5 * time.Millisecond

// dial opens a new connection, which counts as busy.
func (k *kept) dial(ctx context.Context) (*targetConn, error) {
	tc := &targetConn{kept: k}
	k.mu.Lock()
	tc.epoch = k.epoch
	k.mu.Unlock()
	c, err := k.target.Dial(ctx, "http/1.1")
	if err != nil {
		return nil, err
	}
	tc.link = newLink(c)
	k.mu.Lock()
	k.occupyLocked(tc)
	k.mu.Unlock()
	if !k.target.InService() { // Break may have come before it could see this one
		k.drop(tc)
		return nil, net.ErrClosed
	}
	return tc, nil
}

// CloseIdle closes what is not in use: exchange.Kept.
func (k *kept) CloseIdle() {
	k.mu.Lock()
	idle := k.idle
	k.idle = nil
	k.epoch++
	k.mu.Unlock()
	for _, tc := range idle {
		_ = tc.Close()
	}
}

// Close is CloseIdle for good: exchange.Kept.
func (k *kept) Close() {
	k.mu.Lock()
	k.closed = true
	k.mu.Unlock()
	k.CloseIdle()
}

// Break closes the connections in use: exchange.Kept.
func (k *kept) Break() {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, tc := range k.busy {
		_ = tc.Close()
	}
}

// take returns the connection used last, or nil. It then counts as busy.
func (k *kept) take(now time.Time) *targetConn {
	for {
		k.mu.Lock()
		n := len(k.idle) - 1
		if n < 0 {
			k.mu.Unlock()
			return nil
		}
		tc := k.idle[n]
		k.idle[n] = nil
		k.idle = k.idle[:n]
		fresh := now.Before(tc.expires)
		if fresh {
			k.occupyLocked(tc)
		}
		k.mu.Unlock()
		if fresh {
			return tc
		}
		_ = tc.Close()
	}
}

func (k *kept) occupyLocked(tc *targetConn) {
	tc.slot = len(k.busy)
	k.busy = append(k.busy, tc)
}

func (k *kept) vacateLocked(tc *targetConn) {
	last := k.busy[len(k.busy)-1]
	k.busy[tc.slot] = last
	last.slot = tc.slot
	k.busy[len(k.busy)-1] = nil
	k.busy = k.busy[:len(k.busy)-1]
}

// keep takes a connection back for another request; keepFor is how long the
// target said it stays open, or 0.
func (k *kept) keep(tc *targetConn, now time.Time, keepFor time.Duration) {
	tc.served++
	life := k.codec.cfg.IdleTimeout
	if keepFor > 0 {
		// Leave before the target does: a request on its way while the
		// target closes would be lost.
		life = min(life, keepFor-min(time.Second, keepFor/2))
	}
	tc.expires = now.Add(life)
	k.mu.Lock()
	k.vacateLocked(tc)
	keep := !k.closed && tc.epoch == k.epoch && len(k.idle) < k.codec.cfg.MaxIdle
	if keep {
		k.idle = append(k.idle, tc)
	}
	k.mu.Unlock()
	if !keep {
		_ = tc.Close()
	}
}

// drop closes a connection that was in use.
func (k *kept) drop(tc *targetConn) {
	k.mu.Lock()
	k.vacateLocked(tc)
	k.mu.Unlock()
	_ = tc.Close()
}

// Prune closes idle connections that have expired, or that the target has closed
// or sent bytes on unasked: exchange.Kept.
func (k *kept) Prune(now time.Time) {
	k.mu.Lock()
	var dead []*targetConn
	live := k.idle[:0]
	for _, tc := range k.idle {
		if now.Before(tc.expires) && tc.peek() == peekNothing {
			live = append(live, tc)
		} else {
			dead = append(dead, tc)
		}
	}
	clear(k.idle[len(live):])
	k.idle = live
	k.mu.Unlock()
	for _, tc := range dead {
		_ = tc.Close()
	}
}
