// Package latency counts response times in histograms that cost a request two
// atomic additions. Everything in it is safe for concurrent use.
package latency

import (
	"math/bits"
	"sync/atomic"
	"time"

	"neargate/internal/model"
)

// A response time falls into a bucket by the highest bit of its nanoseconds and
// the perBits bits after it: neighbouring buckets are 0.8 to 1.6 % apart. The
// first begins at 16 µs, the last ends at 73 minutes; what lies outside counts
// in the nearest.
const (
	lowBit, highBit = 14, 42 // 2^14 ns, 2^42 ns
	perBits         = 6
	perOctave       = 1 << perBits
	bucketCount     = (highBit - lowBit) * perOctave
)

// Scale is the middle of each bucket in seconds, shared by all histograms.
type Scale struct{ values []float64 }

// NewScale returns the scale of all histograms.
func NewScale() *Scale {
	s := &Scale{values: make([]float64, bucketCount)}
	for i := range s.values {
		octave := uint(lowBit + i/perOctave)
		width := uint64(1) << (octave - perBits)
		low := uint64(1)<<octave + uint64(i%perOctave)*width
		s.values[i] = (float64(low) + float64(width)/2) / 1e9
	}
	return s
}

// Histogram counts response times. The zero value is empty.
type Histogram struct {
	counts [bucketCount]atomic.Uint64
	sum    atomic.Uint64 // ns
}

// Observe counts one response time.
func (h *Histogram) Observe(d time.Duration) {
	ns := uint64(max(d, 0))
	h.sum.Add(ns)
	h.counts[bucket(ns)].Add(1)
}

func bucket(ns uint64) int {
	if ns < 1<<lowBit {
		return 0
	}
	octave := bits.Len64(ns) - 1
	if octave >= highBit {
		return bucketCount - 1
	}
	within := int(ns>>(octave-perBits)) & (perOctave - 1)
	return (octave-lowBit)*perOctave + within
}

// Read returns what was counted so far.
func (h *Histogram) Read(s *Scale) model.Buckets {
	b := model.Buckets{Values: s.values, Counts: make([]uint64, bucketCount), Sum: float64(h.sum.Load()) / 1e9}
	for i := range h.counts {
		b.Counts[i] = h.counts[i].Load()
	}
	return b
}
