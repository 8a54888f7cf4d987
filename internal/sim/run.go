package sim

import (
	"math"
	"math/rand/v2"
	"time"

	"neargate/internal/model"
)

// plant is a run under way.
type plant struct {
	cfg    Config
	rng    *rand.Rand
	mu     float64 // of the lognormal demand
	sigma  float64
	now    float64
	tasks  []*task // in the order of their orders
	queue  []job   // at the balancer, oldest first from head
	head   int
	free   []*task // ended tasks, to be used again
	rotate int     // where the search for the least busy task begins
	out    Result

	desired             int
	arrivals, completed int // in the current second
	late                int
}

// Run simulates cfg.
func Run(cfg Config) (Result, error) {
	if err := cfg.Validate(); err != nil {
		return Result{}, err
	}
	p := newPlant(cfg)
	for i, rate := range cfg.Rates {
		p.second(i, rate)
	}
	p.settle()
	return p.out, nil
}

func newPlant(cfg Config) *plant {
	p := &plant{cfg: cfg, rng: rand.New(rand.NewPCG(cfg.Seed, 0x6e65617267617465)), desired: cfg.Initial}
	variance := math.Log(1 + cfg.CV*cfg.CV)
	p.sigma = math.Sqrt(variance)
	p.mu = math.Log(cfg.Demand.Seconds()) - variance/2
	p.out.Seconds = make([]Second, 0, len(cfg.Rates))
	for range cfg.Initial {
		p.order(0, 0)
	}
	return p
}

func (p *plant) order(now, start float64) {
	t := &task{}
	if n := len(p.free); n > 0 {
		t, p.free = p.free[n-1], p.free[:n-1]
	}
	*t = task{vcpu: p.cfg.TaskVCPU, ordered: now, ready: now + start, updated: now, next: math.Inf(1), jobs: t.jobs[:0]}
	p.tasks = append(p.tasks, t)
}

// second runs one second of arrivals and departures, then asks the scaler.
func (p *plant) second(i int, rate float64) {
	begin, end := float64(i), float64(i+1)
	p.now = begin
	p.arrivals, p.completed, p.late = 0, 0, 0
	next := p.arrivalAfter(begin, rate)
	for {
		t := p.soonest()
		switch {
		case t != nil && t.next <= next && t.next < end:
			p.depart(t)
		case next < end:
			p.now = next
			p.arrive()
			next = p.arrivalAfter(p.now, rate)
		default:
			p.now = end
			p.close(i, rate)
			return
		}
	}
}

func (p *plant) arrivalAfter(t, rate float64) float64 {
	if rate <= 0 {
		return math.Inf(1)
	}
	return t + p.rng.ExpFloat64()/rate
}

// soonest gives the task with the next departure; tasks that become ready
// take from the queue as they do.
func (p *plant) soonest() *task {
	var best *task
	for _, t := range p.tasks {
		if best == nil || t.next < best.next {
			best = t
		}
	}
	return best
}

func (p *plant) arrive() {
	p.arrivals++
	p.out.Requests++
	demand := math.Exp(p.mu + p.sigma*p.rng.NormFloat64())
	if t := p.leastBusy(); t != nil && p.head == len(p.queue) {
		t.add(p.now, p.now, demand)
		return
	}
	p.queue = append(p.queue, job{arrived: p.now, demand: demand})
	p.pull() // a task may have become ready
}

// leastBusy gives the ready task with the fewest requests in flight, nil when
// all are at their limit. Ties go round.
func (p *plant) leastBusy() *task {
	n := len(p.tasks)
	if p.rotate++; p.rotate >= n {
		p.rotate = 0
	}
	var best *task
	for k := range n {
		i := p.rotate + k
		if i >= n {
			i -= n
		}
		t := p.tasks[i]
		if t.draining || t.ready > p.now || (p.cfg.PerTask > 0 && len(t.jobs) >= p.cfg.PerTask) {
			continue
		}
		if best == nil || len(t.jobs) < len(best.jobs) {
			best = t
			if len(t.jobs) == 0 {
				break
			}
		}
	}
	return best
}

func (p *plant) depart(t *task) {
	p.now = t.next
	j := t.finish(p.now)
	latency := p.now - j.arrived
	p.completed++
	p.out.Completed++
	p.out.Latencies.add(latency)
	if p.cfg.SLO > 0 && latency > p.cfg.SLO.Seconds() {
		p.late++
		p.out.Late++
	}
	p.pull()
}

// pull gives queued requests to tasks that have room.
func (p *plant) pull() {
	for p.head < len(p.queue) {
		t := p.leastBusy()
		if t == nil {
			return
		}
		j := p.queue[p.head]
		p.head++
		t.add(p.now, j.arrived, j.demand)
	}
	p.queue, p.head = p.queue[:0], 0
}

// close ends a second: counts it, drops what has ended, and scales.
func (p *plant) close(i int, rate float64) {
	var s model.ServiceSecond
	s.At = time.Unix(int64(i+1), 0).UTC()
	s.Interval, s.Balanced = time.Second, true
	s.CPUPerTask = time.Duration(p.cfg.TaskVCPU * float64(time.Second))
	s.Arrivals, s.Completed, s.Queued = p.arrivals, p.completed, len(p.queue)-p.head
	var used float64
	kept := p.tasks[:0]
	for _, t := range p.tasks {
		t.advance(p.now)
		t.plan()
		used += t.used
		t.used = 0
		p.out.TaskSeconds += p.now - max(t.ordered, p.now-1)
		s.InFlight += len(t.jobs)
		switch {
		case t.draining && len(t.jobs) == 0:
			p.free = append(p.free, t)
			continue
		case t.draining:
			s.Draining++
		case t.ready > p.now:
			s.Starting++
		default:
			s.Running++
		}
		kept = append(kept, t)
	}
	p.tasks = kept
	s.Sampled = s.Running + s.Draining
	s.CPU = time.Duration(used * float64(time.Second))
	p.pull() // tasks that became ready
	desired, reason := p.cfg.Scaler.Second(s)
	p.out.Seconds = append(p.out.Seconds, Second{
		Rate: rate, Desired: desired, Running: s.Running, Starting: s.Starting, Drained: s.Draining,
		Queued: s.Queued, InFlight: s.InFlight, Completed: p.completed, Late: p.late,
	})
	p.scale(i, max(desired, 0), reason)
}

// scale carries an order out as the scheduler does: draining tasks are taken
// back before new ones start; starting ones go before running ones, the
// youngest of these with the fewest requests first.
func (p *plant) scale(i, desired int, reason string) {
	if desired != p.desired {
		p.out.Orders = append(p.out.Orders, Order{At: i, From: p.desired, To: desired, Reason: reason})
		p.desired = desired
	}
	have := 0
	for _, t := range p.tasks {
		if !t.draining {
			have++
		}
	}
	for k := len(p.tasks) - 1; k >= 0 && have < desired; k-- {
		if t := p.tasks[k]; t.draining {
			t.draining = false
			have++
		}
	}
	for ; have < desired; have++ {
		p.order(p.now, p.cfg.Start.Seconds())
	}
	for ; have > desired; have-- {
		p.victim().draining = true
	}
	p.pull()
}

func (p *plant) victim() *task {
	var best *task
	for _, t := range p.tasks {
		if t.draining {
			continue
		}
		switch {
		case best == nil:
			best = t
		case t.ready > p.now || best.ready > p.now:
			if t.ready >= best.ready {
				best = t
			}
		case len(t.jobs) <= len(best.jobs):
			best = t
		}
	}
	return best
}

// settle counts the requests that the end of the run cut off as late when they
// had already broken the SLO.
func (p *plant) settle() {
	slo := p.cfg.SLO.Seconds()
	if slo <= 0 {
		return
	}
	late := func(j job) {
		if p.now-j.arrived > slo {
			p.out.Late++
		}
	}
	for _, t := range p.tasks {
		for _, j := range t.jobs {
			late(j)
		}
	}
	for _, j := range p.queue[p.head:] {
		late(j)
	}
}
