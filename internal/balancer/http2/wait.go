package http2

import "time"

// waiter is where one goroutine at a time waits for what another does. Signals
// are kept until somebody waits, and may be stale: who was woken looks again.
type waiter struct {
	c     chan struct{}
	timer *time.Timer
}

func newWaiter() waiter { return waiter{c: make(chan struct{}, 1)} }

// signal ends the wait under way, or the next.
func (w *waiter) signal() {
	select {
	case w.c <- struct{}{}:
	default:
	}
}

// wait waits for a signal. It reports false when limit has passed.
func (w *waiter) wait(limit time.Duration) bool {
	select {
	case <-w.c:
		return true
	default:
	}
	if limit <= 0 {
		return false
	}
	if w.timer == nil {
		w.timer = time.NewTimer(limit)
	} else {
		w.timer.Reset(limit)
	}
	select {
	case <-w.c:
		w.timer.Stop()
		return true
	case <-w.timer.C:
		return false
	}
}
