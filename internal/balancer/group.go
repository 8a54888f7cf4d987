package balancer

import (
	"math/rand/v2"
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
	serving atomic.Pointer[[]*target] // may take requests, decided by routing.Serving
	turn    atomic.Uint64             // raised by each request
	traffic groupTraffic
	queue   queue
	// hold is what Hold said: the limit at one target where the record has none.
	hold atomic.Int64

	mu      sync.Mutex
	targets map[model.Target]*target // guarded by mu
	usedBy  []string                 // load balancers, guarded by mu
	gone    bool                     // deleted, guarded by mu
}

// groupConf is what a target group's record says, read once. Immutable.
type groupConf struct {
	model.TargetGroup
	algorithm routing.Algorithm
	minimum   routing.Minimum
	delay     time.Duration // of deregistration
	limit     int           // requests in flight at one target, 0 is no limit
	fixed     bool          // limit stands, whatever Hold says
}

func readGroup(tg model.TargetGroup) *groupConf {
	c := &groupConf{TargetGroup: tg}
	c.algorithm = routing.ParseAlgorithm(tg.Attributes["load_balancing.algorithm.type"])
	c.delay = time.Duration(number(tg.Attributes, "deregistration_delay.timeout_seconds", 300)) * time.Second
	const minimum = "target_group_health.unhealthy_state_routing.minimum_healthy_targets."
	c.minimum.Count = number(tg.Attributes, minimum+"count", 1)
	c.minimum.Percent = float64(number(tg.Attributes, minimum+"percentage", 0)) // "off" is 0
	for _, t := range tg.Tags {
		if n, err := strconv.Atoi(t.Value); t.Key == limitTag && err == nil && n >= 0 {
			c.limit, c.fixed = n, true
		}
	}
	return c
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
	g.serving.Store(new([]*target))
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
// release it. avoid, which may be nil, is taken only if there is no other.
func (g *group) claim(avoid *exchange.Target) (*target, claimed) {
	conf := g.conf.Load()
	for {
		limit := g.limit()
		serving := *g.serving.Load()
		if len(serving) == 0 {
			return nil, noneThere
		}
		t := pick(conf.algorithm, serving, g.turn.Add(1), avoid)
		if t.claim(limit) {
			return t, gotTarget
		}
		if conf.algorithm != routing.LeastOutstanding { // its pick may be full while others are not
			t = pick(routing.LeastOutstanding, serving, g.turn.Load(), avoid)
			if t.claim(limit) {
				return t, gotTarget
			}
		}
		if full(serving, limit) {
			return nil, allFull
		}
		// The target was deregistered, or filled up, since we looked.
	}
}

func pick(a routing.Algorithm, serving []*target, turn uint64, avoid *exchange.Target) *target {
	draw := uint64(0)
	if a == routing.Random {
		draw = rand.Uint64()
	}
	i := routing.Pick(a, serving, (*target).inFlight, turn, draw)
	if serving[i].upstream == avoid && len(serving) > 1 {
		i = (i + 1) % len(serving)
	}
	return serving[i]
}

func full(serving []*target, limit int) bool {
	if limit == 0 {
		return false
	}
	for _, t := range serving {
		if load := t.load.Load(); load&closed == 0 && load < int64(limit) {
			return false
		}
	}
	return true
}

// refreshLocked brings serving up to date with the targets' states. The caller
// calls g.dispatch after it has unlocked.
func (g *group) refreshLocked() {
	all := make([]*target, 0, len(g.targets))
	states := make([]string, 0, len(g.targets))
	for _, t := range g.targets {
		all = append(all, t)
		states = append(states, t.stateLocked())
	}
	chosen := routing.Serving(states, g.conf.Load().minimum)
	serving := make([]*target, len(chosen))
	for i, c := range chosen {
		serving[i] = all[c]
	}
	g.serving.Store(&serving)
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

// count returns the numbers of healthy and of unhealthy targets; a new one is neither.
func (g *group) count() (healthy, unhealthy int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, t := range g.targets {
		switch t.stateLocked() {
		case "healthy":
			healthy++
		case "unhealthy":
			unhealthy++
		}
	}
	return healthy, unhealthy
}
