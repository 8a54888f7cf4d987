package sim

import "math"

// Histogram counts latencies. A latency falls into a bucket by its binary
// exponent and the histogramBits bits after it: buckets are 0.8 to 1.6 % wide.
// The zero value is empty.
type Histogram struct {
	counts [histogramBuckets]uint32
	total  int
}

const (
	histogramBits    = 6
	histogramLeast   = -14 // exponent: what is shorter than 61 µs counts as that
	histogramOctaves = 32  // up to 73 hours
	histogramBuckets = histogramOctaves << histogramBits
)

func (h *Histogram) add(seconds float64) {
	h.counts[latencyBucket(seconds)]++
	h.total++
}

func latencyBucket(seconds float64) int {
	const shift = 52 - histogramBits
	const first = (1023 + histogramLeast) << histogramBits
	return min(max(int(math.Float64bits(seconds)>>shift)-first, 0), histogramBuckets-1)
}

// bucketMiddle is the middle of a bucket in seconds.
func bucketMiddle(i int) float64 {
	octave, within := i>>histogramBits, i&(1<<histogramBits-1)
	return math.Ldexp(1+(float64(within)+0.5)/(1<<histogramBits), histogramLeast+octave)
}

// Count is how many latencies were counted.
func (h *Histogram) Count() int { return h.total }

// Percentile returns the nearest-rank percentile in seconds, within 1 %, and NaN
// when nothing was counted.
func (h *Histogram) Percentile(p float64) float64 {
	if h.total == 0 {
		return math.NaN()
	}
	rank := max(int(math.Ceil(p/100*float64(h.total))), 1)
	for i, c := range h.counts {
		if rank -= int(c); rank <= 0 {
			return bucketMiddle(i)
		}
	}
	return math.NaN()
}

func (h *Histogram) join(o *Histogram) {
	for i, n := range o.counts {
		h.counts[i] += n
	}
	h.total += o.total
}
