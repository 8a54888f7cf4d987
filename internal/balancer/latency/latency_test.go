package latency

import (
	"math"
	"testing"
	"time"
)

func TestHistogramBuckets(t *testing.T) {
	s := NewScale()
	for i := 1; i < len(s.values); i++ {
		if ratio := s.values[i] / s.values[i-1]; ratio <= 1 || ratio > 1.02 {
			t.Fatalf("buckets %d and %d are apart by %v", i-1, i, ratio)
		}
	}
	for _, d := range []time.Duration{20 * time.Microsecond, time.Millisecond, 33 * time.Millisecond, time.Second, time.Minute} {
		got := s.values[bucket(uint64(d))]
		if off := math.Abs(got-d.Seconds()) / d.Seconds(); off > 0.01 {
			t.Errorf("%v counts at %v s", d, got)
		}
	}
	var h Histogram
	h.Observe(-time.Second)
	h.Observe(time.Second)
	h.Observe(24 * time.Hour)
	b := h.Read(s)
	if b.Counts[0] != 1 || b.Counts[len(b.Counts)-1] != 1 || b.Sum != 86401 {
		t.Errorf("outliers: first %d, last %d, sum %v", b.Counts[0], b.Counts[len(b.Counts)-1], b.Sum)
	}
}
