package simulate

import (
	"math"

	"neargate/internal/model"
	"neargate/internal/sim"
)

// recorder notes what each second's latencies were, on the way to a scaler.
type recorder struct {
	sim.Scaler
	p50, p99 []float64 // seconds, NaN without an answer
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

// Second is a Scaler's.
func (r *recorder) Second(s model.ServiceSecond) (desired int, reason string) {
	r.p50 = append(r.p50, percentile(s.Latency, 50))
	r.p99 = append(r.p99, percentile(s.Latency, 99))
	return r.Scaler.Second(s)
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
