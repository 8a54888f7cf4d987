package sim

import (
	"math"
	"testing"
)

func TestExponentialIsExact(t *testing.T) {
	e := newExponential()
	for x := -50.0; x < 50; x += 0.0137 {
		if got, want := e.of(x), math.Exp(x); math.Abs(got-want) > 1e-13*want {
			t.Fatalf("e^%v = %v, want %v", x, got, want)
		}
	}
	if got := e.of(-2000); got != 0 {
		t.Errorf("e^-2000 = %v, want 0", got)
	}
}

func TestDemandHasItsMoments(t *testing.T) {
	for _, cv := range []float64{0, 0.2, 1} {
		a := newArrivals(Config{Seed: 1, Demand: 100e6, CV: cv})
		const n = 400_000
		var sum, squares float64
		for range n {
			d := a.demand()
			sum += d
			squares += d * d
		}
		mean := sum / n
		sd := math.Sqrt(max(squares/n-mean*mean, 0))
		if math.Abs(mean-0.1) > 0.001 || math.Abs(sd/mean-cv) > 0.02*cv+1e-4 {
			t.Errorf("cv %v: mean %.4f, sd/mean %.4f", cv, mean, sd/mean)
		}
	}
}

func TestHistogramBuckets(t *testing.T) {
	for v := 1e-4; v < 1e5; v *= 1.0037 {
		if m := bucketMiddle(latencyBucket(v)); math.Abs(m-v)/v > 0.008 {
			t.Fatalf("%v falls into the bucket around %v", v, m)
		}
	}
	var h Histogram
	if !math.IsNaN(h.Percentile(50)) {
		t.Error("a percentile of nothing")
	}
	for i := 1; i <= 100; i++ {
		h.add(float64(i))
	}
	for _, p := range []float64{1, 50, 99, 100} {
		if got := h.Percentile(p); math.Abs(got-p)/p > 0.008 {
			t.Errorf("p%v of 1…100 is %v", p, got)
		}
	}
	h.add(0)
	h.add(1e12)
	if h.Count() != 102 {
		t.Errorf("%d counted", h.Count())
	}
}
