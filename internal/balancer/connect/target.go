package connect

import (
	"math"
	"net"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"neargate/internal/balancer/exchange"
	"neargate/internal/decide/health"
	"neargate/internal/model"
)

// target is a task that answers for an endpoint.
type target struct {
	endpoint *endpoint
	at       model.Target
	addr     netip.AddrPort
	groups   []string // security groups of its task
	key      string   // of groups
	upstream *exchange.Target

	// load is the number of requests and connections under way, with the sign bit
	// set while it takes no new ones.
	load    atomic.Int64
	ejected atomic.Int64 // until then, in nanoseconds of Unix time

	mu      sync.Mutex
	outlier health.Outlier        // guarded by mu
	streams map[net.Conn]struct{} // connections that are passed on; guarded by mu
	cut     bool                  // they end; guarded by mu

	// Guarded by endpoint.mu.
	drainUntil time.Time
	lost       bool // it was cut: another one takes its place
}

const closedBit = math.MinInt64

func newTarget(e *endpoint, at model.Target) *target {
	ip, _ := netip.ParseAddr(at.IP) // the engine's own
	t := &target{
		endpoint: e, at: at, addr: netip.AddrPortFrom(ip, uint16(at.Port)), groups: e.c.groupsOf(ip), streams: map[net.Conn]struct{}{},
	}
	t.key = strings.Join(t.groups, " ")
	t.upstream = e.c.pool.Target(exchange.TargetSpec{Addr: t.addr})
	return t
}

// stream notes a connection that is passed on; ok is false when it must end.
func (t *target) stream(conn net.Conn) (done func(), ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.cut {
		return nil, false
	}
	t.streams[conn] = struct{}{}
	return func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		delete(t.streams, conn)
	}, true
}

// endStreams ends the connections that are passed on.
func (t *target) endStreams() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.cut = true
	for conn := range t.streams {
		_ = conn.Close()
	}
}

func (t *target) closed() bool { return t.load.Load()&closedBit != 0 }
func (t *target) close()       { t.load.Or(closedBit) }
func (t *target) open()        { t.load.And(^int64(closedBit)) }
func (t *target) busy() int    { return int(t.load.Load() &^ closedBit) }

// claim counts one more under way, unless the target takes none.
func (t *target) claim() bool {
	for {
		n := t.load.Load()
		if n&closedBit != 0 {
			return false
		}
		if t.load.CompareAndSwap(n, n+1) {
			return true
		}
	}
}

func (t *target) release() {
	if t.load.Add(-1) == closedBit {
		t.endpoint.left(t)
	}
}

// out reports whether the target was ejected and is to get no requests now.
func (t *target) out(now time.Time) bool {
	until := t.ejected.Load()
	return until != 0 && now.UnixNano() < until
}

// judge learns from the end of a request or of a try to connect.
func (t *target) judge(failed bool, now time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !failed && t.outlier.Streak == 0 {
		return
	}
	was := t.outlier.Until
	t.outlier = t.outlier.After(failed, now)
	if t.outlier.Until != was {
		t.ejected.Store(t.outlier.Until.UnixNano())
		t.endpoint.c.log.Info("target ejected", "endpoint", t.endpoint.offer.Load().Discovery(), "target", t.addr, "until", t.outlier.Until)
	}
}

// Target is where a request that has claimed t goes: exchange.Lease.
func (t *target) Target() *exchange.Target { return t.upstream }

// Done ends a claim: exchange.Lease.
func (t *target) Done(r *exchange.Request, o *exchange.Outcome) {
	if who, ok := r.Note.(*caller); ok {
		who.client.outcome(o)
		t.endpoint.traffic.bytes.Add(uint64(max(o.In+o.Out, 0)))
	}
	switch o.Failure {
	case exchange.ClientGone, exchange.BadBody, exchange.Ended: // not the target's fault
	default:
		t.judge(o.Failure != exchange.OK || o.Status == 502 || o.Status == 503 || o.Status == 504, time.Now())
	}
	t.release()
}
