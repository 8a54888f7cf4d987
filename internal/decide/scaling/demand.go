package scaling

import (
	"math"
	"time"
)

// Demand is what is learned of a service's work: the CPU of one request, the
// CPU of an idle task, and how much the work varies.
type Demand struct {
	CPU, Completed float64 // decaying sums: CPU-seconds of requests, and requests
	Idle           float64 // CPU-seconds per second of a task without requests
	IdleKnown      bool
	Response       float64             // seconds a request takes while the service is not busy; 0: unknown
	Counts         Spread              // of arrivals per second
	Work           Spread              // of CPU per block of seconds
	Waiting        [waitingSeconds]int // requests in flight and queued, newest first
	InFlight       int                 // a second ago
	BlockCPU       time.Duration
	BlockSpan      time.Duration
	BlockBlurred   bool
}

// Time constants of the learning, in seconds.
const (
	requestMemory  = 30.0
	idleMemory     = 30.0
	responseMemory = 60.0
	blockSpan      = 8 * time.Second
)

// piledUp is how much the requests in flight may change beside those answered:
// while they pile up on busy tasks much is worked on and little finished, and
// the other way round later.
const piledUp = 0.1

// waitingSeconds is how long requests must have waited to count as callers who
// wait for their answers.
const waitingSeconds = 5

// learn takes one second in.
func (d Demand) learn(s second) Demand {
	dt := s.Interval.Seconds()
	copy(d.Waiting[1:], d.Waiting[:waitingSeconds-1])
	d.Waiting[0] = s.InFlight + s.Queued
	if s.Balanced {
		d.Counts = d.Counts.add(float64(s.Arrivals)/dt, dt)
	}
	d = d.learnBlock(s)
	piled := s.InFlight - d.InFlight
	d.InFlight = s.InFlight
	if s.contaminated() || s.Running == 0 {
		return d
	}
	quiet := s.Balanced && s.Arrivals == 0 && s.Completed == 0 && s.InFlight == 0 && s.Queued == 0
	if quiet && s.young > 0 {
		return d // busy with its start, which is no idling
	}
	if quiet {
		idle := s.CPU.Seconds() / dt / float64(s.Running)
		if !d.IdleKnown {
			d.Idle, d.IdleKnown = idle, true
		}
		d.Idle += (idle - d.Idle) * min(1, dt/idleMemory)
		return d
	}
	if !s.Balanced {
		return d
	}
	busy := s.CPU.Seconds() / (float64(s.Running) * s.CPUPerTask.Seconds())
	if busy < 0.9 || d.Completed < 3 || math.Abs(float64(piled)) <= piledUp*float64(s.Completed) {
		fade := math.Exp(-dt / requestMemory)
		d.CPU = d.CPU*fade + max(0, s.serving().Seconds()-d.Idle*float64(s.Running)*dt)
		d.Completed = d.Completed*fade + float64(s.Completed)
	}
	if s.Completed > 0 && busy < 0.8 {
		r := float64(s.InFlight+s.Queued) * dt / float64(s.Completed)
		if d.Response == 0 {
			d.Response = r
		}
		d.Response += (r - d.Response) * min(1, dt/responseMemory)
	}
	return d
}

// learnBlock follows the spread of the CPU over blocks of seconds.
func (d Demand) learnBlock(s second) Demand {
	d.BlockCPU += s.CPU
	d.BlockSpan += s.Interval
	d.BlockBlurred = d.BlockBlurred || s.contaminated()
	if d.BlockSpan < blockSpan {
		return d
	}
	if d.BlockBlurred {
		d.Work.Apart = true
	} else {
		d.Work = d.Work.add(ratio(d.BlockCPU, d.BlockSpan), d.BlockSpan.Seconds())
	}
	d.BlockCPU, d.BlockSpan, d.BlockBlurred = 0, 0, false
	return d
}

// perRequest is the CPU-seconds of one request; 0 when not known.
func (d Demand) perRequest() float64 {
	if d.Completed < 3 {
		return 0
	}
	return d.CPU / d.Completed
}

// countGrain is the variance of arrivals over their mean: 1 for Poisson.
func (d Demand) countGrain() float64 { return max(1, d.Counts.ratio(1, 20)) }

// workGrain is the variance of CPU over its mean: the CPU-seconds that come as
// one piece.
func (d Demand) workGrain(cores float64) float64 {
	prior := 0.1 * min(1, cores)
	if s := d.perRequest(); s > 0 {
		prior = s * d.countGrain()
		return max(prior, d.Work.ratio(prior, 8))
	}
	return max(0.02*prior, d.Work.ratio(prior, 8))
}

// Spread estimates variance over mean from the differences of neighbours, so
// that slow changes of the mean do not count as spread.
type Spread struct {
	N         float64 // values seen, up to the memory
	Last      float64
	Apart     bool // Last is no neighbour of the next value
	Mean, Var float64
}

// spreadMemory is how many values count.
const spreadMemory = 64

// add takes a rate measured over span seconds.
func (sp Spread) add(rate, span float64) Spread {
	if sp.N == 0 || sp.Apart {
		sp.Last, sp.Apart = rate, false
		sp.N = max(sp.N, 1)
		return sp
	}
	v := (rate - sp.Last) * (rate - sp.Last) / 2 * span
	if sp.N > 8 { // a step of the load is no spread
		v = min(v, 9*sp.Var+1e-9)
	}
	w := 1 / sp.N
	sp.Var += (v - sp.Var) * w
	sp.Mean += ((rate+sp.Last)/2 - sp.Mean) * w
	sp.Last = rate
	sp.N = min(sp.N+1, spreadMemory)
	return sp
}

// ratio is variance over mean, drawn to prior as if that had been seen weight
// times.
func (sp Spread) ratio(prior, weight float64) float64 {
	if sp.N < 2 || sp.Mean <= 0 {
		return prior
	}
	n := sp.N - 1
	return (sp.Var/sp.Mean*n + prior*weight) / (n + weight)
}
