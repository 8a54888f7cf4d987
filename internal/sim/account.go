package sim

import (
	"slices"
	"time"

	"neargate/internal/model"
)

// Wants is what a scaler asks for besides the plain second.
type Wants struct {
	Latency bool // ServiceSecond.Latency
	View    bool // See is called before Second
	// Responses is View.Responses.
	Responses bool
}

// Asker is a Scaler that wants more than the plain second.
type Asker interface {
	Scaler
	Wants() Wants
}

// Witness is a Scaler that sees each task, or knows the true load. See is
// called before each Second if Wants says so; v is the simulator's again when
// that Second returns.
type Witness interface {
	Asker
	See(v View)
}

// View is the plant at the end of a second.
type View struct {
	At    int     // the second that has ended
	Rate  float64 // the true rate of the second that begins, in requests of the mean demand
	Tasks []TaskView
	// Responses are the times from a request's way to its task until the
	// answer, in seconds, of what was answered since the last View.
	Responses []float64
}

// TaskView is one task.
type TaskView struct {
	Number         int     // its name
	Ordered, Ready float64 // when it was ordered, when it takes requests
	Serving        bool    // Ready has come
	Draining       bool
	CPU            float64 // vCPU-seconds in the second
	InFlight       int
}

// account gathers what a second's reading tells. A stall makes a reading cover
// more than one second.
type account struct {
	wants     Wants
	witness   Witness
	second    counts // of the current second
	unread    counts // since the last reading
	latencies []float64
	responses []float64
	ones      []uint64
	view      []TaskView
}

type counts struct {
	seconds, arrivals, completed, failed, late int
	refused                                    int     // by the balancer
	cpu, cost                                  float64 // of tasks that have ended
}

func (c *counts) add(o counts) {
	c.seconds += o.seconds
	c.arrivals += o.arrivals
	c.completed += o.completed
	c.failed += o.failed
}

func newAccount(s Scaler) account {
	var a account
	if asker, ok := s.(Asker); ok {
		a.wants = asker.Wants()
	}
	if w, ok := s.(Witness); ok && a.wants.View {
		a.witness = w
	}
	return a
}

// ended counts a task that goes.
func (p *plant) ended(t *task) {
	p.serve(t)
	p.account.second.cpu += t.used
	p.account.second.cost += p.now - max(t.ordered, p.begin)
}

// serve counts what the task has used until now.
func (p *plant) serve(t *task) {
	if t.serving {
		t.advance(p.now)
		return
	}
	t.used = p.cfg.StartCPU * t.vcpu * (p.now - max(t.ordered, p.begin))
}

// close ends a second: counts it, scales, and lets crash what crashes.
func (p *plant) close(i int, rate float64) {
	a := &p.account
	p.turnAway()
	sec := p.tally(rate)
	f := &p.cfg.Faults
	desired, reason := p.desired, ""
	switch {
	case f.stalled(i):
	case chance(p.chance, f.LostSeconds):
		p.read()
	default:
		if a.witness != nil {
			a.witness.See(p.look(i))
		}
		s := p.read()
		s.At = f.stamp(p.cfg.Begin, i)
		desired, reason = p.cfg.Scaler.Second(s)
		desired = max(desired, 0)
		p.admit()
	}
	sec.Desired = desired
	p.out.Seconds = append(p.out.Seconds, sec)
	p.scale(i, desired, reason)
	p.crash()
}

// tally returns the second as the result shows it, and adds it to what has not
// been read.
func (p *plant) tally(rate float64) Second {
	c := &p.account.second
	s := Second{
		Rate: rate, Queued: len(p.balancer.waiting()), Completed: c.completed, Late: c.late, Failed: c.failed + c.refused,
		CPU: c.cpu, TaskSeconds: c.cost,
	}
	for _, t := range p.tasks {
		p.serve(t)
		p.plan(t)
		s.CPU += t.used
		t.unread += t.used
		t.last, t.used = t.used, 0
		s.TaskSeconds += p.now - max(t.ordered, p.begin)
		s.InFlight += len(t.jobs)
		switch {
		case t.draining:
			s.Drained++
		case t.serving:
			s.Running++
		default:
			s.Starting++
		}
	}
	p.out.TaskSeconds += s.TaskSeconds
	c.seconds = 1
	p.account.unread.add(*c)
	*c = counts{}
	p.begin = p.now // all is counted until now
	return s
}

// look shows the tasks.
func (p *plant) look(i int) View {
	a := &p.account
	a.view = a.view[:0]
	for _, t := range p.tasks {
		a.view = append(a.view, TaskView{
			Number: t.number, Ordered: t.ordered, Ready: t.ready, Serving: t.serving, Draining: t.draining,
			CPU: t.last, InFlight: len(t.jobs),
		})
	}
	v := View{At: i, Tasks: a.view, Responses: a.responses}
	if i+1 < len(p.cfg.Rates) {
		v.Rate = p.cfg.Rates[i+1] * p.cfg.Faults.drift(i+1)
	}
	return v
}

// read creates the second as the autoscaler gets it.
func (p *plant) read() model.ServiceSecond {
	c := p.account.unread
	p.account.unread = counts{}
	interval := time.Duration(c.seconds) * time.Second
	s := model.ServiceSecond{
		Interval: interval, Balanced: true,
		CPUPerTask:    time.Duration(p.cfg.TaskVCPU * float64(interval)),
		MemoryPerTask: p.cfg.MemoryPerTask,
		Arrivals:      c.arrivals, Completed: c.completed, Fails: c.failed, Queued: len(p.balancer.waiting()),
	}
	var cpu float64 // of those that can still be read: what has ended cannot
	for _, t := range p.tasks {
		s.InFlight += len(t.jobs)
		switch {
		case t.draining:
			s.Draining++
		case t.serving:
			s.Running++
		default:
			s.Starting++
		}
		// A reading is the difference of two: a task has none in its first second.
		known := t.ordered < p.now-float64(c.seconds) || t.number < p.cfg.Initial
		if known && !chance(p.chance, p.cfg.Faults.LostSamples) {
			s.Sampled++
			cpu += t.unread
			s.Memory += p.cfg.MemoryIdle + int64(len(t.jobs))*p.cfg.MemoryPerRequest
		}
		t.unread = 0
	}
	s.CPU = time.Duration(cpu * float64(time.Second))
	p.account.responses = p.account.responses[:0]
	if p.account.wants.Latency {
		s.Latency = p.account.distribution()
	}
	if p.cfg.Unbalanced {
		s.Balanced, s.Latency = false, model.Buckets{}
		s.Arrivals, s.Completed, s.Fails, s.InFlight, s.Queued = 0, 0, 0, 0, 0
	}
	return s
}

// distribution returns the latencies since the last reading as they were, each
// once, and forgets them.
func (a *account) distribution() model.Buckets {
	slices.Sort(a.latencies)
	for len(a.ones) < len(a.latencies) {
		a.ones = append(a.ones, 1)
	}
	b := model.Buckets{Values: a.latencies, Counts: a.ones[:len(a.latencies)]}
	for _, v := range a.latencies {
		b.Sum += v
	}
	a.latencies = a.latencies[:0]
	return b
}
