package simulate

import (
	"math"
	"slices"

	"neargate/internal/model"
	"neargate/internal/sim"
)

// recorder notes what each second's latencies were, on the way to a scaler.
type recorder struct {
	sim.Scaler
	p50, p99 []float64 // of each second, in seconds; NaN without an answer

	width  int       // seconds of a point
	points []float64 // p99 of each width seconds
	since  []float64 // latencies since the last point
}

// Wants is an Asker's: what the scaler wants, and latencies.
func (r *recorder) Wants() sim.Wants {
	var w sim.Wants
	if a, ok := r.Scaler.(sim.Asker); ok {
		w = a.Wants()
	}
	w.Latency = true
	return w
}

// See is a Witness's.
func (r *recorder) See(v sim.View) {
	if w, ok := r.Scaler.(sim.Witness); ok {
		w.See(v)
	}
}

// PerTask is an Admitter's: any number for a scaler that is none.
func (r *recorder) PerTask() int {
	if a, ok := r.Scaler.(sim.Admitter); ok {
		return a.PerTask()
	}
	return 0
}

// Second is a Scaler's.
func (r *recorder) Second(s model.ServiceSecond) (desired int, reason string) {
	r.p50 = append(r.p50, percentile(s.Latency, 50))
	r.p99 = append(r.p99, percentile(s.Latency, 99))
	r.since = append(r.since, s.Latency.Values...)
	if len(r.p99)%r.width == 0 {
		r.point()
	}
	return r.Scaler.Second(s)
}

// point ends the seconds of a point.
func (r *recorder) point() {
	slices.Sort(r.since)
	p99 := math.NaN()
	if n := len(r.since); n > 0 {
		p99 = r.since[int(math.Ceil(0.99*float64(n)))-1]
	}
	r.points = append(r.points, p99)
	r.since = r.since[:0]
}

// end returns the points, also of a last one that is shorter.
func (r *recorder) end() []float64 {
	if len(r.p99)%r.width != 0 {
		r.point()
	}
	return r.points
}

// percentile is the nearest rank's, NaN of nothing. The values rise.
func percentile(b model.Buckets, p float64) float64 {
	var total uint64
	for _, c := range b.Counts {
		total += c
	}
	rank := uint64(math.Ceil(p / 100 * float64(total)))
	for i, c := range b.Counts {
		if c >= rank && rank > 0 {
			return b.Values[i]
		}
		rank -= min(c, rank)
	}
	return math.NaN()
}
