// Package measure says how well a scaler did in a run of the simulator: the
// elasticity metrics of the SPEC RG Cloud Group (Herbst et al., "Ready for
// Rain?", SPEC-RG-2016-01), what users saw, what it cost, and how far that is
// from the limits no scaler can beat.
//
// It is pure.
package measure

import (
	"math"

	"neargate/internal/sim"
)

// Measures are of one run. Shares are in percent, latencies in seconds.
type Measures struct {
	// Elasticity. Accuracy is the mean of what is missing (under) or too much
	// (over) in percent of the need; the shares are of time; Instability is
	// the share of seconds in which supply and need move differently.
	UnderAccuracy, OverAccuracy float64 // θ_U, θ_O
	UnderShare, OverShare       float64 // τ_U, τ_O
	Instability                 float64 // υ

	// Users.
	Requests, Failed int
	LatePercent      float64 // requests that broke the SLO
	LateWindows      float64 // windows of 10 seconds whose p99 broke it
	P50, P99, P999   float64

	// Cost.
	TaskSeconds    float64
	Actions        int
	ActionsPerHour float64
}

// Window is the length of the windows of LateWindows, in seconds.
const Window = 10

// Of measures a run against the need of each of its seconds.
func Of(r sim.Result, need []int) Measures {
	m := Measures{
		Requests: r.Requests, Failed: r.Failed, LatePercent: r.LatePercent(), LateWindows: lateWindows(r.Seconds),
		P50: r.Latencies.Percentile(50), P99: r.Latencies.Percentile(99), P999: r.Latencies.Percentile(99.9),
		TaskSeconds: r.TaskSeconds, Actions: len(r.Orders),
	}
	if n := len(r.Seconds); n > 0 {
		m.ActionsPerHour = float64(m.Actions) / float64(n) * 3600
	}
	m.elasticity(r.Seconds, need)
	return m
}

// elasticity compares supply, the tasks that served during a second, with need.
func (m *Measures) elasticity(seconds []sim.Second, need []int) {
	n := min(len(seconds), len(need))
	if n == 0 {
		return
	}
	var moves float64
	for i := range n {
		s, d := seconds[i].Running, need[i]
		part := 100 * float64(s-d) / float64(max(d, 1))
		switch {
		case s < d:
			m.UnderAccuracy -= part
			m.UnderShare += 100
		case s > d:
			m.OverAccuracy += part
			m.OverShare += 100
		}
		if i > 0 && sign(s-seconds[i-1].Running) != sign(d-need[i-1]) {
			moves += 100
		}
	}
	for _, v := range []*float64{&m.UnderAccuracy, &m.OverAccuracy, &m.UnderShare, &m.OverShare} {
		*v /= float64(n)
	}
	if n > 1 {
		m.Instability = moves / float64(n-1)
	}
}

// Deviation is the elastic deviation from the ideal scaler, which has 0: the
// p-norm of the five elasticity metrics; 5 and 2 are usual for p.
func (m Measures) Deviation(p float64) float64 {
	var sum float64
	for _, v := range []float64{m.UnderAccuracy, m.OverAccuracy, m.UnderShare, m.OverShare, m.Instability} {
		sum += math.Pow(v, p)
	}
	return math.Pow(sum, 1/p)
}

// lateWindows is the share of windows in which more than one in a hundred
// requests was late; a window in which requests waited and none was answered
// counts as well.
func lateWindows(seconds []sim.Second) float64 {
	windows, late := 0, 0
	for i := 0; i+Window <= len(seconds); i += Window {
		var done, slow int
		for _, s := range seconds[i : i+Window] {
			done += s.Completed + s.Failed
			slow += s.Late + s.Failed
		}
		last := seconds[i+Window-1]
		windows++
		inTime := int(math.Ceil(0.99 * float64(done))) // rank of the p99
		if done-slow < inTime || done == 0 && last.InFlight+last.Queued > 0 {
			late++
		}
	}
	if windows == 0 {
		return 0
	}
	return 100 * float64(late) / float64(windows)
}

func sign(v int) int {
	switch {
	case v > 0:
		return 1
	case v < 0:
		return -1
	}
	return 0
}
