package balancer

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

// scale is the middle of each bucket in seconds, shared by all histograms.
type scale struct{ values []float64 }

func newScale() *scale {
	s := &scale{values: make([]float64, bucketCount)}
	for i := range s.values {
		octave := uint(lowBit + i/perOctave)
		width := uint64(1) << (octave - perBits)
		low := uint64(1)<<octave + uint64(i%perOctave)*width
		s.values[i] = (float64(low) + float64(width)/2) / 1e9
	}
	return s
}

// histogram counts response times. It is safe for concurrent use.
type histogram struct {
	counts [bucketCount]atomic.Uint64
	sum    atomic.Uint64 // ns
}

func (h *histogram) observe(d time.Duration) {
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

func (h *histogram) read(s *scale) model.Buckets {
	b := model.Buckets{Values: s.values, Counts: make([]uint64, bucketCount), Sum: float64(h.sum.Load()) / 1e9}
	for i := range h.counts {
		b.Counts[i] = h.counts[i].Load()
	}
	return b
}
