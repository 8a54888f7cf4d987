package balancer

import (
	"math"
	"sync/atomic"
	"time"

	"neargate/internal/balancer/exchange"
	"neargate/internal/decide/health"
	"neargate/internal/model"
)

// target is a live target. Its life:
//
//	registered ─▶ probed (initial, healthy, unhealthy) ─▶ draining ─▶ gone
//	                        ▲          re-registered         │
//	                        └────────────────────────────────┘
//
// A target of a group that no listener uses is not probed.
type target struct {
	group    *group
	at       model.Target
	addr     string
	upstream *exchange.Target // its kept connections

	// load is the number of requests in flight, with the bit closed set while
	// the target takes no new ones. One word, so that a claim and the end of
	// service cannot miss each other.
	load atomic.Int64

	requests, failures atomic.Uint64 // answered or failed since it came; failures of them

	wake   chan struct{} // size 1: its goroutine shall look again
	cancel func()        // ends its goroutine's probe under way

	// Guarded by group.mu.
	health     health.State
	drainUntil time.Time // zero when not draining
	drainSince time.Time
	lost       bool // has ended by itself: is not taken back into service
	gone       bool
	warmSince  time.Time // when its slow start began; zero: none
	anomaly    health.Anomaly
	judged     struct{ requests, failures uint64 } // of those counters
}

const closed = math.MinInt64 // the sign bit

// inFlight is the load for picking: a closed target has the greatest.
func (t *target) inFlight() int {
	if n := t.load.Load(); n&closed == 0 {
		return int(n)
	}
	return math.MaxInt
}

// claim counts one request in flight unless the target takes none or has limit
// already.
func (t *target) claim(limit int) bool {
	for {
		n := t.load.Load()
		if n&closed != 0 || (limit > 0 && n >= int64(limit)) {
			return false
		}
		if t.load.CompareAndSwap(n, n+1) {
			return true
		}
	}
}

// release ends what claim began, and lets the next in the queue have the place.
func (t *target) release() {
	if t.load.Add(-1) == closed {
		t.nudge() // draining, and that was the last
		return
	}
	if t.group.queue.length.Load() > 0 {
		t.group.dispatch()
	}
}

// close lets no new request begin; open takes that back.
func (t *target) close() { t.load.Or(closed) }
func (t *target) open()  { t.load.And(^int64(closed)) }

// busy is the number of requests in flight, whether closed or not.
func (t *target) busy() int { return int(t.load.Load() &^ closed) }

func (t *target) nudge() {
	select {
	case t.wake <- struct{}{}:
	default: // it will look anyway
	}
}

// stateLocked is the target's state in ELB's words.
func (t *target) stateLocked() string {
	switch {
	case t.lost, !t.drainUntil.IsZero():
		return "draining"
	case len(t.group.usedBy) == 0:
		return "unused"
	}
	return t.health.Name
}

func (t *target) reportLocked() model.TargetHealth {
	h := model.TargetHealth{Target: t.at, State: t.stateLocked(), InFlight: t.busy(), Since: t.health.Since, Anomalous: t.anomaly.Anomalous, Mitigated: t.anomaly.Mitigated()}
	switch h.State {
	case "draining":
		h.Reason, h.Description = "Target.DeregistrationInProgress", "Target deregistration is in progress"
		h.Since = t.drainSince
	case "unused":
		h.Reason, h.Description = "Target.NotInUse", "Target group is not configured to receive traffic from the load balancer"
	default:
		h.Reason, h.Description = t.health.Reason, t.health.Description
	}
	return h
}
