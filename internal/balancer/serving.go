package balancer

import (
	"math/rand/v2"
	"net/netip"
	"sync/atomic"
	"time"

	"neargate/internal/balancer/exchange"
	"neargate/internal/decide/health"
	"neargate/internal/decide/routing"
)

// serving is the targets of a group that may take requests, by routing.Serving, and
// their weights. Immutable.
type serving struct {
	targets  []*target
	byAddr   map[netip.AddrPort]*target // of groups that bind clients
	wheel    *routing.Wheel             // nil: of all the same
	failOpen bool                       // too few are healthy, so all are here
	unready  bool                       // none can take a request yet: routing.Unready
}

// at returns the target with the address, if it may take requests.
func (s *serving) at(addr netip.AddrPort) *target { return s.byAddr[addr] }

// skips is how many turns targets of little weight may pass on before one is
// picked by weight alone.
const skips = 8

// pick chooses a target by a group's algorithm. avoid, which may be nil, is taken
// only if there is no other.
func (s *serving) pick(a routing.Algorithm, turn *atomic.Uint64, avoid *exchange.Target) *target {
	i := s.choose(a, turn)
	if s.targets[i].upstream == avoid && len(s.targets) > 1 {
		i = (i + 1) % len(s.targets)
	}
	return s.targets[i]
}

func (s *serving) choose(a routing.Algorithm, turn *atomic.Uint64) int {
	switch {
	case a == routing.Random && s.wheel == nil:
		return routing.Pick(a, s.targets, (*target).inFlight, 0, rand.Uint64())
	case s.wheel == nil || a == routing.LeastOutstanding:
		return routing.Pick(a, s.targets, (*target).inFlight, turn.Add(1), 0)
	case a == routing.RoundRobin:
		for range skips {
			i := routing.Pick(a, s.targets, (*target).inFlight, turn.Add(1), 0)
			if s.wheel.Takes(i, rand.Uint64()) {
				return i
			}
		}
	}
	return s.wheel.Pick(rand.Uint64())
}

// roomiest is the target with the fewest requests in flight.
func (s *serving) roomiest(turn *atomic.Uint64) *target {
	return s.targets[routing.Least(s.targets, (*target).inFlight, turn.Load())]
}

// full reports whether every target is at the limit.
func (s *serving) full(limit int) bool {
	if limit == 0 {
		return false
	}
	for _, t := range s.targets {
		if load := t.load.Load(); load&closed == 0 && load < int64(limit) {
			return false
		}
	}
	return true
}

// refreshLocked brings serving up to date with the targets' states and weights. The
// caller calls g.dispatch after it has unlocked.
func (g *group) refreshLocked() {
	all := make([]*target, 0, len(g.targets))
	states := make([]string, 0, len(g.targets))
	for _, t := range g.targets {
		all = append(all, t)
		states = append(states, t.stateLocked())
	}
	conf := g.conf.Load()
	chosen, failOpen := routing.Serving(states, conf.minimum)
	s := &serving{targets: make([]*target, len(chosen)), failOpen: failOpen, unready: routing.Unready(states)}
	weights := make([]float64, len(chosen))
	now := time.Now()
	for i, c := range chosen {
		s.targets[i], weights[i] = all[c], all[c].weightLocked(conf, now)
	}
	s.wheel = routing.NewWheel(weights)
	if conf.stick != nil {
		s.byAddr = make(map[netip.AddrPort]*target, len(s.targets))
		for _, t := range s.targets {
			s.byAddr[targetAt(t.at)] = t
		}
	}
	g.serving.Store(s)
}

// weightLocked is a target's weight among the others, 1 when it is full.
func (t *target) weightLocked(conf *groupConf, now time.Time) float64 {
	switch conf.algorithm {
	case routing.RoundRobin:
		return routing.Share(t.warmSince, now, conf.ramp)
	case routing.Random:
		return t.anomaly.Weight()
	default:
		return 1
	}
}

// enterLocked begins a target's slow start, if it has one, when it has come into
// service.
func (g *group) enterLocked(t *target) {
	conf, now := g.conf.Load(), time.Now()
	t.warmSince = time.Time{}
	var others []float64
	for _, o := range g.targets {
		if o != t && o.stateLocked() == health.Healthy {
			others = append(others, routing.Share(o.warmSince, now, conf.ramp))
		}
	}
	if routing.Warms(conf.ramp, others) {
		t.warmSince = now
	}
}

// weigh judges each second what the healthy targets showed, and moves the weights
// of those in slow start and of those that are anomalous.
func (g *group) weigh(now time.Time) {
	g.mu.Lock()
	defer g.mu.Unlock()
	conf := g.conf.Load()
	var healthy []*target
	var states []health.Anomaly
	var seen []health.Seen
	moving := g.serving.Load().wheel != nil
	for _, t := range g.targets {
		saw := t.seenLocked()
		if t.stateLocked() != health.Healthy {
			t.anomaly = health.Anomaly{}
			continue
		}
		healthy, states, seen = append(healthy, t), append(states, t.anomaly), append(seen, saw)
		moving = moving || !t.warmSince.IsZero() && now.Sub(t.warmSince) <= conf.ramp
	}
	for i, a := range health.Judge(states, seen, conf.mitigate) {
		healthy[i].anomaly = a
		moving = moving || a.Mitigated()
	}
	if moving {
		g.refreshLocked()
	}
}

// seenLocked is what the requests since the last call have shown of a target.
func (t *target) seenLocked() health.Seen {
	requests, failures := t.requests.Load(), t.failures.Load()
	out := health.Seen{Requests: int(requests - t.judged.requests), Failures: int(failures - t.judged.failures)} //nolint:gosec // counts of a second
	t.judged.requests, t.judged.failures = requests, failures
	return out
}

// weigh moves the weights of all target groups.
func (b *Balancer) weigh(now time.Time) {
	b.mu.RLock()
	groups := make([]*group, 0, len(b.groups))
	for _, g := range b.groups {
		groups = append(groups, g)
	}
	b.mu.RUnlock()
	for _, g := range groups {
		g.weigh(now)
	}
}
