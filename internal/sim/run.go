package sim

import (
	"math"
	"math/rand/v2"
)

// plant is a run under way.
type plant struct {
	cfg      Config
	arrivals arrivals
	chance   *rand.Rand // of faults and start-up times
	now      float64
	begin    float64 // of the current second, or since when the tasks' time is counted
	drift    float64 // of the demand, in the current second
	ordered  int     // tasks so far
	desired  int
	tasks    []*task   // in the order of their orders
	next     []float64 // of each task
	soon     int       // the task with the least next, -1 when not known
	free     []*task   // ended tasks, to be used again
	balancer balancer
	account  account
	slo      float64
	out      Result
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
	p := &plant{
		cfg: cfg, arrivals: newArrivals(cfg), chance: rand.New(rand.NewPCG(cfg.Seed, faultStream)),
		desired: cfg.Initial, soon: -1, balancer: newBalancer(cfg), account: newAccount(cfg.Scaler), slo: math.Inf(1),
	}
	if cfg.SLO > 0 {
		p.slo = cfg.SLO.Seconds()
	}
	p.out.Seconds = make([]Second, 0, len(cfg.Rates))
	for range cfg.Initial {
		t := p.order(0)
		t.serving = true
		p.plan(t)
	}
	p.regroup()
	return p
}

// second runs one second of arrivals and departures, then asks the scaler.
func (p *plant) second(i int, rate float64) {
	end := float64(i + 1)
	p.begin, p.now, p.drift = float64(i), float64(i), p.cfg.Faults.drift(i)
	arrival := p.arrivals.after(p.begin, rate)
	for {
		at := p.soonest()
		switch {
		case at <= arrival && at < end:
			p.now = at
			p.fire(p.tasks[p.soon])
		case arrival < end:
			p.now = arrival
			p.arrive()
			arrival = p.arrivals.after(arrival, rate)
		default:
			p.now = end
			p.close(i, rate)
			return
		}
	}
}

// soonest returns the time of the next event of a task, and sets soon.
func (p *plant) soonest() float64 {
	if len(p.next) == 0 {
		return math.Inf(1)
	}
	if p.soon < 0 {
		soon, best := 0, p.next[0]
		for i, at := range p.next {
			if at < best {
				soon, best = i, at
			}
		}
		p.soon = soon
	}
	return p.next[p.soon]
}

// plan takes note of when the task's next event is.
func (p *plant) plan(t *task) {
	at := t.next()
	switch {
	case p.soon < 0:
	case t.at == p.soon:
		if at > p.next[p.soon] {
			p.soon = -1
		}
	case at < p.next[p.soon]:
		p.soon = t.at
	}
	p.next[t.at] = at
}

// fire carries out the event of t that is due now.
func (p *plant) fire(t *task) {
	if !t.serving {
		p.serve(t)
		t.serving, t.updated = true, p.now
		p.plan(t)
		p.regroup()
		p.pull()
		return
	}
	t.advance(p.now)
	if !t.due() {
		p.plan(t)
		return
	}
	j := t.finish()
	p.plan(t)
	p.complete(j)
	switch {
	case t.slot >= 0:
		p.balancer.loads[t.slot]--
		p.pull()
	case len(t.jobs) == 0: // it has drained
		p.remove(t)
	}
}

func (p *plant) complete(j job) {
	latency := p.now - j.arrived
	p.account.second.completed++
	p.out.Completed++
	p.out.Latencies.add(latency)
	if latency > p.slo {
		p.account.second.late++
		p.out.Late++
	}
	if p.account.wants.Latency {
		p.account.latencies = append(p.account.latencies, latency)
	}
	if p.account.wants.Responses {
		p.account.responses = append(p.account.responses, p.now-j.sent)
	}
}

// settle counts the requests that the end of the run cut off as late when they
// had already broken the SLO.
func (p *plant) settle() {
	late := func(arrived float64) {
		if p.now-arrived > p.slo {
			p.out.Late++
		}
	}
	for _, t := range p.tasks {
		for _, j := range t.jobs {
			late(j.arrived)
		}
	}
	for _, r := range p.balancer.waiting() {
		late(r.arrived)
	}
}
