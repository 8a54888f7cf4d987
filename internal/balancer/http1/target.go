package http1

import (
	"context"
	"errors"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"
)

// Target is an address that requests are sent to, with its kept connections.
// Its mutex is held for a few instructions, twice a request.
type Target struct {
	pool     *Pool
	addr     netip.AddrPort
	dialAddr string
	dialer   Dial
	cut      atomic.Bool // requests in flight end here
	lost     atomic.Bool // nothing answers at the address any more

	// Guarded by mu.
	mu     sync.Mutex
	idle   []*targetConn                           // the most recently used last
	busy   []*targetConn                           // each knows its slot
	dials  map[*targetConn]context.CancelCauseFunc // under way
	epoch  int                                     // connections of an older one are not kept
	closed bool
}

// errOutOfService is why a dial ends whose target left service meanwhile.
var errOutOfService = errors.New("the target left service")

// targetConn is a connection to a target. Owned by the request that uses it, or
// by the idle list.
type targetConn struct {
	link
	target  *Target
	slot    int // in busy
	epoch   int
	served  int       // answers taken over it
	expires time.Time // the target may close it then
}

// Addr is the target's address.
func (t *Target) Addr() netip.AddrPort { return t.addr }

// CloseIdle closes the kept connections, and those in use when they come back.
// The target stays usable, over new connections.
func (t *Target) CloseIdle() {
	t.mu.Lock()
	idle := t.idle
	t.idle = nil
	t.epoch++
	t.mu.Unlock()
	for _, tc := range idle {
		tc.Close()
	}
}

// Close is CloseIdle for good: requests in flight finish, later ones still
// work, but no connection is kept any more.
func (t *Target) Close() {
	t.mu.Lock()
	t.closed = true
	t.mu.Unlock()
	t.CloseIdle()
	t.pool.forget(t)
}

// Cut is Close, and breaks the connections in use at once: their requests end
// with Broken and without another try (502, or a cut connection if the answer
// had begun), as at the end of a deregistration delay. Requests that were not
// connected yet may still be tried elsewhere.
func (t *Target) Cut() {
	t.cut.Store(true)
	t.breakAll()
}

// Lose is for a target that has ended by itself, whose address may not even
// refuse connections any more. It is Close, no connection is opened any more,
// and those in use break at once; requests that may be repeated go elsewhere.
func (t *Target) Lose() {
	t.lost.Store(true)
	t.breakAll()
}

func (t *Target) breakAll() {
	t.Close()
	t.EndDials()
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, tc := range t.busy {
		tc.Close()
	}
}

// EndDials ends the attempts to connect that are under way. Their requests have
// not reached the target and may be tried elsewhere.
func (t *Target) EndDials() {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, cancel := range t.dials {
		cancel(errOutOfService)
	}
}

// take returns out the connection used last, or nil. It then counts as busy.
func (t *Target) take(now time.Time) *targetConn {
	for {
		t.mu.Lock()
		n := len(t.idle) - 1
		if n < 0 {
			t.mu.Unlock()
			return nil
		}
		tc := t.idle[n]
		t.idle[n] = nil
		t.idle = t.idle[:n]
		fresh := now.Before(tc.expires)
		if fresh {
			t.occupyLocked(tc)
		}
		t.mu.Unlock()
		if fresh {
			return tc
		}
		tc.Close()
	}
}

func (t *Target) occupyLocked(tc *targetConn) {
	tc.slot = len(t.busy)
	t.busy = append(t.busy, tc)
}

func (t *Target) vacateLocked(tc *targetConn) {
	last := t.busy[len(t.busy)-1]
	t.busy[tc.slot] = last
	last.slot = tc.slot
	t.busy[len(t.busy)-1] = nil
	t.busy = t.busy[:len(t.busy)-1]
}

// dial opens a new connection, which counts as busy. It ends with errOutOfService when
// the target leaves service meanwhile.
func (t *Target) dial(ctx context.Context) (*targetConn, error) {
	ctx, cancel := context.WithTimeout(ctx, t.pool.cfg.DialTimeout)
	defer cancel()
	ctx, leave := context.WithCancelCause(ctx)
	defer leave(nil)
	tc := &targetConn{target: t}
	if !t.beginDial(tc, leave) {
		return nil, errOutOfService
	}
	c, err := t.dialer(ctx, t.dialAddr)
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.dials, tc)
	switch {
	case errors.Is(context.Cause(ctx), errOutOfService):
		if err == nil {
			_ = c.Close() // nothing was sent
		}
		return nil, errOutOfService
	case err != nil:
		return nil, err
	}
	tc.link = link{Conn: c}
	t.occupyLocked(tc)
	return tc, nil
}

// beginDial notes a dial that leave ends; false when the target takes none.
func (t *Target) beginDial(tc *targetConn, leave context.CancelCauseFunc) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.cut.Load() || t.lost.Load() {
		return false
	}
	tc.epoch = t.epoch
	if t.dials == nil {
		t.dials = map[*targetConn]context.CancelCauseFunc{}
	}
	t.dials[tc] = leave
	return true
}

// keep takes a connection back for another request; keepFor is how long the
// target said it stays open, or 0.
func (t *Target) keep(tc *targetConn, now time.Time, keepFor time.Duration) {
	tc.served++
	life := t.pool.cfg.IdleTimeout
	if keepFor > 0 {
		// Leave before the target does: a request on its way while the
		// target closes would be lost.
		life = min(life, keepFor-min(time.Second, keepFor/2))
	}
	tc.expires = now.Add(life)
	t.mu.Lock()
	t.vacateLocked(tc)
	keep := !t.closed && tc.epoch == t.epoch && len(t.idle) < t.pool.cfg.MaxIdle
	if keep {
		t.idle = append(t.idle, tc)
	}
	t.mu.Unlock()
	if !keep {
		tc.Close()
	}
}

// drop closes a connection that was in use.
func (t *Target) drop(tc *targetConn) {
	t.mu.Lock()
	t.vacateLocked(tc)
	t.mu.Unlock()
	tc.Close()
}

// prune closes idle connections that have expired, or that the target has
// closed or sent bytes on unasked.
func (t *Target) prune(now time.Time) {
	t.mu.Lock()
	var dead []*targetConn
	live := t.idle[:0]
	for _, tc := range t.idle {
		if now.Before(tc.expires) && tc.peek() == peekNothing {
			live = append(live, tc)
		} else {
			dead = append(dead, tc)
		}
	}
	clear(t.idle[len(live):])
	t.idle = live
	t.mu.Unlock()
	for _, tc := range dead {
		tc.Close()
	}
}
