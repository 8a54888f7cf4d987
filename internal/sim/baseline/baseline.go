// Package baseline has the autoscalers of others, and the limits of all, as
// scalers of the simulator: what the server's decisions are compared with.
//
// Each follows its source's algorithm and constants, named where it stands.
// What a source leaves to its environment (how old a metric is) is modelled as
// said there. A scaler is made for one run.
package baseline

import (
	"fmt"

	"neargate/internal/model"
	"neargate/internal/sim"
)

// Setting is what a service's autoscaler is told.
type Setting struct {
	Min, Max int     // bounds of the count
	Initial  int     // the count at the beginning
	Target   float64 // utilisation of a task's CPU, percent
	VCPU     float64 // one task's CPU
}

// scaler is what the baselines have in common.
type scaler struct {
	Setting
	desired int
	view    sim.View
}

func newScaler(s Setting) scaler { return scaler{Setting: s, desired: s.Initial} }

// Wants is an Asker's.
func (s *scaler) Wants() sim.Wants { return sim.Wants{View: true} }

// See is a Witness's.
func (s *scaler) See(v sim.View) { s.view = v }

// second is the time of the decision, in seconds from the start.
func (s *scaler) second() int { return s.view.At + 1 }

// want orders n tasks within the bounds.
func (s *scaler) want(n int, format string, args ...any) (int, string) {
	n = min(max(n, s.Min), s.Max)
	if n == s.desired {
		return n, ""
	}
	s.desired = n
	return n, fmt.Sprintf(format, args...)
}

func (s *scaler) keep() (int, string) { return s.desired, "" }

// serving counts the tasks that serve, and the CPU they used in the second.
func (s *scaler) serving() (n int, cpu float64) {
	for _, t := range s.view.Tasks {
		if t.Serving && !t.Draining {
			n++
			cpu += t.CPU
		}
	}
	return n, cpu
}

// window holds the last values of a signal, one a second.
type window struct {
	values []float64
	next   int
	n      int
}

func newWindow(seconds int) window { return window{values: make([]float64, seconds)} }

func (w *window) add(v float64) {
	w.values[w.next] = v
	w.next = (w.next + 1) % len(w.values)
	w.n = min(w.n+1, len(w.values))
}

// mean is that of the values there are, 0 of none.
func (w *window) mean() float64 {
	var sum float64
	for i := range w.n {
		sum += w.values[i]
	}
	return sum / float64(max(w.n, 1))
}

func (w *window) max() float64 {
	var top float64
	for i := range w.n {
		top = max(top, w.values[i])
	}
	return top
}

// Fixed always wants the same count.
type Fixed int

// Second is a Scaler's.
func (f Fixed) Second(model.ServiceSecond) (int, string) { return int(f), "fixed" }
