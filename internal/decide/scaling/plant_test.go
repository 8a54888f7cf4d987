package scaling

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"time"

	"neargate/internal/model"
)

// plant is a service in virtual time: Poisson arrivals, tasks that share their
// work evenly, a start delay. One step is one second.
type plant struct {
	rng         *rand.Rand
	each, cv    float64 // CPU-seconds of a request
	cores       float64
	start       int // seconds
	idle        float64
	boot        float64 // part of its quota that a starting task uses
	warmUp      int     // seconds in which a task that serves still uses what requests leave of its quota
	warming     []int   // seconds to go, of each
	users       int     // closed loop instead of a rate
	stalled     bool    // nothing arrives; what should have comes when the stall is over
	held        int     // by a stall
	unbalanced  bool
	even        bool // arrivals come evenly, not by chance
	due         float64
	delay       int // seconds until what happened in a second is known
	unknown     []model.ServiceSecond
	running     int
	starting    []int // seconds to go
	work        float64
	waiting     int
	done        float64
	now         time.Time
	state       State
	cfg         Config
	desired     int
	deploying   bool
	lost        bool // this second's data are lost
	actions     int
	trace       []string
	taskSeconds float64
	last        Decision
	record      []recorded
	keep        bool
	restarts    bool // the state is written and read back each second
}

type recorded struct {
	obs Observation
	now time.Time
	d   Decision
}

func newPlant(seed uint64, cfg Config, tasks int) *plant {
	return &plant{
		rng: rand.New(rand.NewPCG(seed, 1)), each: 0.1, cv: 0.2, cores: 1, start: 10,
		running: tasks, desired: tasks, cfg: cfg,
		now: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC),
	}
}

func cpuPolicy(target float64) Policy {
	return Policy{Name: "cpu", Metric: CPU, Target: target, ScaleOut: 30 * time.Second, ScaleIn: 30 * time.Second}
}

func live(minimum, maximum int, policies ...Policy) Config {
	return Config{Min: minimum, Max: maximum, Timing: Live, Policies: policies}
}

func (p *plant) poisson(mean float64) int {
	if mean > 30 {
		return max(0, int(math.Round(mean+math.Sqrt(mean)*p.rng.NormFloat64())))
	}
	l, k, x := math.Exp(-mean), 0, p.rng.Float64()
	for x > l {
		x *= p.rng.Float64()
		k++
	}
	return k
}

// second lets one second pass at a rate of requests.
func (p *plant) second(rate float64) {
	p.now = p.now.Add(time.Second)
	begun := 0
	for i := range p.starting {
		p.starting[i]--
		if p.starting[i] <= 0 {
			begun++
		}
	}
	p.starting = p.starting[begun:]
	p.running += begun
	for range begun {
		p.warming = append(p.warming, p.warmUp)
	}
	warm := 0
	for i := range p.warming {
		if p.warming[i]--; p.warming[i] >= 0 {
			warm++
		}
	}
	arrivals := p.poisson(rate)
	if p.even {
		p.due += rate
		arrivals = int(p.due)
		p.due -= float64(arrivals)
	}
	if p.users > 0 {
		arrivals = max(0, p.users-p.waiting)
	}
	if p.held += arrivals; p.stalled {
		arrivals = 0
	} else {
		arrivals, p.held = p.held, 0
	}
	p.waiting += arrivals
	p.work += float64(arrivals)*p.each + math.Sqrt(float64(arrivals))*p.each*p.cv*p.rng.NormFloat64()
	p.work = max(p.work, 0)
	served := min(p.work, max(0, float64(p.running)*(p.cores-p.idle)))
	p.work -= served
	p.done += served / p.each
	completed := min(int(p.done), p.waiting)
	if p.work < 1e-9 {
		completed = p.waiting
		p.done = 0
	}
	p.done = max(0, p.done-float64(completed))
	p.waiting -= completed
	cpu := served + p.idle*float64(p.running) + p.boot*p.cores*float64(len(p.starting))
	cpu += min(float64(warm)*p.cores, max(0, float64(p.running)*p.cores-cpu))
	inFlight := p.waiting + int(rate*p.each/p.cores)
	if !p.even {
		inFlight = p.waiting + p.poisson(rate*p.each/p.cores)
	}
	p.taskSeconds += float64(p.running + len(p.starting))
	took := p.each / min(p.cores, 1) * (1 + float64(inFlight)/float64(max(p.running, 1)))
	p.decide(model.ServiceSecond{
		Latency: model.Buckets{Values: []float64{took}, Counts: []uint64{uint64(completed)}},
		At:      p.now, Running: p.running, Starting: len(p.starting), Sampled: p.running + len(p.starting),
		CPU:        time.Duration(cpu * float64(time.Second)),
		CPUPerTask: time.Duration(p.cores * float64(time.Second)),
		Balanced:   true, Arrivals: arrivals, Completed: completed, InFlight: inFlight, Interval: time.Second,
	})
}

func (p *plant) decide(s model.ServiceSecond) {
	if p.unbalanced {
		s.Balanced, s.Arrivals, s.Completed, s.InFlight = false, 0, 0, 0
	}
	p.unknown = append(p.unknown, s)
	if len(p.unknown) <= p.delay {
		return
	}
	s, p.unknown = p.unknown[0], p.unknown[1:]
	obs := Observation{Second: s, Measured: !p.lost, Desired: p.desired, Deploying: p.deploying}
	var d Decision
	if p.restarts {
		p.state = writtenAndRead(p.state)
	}
	d, p.state = Decide(p.cfg, p.state, obs, p.now)
	if p.keep {
		p.record = append(p.record, recorded{obs, p.now, d})
	}
	p.last = d
	if d.Desired == p.desired {
		return
	}
	p.actions++
	p.trace = append(p.trace, fmt.Sprintf("%6ds %2d -> %2d  %s", int(p.now.Sub(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)).Seconds()), p.desired, d.Desired, d.Reason))
	for d.Desired > p.running+len(p.starting) {
		p.starting = append(p.starting, p.start)
	}
	if over := p.running + len(p.starting) - d.Desired; over > 0 {
		cut := min(over, len(p.starting))
		p.starting = p.starting[:len(p.starting)-cut]
		p.running -= over - cut
	}
	p.desired = d.Desired
}

// writtenAndRead is a state after a restart of the server.
func writtenAndRead(st State) State {
	kept, err := json.Marshal(st)
	if err != nil {
		panic(err)
	}
	var again State
	if err := json.Unmarshal(kept, &again); err != nil {
		panic(err)
	}
	return again
}

func (p *plant) run(seconds int, rate func(t int) float64) {
	for t := range seconds {
		p.second(rate(t))
	}
}

// stall holds up the arrivals of some seconds and lets them come in the next.
func (p *plant) stall(seconds int, rate float64) {
	p.stalled = true
	p.run(seconds, constant(rate))
	p.stalled = false
	p.second(rate)
}

func constant(rate float64) func(int) float64 { return func(int) float64 { return rate } }

func (p *plant) text() string { return strings.Join(p.trace, "\n") + "\n" }
