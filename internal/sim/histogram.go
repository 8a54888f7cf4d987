package sim

import "math"

// Histogram counts latencies in buckets 1 % apart. The zero value is empty.
type Histogram struct {
	counts [histogramBuckets]uint32
	total  int
}

const (
	histogramLeast   = 1e-4 // seconds; what is shorter counts as this
	histogramStep    = 1.01
	histogramBuckets = 1900 // up to about 16,000 s
)

var histogramLog = math.Log(histogramStep)

func (h *Histogram) add(seconds float64) {
	i := 0
	if seconds > histogramLeast {
		i = min(int(math.Log(seconds/histogramLeast)/histogramLog), histogramBuckets-1)
	}
	h.counts[i]++
	h.total++
}

// Percentile gives the nearest-rank percentile in seconds, within 1 %, and NaN
// when nothing was counted.
func (h *Histogram) Percentile(p float64) float64 {
	if h.total == 0 {
		return math.NaN()
	}
	rank := max(int(math.Ceil(p/100*float64(h.total))), 1)
	for i, c := range h.counts {
		if rank -= int(c); rank <= 0 {
			return histogramLeast * math.Pow(histogramStep, float64(i)+0.5)
		}
	}
	return math.NaN()
}
