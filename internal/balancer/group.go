package balancer

import (
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"neargate/internal/balancer/exchange"
	"neargate/internal/decide/health"
	"neargate/internal/decide/routing"
	"neargate/internal/model"
)

// limitTag is the tag of a target group for the greatest number of requests in
// flight at one target; more wait in its queue, first come first served. Without
// it Hold decides.
const limitTag = "neargate:target-limit"

// group is a live target group.
type group struct {
	arn     string
	conf    atomic.Pointer[groupConf]
	serving atomic.Pointer[serving]
	turn    atomic.Uint64 // raised by each request
	traffic groupTraffic
	queue   queue
	cookies *sealer
	// hold is what Hold said: the limit at one target where the record has none.
	hold atomic.Int64
	// awaken is Config.Awaken.
	awaken func(targetGroupARN string) bool

	mu      sync.Mutex
	targets map[model.Target]*target // guarded by mu
	usedBy  []string                 // load balancers, guarded by mu
	gone    bool                     // deleted, guarded by mu
}

// groupConf is what a target group's record says, read once. Immutable.
type groupConf struct {
	model.TargetGroup
	speaks    exchange.Protocol
	algorithm routing.Algorithm
	minimum   routing.Minimum // to leave the unhealthy out
	visible   routing.Minimum // to be in DNS
	ramp      time.Duration   // of slow start; 0 is none
	mitigate  bool            // anomalies
	stick     *stickiness     // nil: none
	delay     time.Duration   // of deregistration
	limit     int             // requests in flight at one target, 0 is no limit
	fixed     bool            // limit stands, whatever Hold says
}

func readGroup(tg model.TargetGroup) *groupConf {
	c := &groupConf{TargetGroup: tg, speaks: protocolOf(tg)}
	c.algorithm = routing.ParseAlgorithm(tg.Attributes["load_balancing.algorithm.type"])
	c.delay = time.Duration(number(tg.Attributes, "deregistration_delay.timeout_seconds", 300)) * time.Second
	c.ramp = time.Duration(number(tg.Attributes, "slow_start.duration_seconds", 0)) * time.Second
	c.mitigate = c.algorithm == routing.Random && tg.Attributes["load_balancing.algorithm.anomaly_mitigation"] == "on"
	c.stick = readStickiness(tg)
	c.minimum = readMinimum(tg.Attributes, "target_group_health.unhealthy_state_routing.minimum_healthy_targets.")
	c.visible = readMinimum(tg.Attributes, "target_group_health.dns_failover.minimum_healthy_targets.")
	for _, t := range tg.Tags {
		if n, err := strconv.Atoi(t.Value); t.Key == limitTag && err == nil && n >= 0 {
			c.limit, c.fixed = n, true
		}
	}
	return c
}

func readMinimum(attributes map[string]string, prefix string) routing.Minimum {
	return routing.Minimum{
		Count:   number(attributes, prefix+"count", 1),
		Percent: float64(number(attributes, prefix+"percentage", 0)), // "off" is 0
	}
}

// number reads a numeric attribute.
func number(attributes map[string]string, key string, otherwise int) int {
	if n, err := strconv.Atoi(attributes[key]); err == nil {
		return n
	}
	return otherwise
}

func newGroup(tg model.TargetGroup) *group {
	g := &group{arn: tg.ARN, targets: map[model.Target]*target{}}
	g.conf.Store(readGroup(tg))
	g.serving.Store(&serving{unready: true})
	return g
}

// limit is how many requests may be in flight at one target now; 0 is any number.
func (g *group) limit() int {
	if c := g.conf.Load(); c.fixed {
		return c.limit
	}
	return int(g.hold.Load())
}

// claimed is what an attempt to claim a target came to.
type claimed int

const (
	gotTarget claimed = iota
	allFull           // every target that may serve is at its limit
	noneThere         // no target is registered
)

// claim picks a target and counts a request in flight there; the caller must
// release it. avoid, which may be nil, is taken only if there is no other; strict
// knows no limit, as an ALB.
func (g *group) claim(avoid *exchange.Target, strict bool) (*target, claimed) {
	conf := g.conf.Load()
	for {
		limit := 0
		if !strict {
			limit = g.limit()
		}
		s := g.serving.Load()
		if len(s.targets) == 0 {
			return nil, noneThere
		}
		if t := s.pick(conf.algorithm, &g.turn, avoid); t.claim(limit) {
			return g.took(t, s)
		}
		// The pick may be full, or have been deregistered, while others are not.
		if t := s.roomiest(&g.turn); t.claim(limit) {
			return g.took(t, s)
		}
		if s.full(limit) {
			return nil, allFull
		}
	}
}

func (g *group) took(t *target, s *serving) (*target, claimed) {
	if s.failOpen {
		g.traffic.failOpen.Add(1)
	}
	return t, gotTarget
}

// reconfigure takes a changed record.
func (g *group) reconfigure(c *groupConf) {
	g.mu.Lock()
	g.conf.Store(c)
	g.refreshLocked()
	for _, t := range g.targets {
		t.nudge()
	}
	g.mu.Unlock()
	g.dispatch()
}

// use takes the load balancers that use the group now; changed says whether it
// came into use or fell out of it.
func (g *group) use(by []string) (changed bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	changed = (len(by) > 0) != (len(g.usedBy) > 0)
	g.usedBy = by
	if changed {
		for _, t := range g.targets {
			t.health = health.New(time.Now())
			t.nudge()
		}
		g.refreshLocked()
	}
	return changed
}

// countLocked sets the gauges of the group's targets; a new one is neither healthy
// nor unhealthy.
func (g *group) countLocked(out *model.TargetGroupTraffic) {
	registered := 0
	for _, t := range g.targets {
		out.InFlight += t.busy()
		switch t.stateLocked() {
		case "healthy":
			out.Healthy++
		case "unhealthy":
			out.Unhealthy++
		case "draining", "unused":
			continue
		}
		registered++
		if t.anomaly.Anomalous {
			out.Anomalous++
		}
		if t.anomaly.Mitigated() {
			out.Mitigated++
		}
	}
	if conf := g.conf.Load(); registered > 0 {
		out.Failing = !conf.minimum.Met(out.Healthy, registered)
		out.Hidden = !conf.visible.Met(out.Healthy, registered)
	}
}
