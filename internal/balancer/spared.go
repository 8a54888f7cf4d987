package balancer

import (
	"log/slog"
	"net/http"
	"slices"
	"sync/atomic"
	"time"

	"neargate/internal/balancer/exchange"
	"neargate/internal/decide/routing"
	"neargate/internal/model"
)

// tellEvery is how often the log says the same of one target group's requests at
// most.
const tellEvery = time.Minute

// spared counts what was done for requests where an ALB would have failed them, by
// routing.Kindness.
type spared [routing.Kindnesses]struct {
	count atomic.Uint64
	told  told
}

// tell counts a request that an ALB would have failed, and says so now and then, as
// it does of those that got 503.
func (w *weightedGroup) tell(log *slog.Logger, s *exchange.Summary) {
	t := &w.group.traffic
	switch {
	case s.Spared != routing.NoKindness:
		n := t.spared[s.Spared].count.Add(1)
		if t.spared[s.Spared].told.due() {
			log.Warn("answered what an ALB would have failed", "load_balancer", w.lb.arn, "target_group", w.group.arn,
				"would_have", s.Spared.Would(), "reason", s.Spared.String(), "so_far", n)
		}
	case s.Own && s.Status == http.StatusServiceUnavailable && t.refused.due():
		log.Warn("answered 503", "load_balancer", w.lb.arn, "target_group", w.group.arn, "reason", s.Reason)
	}
}

// told is when something was said last, as Unix time in nanoseconds.
type told struct{ at atomic.Int64 }

// due reports whether it is time to say it again, and takes it as said.
func (t *told) due() bool {
	now, last := time.Now().UnixNano(), t.at.Load()
	if last != 0 && now >= last && now-last < int64(tellEvery) {
		return false
	}
	return t.at.CompareAndSwap(last, now)
}

// read returns the counts that are not 0.
func (s *spared) read() []model.Spared {
	var out []model.Spared
	for k := routing.NoKindness + 1; k < routing.Kindnesses; k++ {
		if n := s[k].count.Load(); n > 0 {
			out = append(out, model.Spared{Reason: k.String(), Status: k.Would(), Count: n})
		}
	}
	return out
}

// Spared returns how many requests of a target group were answered since the server
// started though an ALB would have failed them.
func (b *Balancer) Spared(targetGroupARN string) []model.Spared {
	g, ok := b.group(targetGroupARN)
	if !ok {
		return nil
	}
	return g.traffic.spared.read()
}

// drainsInFull reports whether a target of a group that load balancers use shows as
// draining for its whole delay, as on AWS, though nothing is in flight.
func (b *Balancer) drainsInFull(by []string) bool {
	if b.cfg.FullDrain {
		return true
	}
	b.mu.RLock()
	defer b.mu.RUnlock()
	return slices.ContainsFunc(by, func(arn string) bool {
		lb := b.lbs[arn]
		return lb != nil && lb.conf.Load().settings.Strict
	})
}
