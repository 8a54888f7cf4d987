package sim

import (
	"math/rand/v2"

	"neargate/internal/decide/routing"
)

// balancer spreads requests over the tasks that serve.
type balancer struct {
	routing Routing
	limit   int32 // requests at one task, 0 is none
	serving []*task
	loads   []int32 // requests in flight at each of serving
	turn    uint64  // raised by each pick
	rng     *rand.Rand
	queue   []request // oldest first from head
	head    int
}

// request is one that waits at the balancer.
type request struct{ arrived, demand float64 }

func newBalancer(cfg Config) balancer {
	return balancer{routing: cfg.Routing, limit: int32(cfg.PerTask), rng: rand.New(rand.NewPCG(cfg.Seed, routingStream))}
}

func (b *balancer) waiting() []request { return b.queue[b.head:] }

// pick returns the index in serving of the task that takes the next request, -1
// when none can: the server's choice, and its rule that a pick which is full
// gives way to the least busy task.
func (b *balancer) pick() int {
	n := uint64(len(b.loads))
	if n == 0 {
		return -1
	}
	b.turn++
	var i int
	switch b.routing {
	case RoundRobin:
		i = b.choose(routing.RoundRobin, 0)
	case Random:
		i = b.choose(routing.Random, b.rng.Uint64())
	case PowerOfTwo:
		i = b.lessBusyOfTwo()
	default:
		i = b.choose(routing.LeastOutstanding, 0)
	}
	if b.limit == 0 || b.loads[i] < b.limit {
		return i
	}
	if i = routing.Least(b.loads, count, b.turn); b.loads[i] < b.limit {
		return i
	}
	return -1
}

func (b *balancer) choose(a routing.Algorithm, draw uint64) int {
	return routing.Pick(a, b.loads, count, b.turn, draw)
}

func count(load int32) int { return int(load) }

func (b *balancer) lessBusyOfTwo() int {
	n := len(b.loads)
	if n == 1 {
		return 0
	}
	i, j := b.rng.IntN(n), b.rng.IntN(n-1)
	if j >= i {
		j++
	}
	if b.loads[j] < b.loads[i] {
		return j
	}
	return i
}

// admit puts the scaler's limit in force.
func (p *plant) admit() {
	a, ok := p.cfg.Scaler.(Admitter)
	if !ok || p.cfg.PerTask > 0 {
		return
	}
	if limit := int32(a.PerTask()); limit != p.balancer.limit { //nolint:gosec // a count of requests
		p.balancer.limit = limit
		p.pull()
	}
}

// arrive takes a request in.
func (p *plant) arrive() {
	p.account.second.arrivals++
	p.out.Requests++
	r := request{arrived: p.now, demand: p.arrivals.demand() * p.drift}
	b := &p.balancer
	if w, ok := p.cfg.Scaler.(Waker); ok && len(b.serving) == 0 {
		p.stand(w, r)
		return
	}
	if b.head == len(b.queue) {
		if i := b.pick(); i >= 0 {
			p.send(i, r)
			return
		}
	}
	b.queue = append(b.queue, r)
}

func (p *plant) send(i int, r request) {
	t := p.balancer.serving[i]
	p.balancer.loads[i]++
	t.add(p.now, r.arrived, r.demand)
	p.plan(t)
}

// pull gives queued requests to tasks that have room.
func (p *plant) pull() {
	b := &p.balancer
	for b.head < len(b.queue) {
		i := b.pick()
		if i < 0 {
			return
		}
		b.head++
		p.send(i, b.queue[b.head-1])
	}
	b.queue, b.head = b.queue[:0], 0
}

// regroup brings the balancer's tasks up to date.
func (p *plant) regroup() {
	b := &p.balancer
	b.serving, b.loads = b.serving[:0], b.loads[:0]
	for _, t := range p.tasks {
		t.slot = -1
		if t.serving && !t.draining {
			t.slot = len(b.serving)
			b.serving = append(b.serving, t)
			b.loads = append(b.loads, int32(len(t.jobs)))
		}
	}
}
