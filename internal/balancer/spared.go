package balancer

import (
	"log/slog"
	"slices"
	"sync/atomic"
	"time"

	"neargate/internal/decide/routing"
	"neargate/internal/model"
)

// tellEvery is how often the log says of one target group that requests were
// answered which an ALB would have failed for the same reason.
const tellEvery = time.Minute

// spared counts what was done for requests where an ALB would have failed them, by
// routing.Kindness.
type spared [routing.Kindnesses]struct {
	count atomic.Uint64
	told  atomic.Int64 // Unix time in nanoseconds
}

// spare counts a request that an ALB would have failed, and says so now and then.
func (w *weightedGroup) spare(log *slog.Logger, k routing.Kindness) {
	s := &w.group.traffic.spared[k]
	n, now, told := s.count.Add(1), time.Now().UnixNano(), s.told.Load()
	if told != 0 && now >= told && now-told < int64(tellEvery) || !s.told.CompareAndSwap(told, now) {
		return
	}
	log.Warn("answered what an ALB would have failed", "load_balancer", w.lb.arn, "target_group", w.group.arn,
		"would_have", k.Would(), "reason", k.String(), "so_far", n)
}

// read returns the counts that are not 0.
func (s *spared) read() []model.Spared {
	var out []model.Spared
	for k := routing.NoKindness + 1; k < routing.Kindnesses; k++ {
		if n := s[k].count.Load(); n > 0 {
			out = append(out, model.Spared{Reason: k.String(), Count: n})
		}
	}
	return out
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
