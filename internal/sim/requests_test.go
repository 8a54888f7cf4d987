package sim_test

import (
	"testing"
	"time"

	"neargate/internal/model"
	"neargate/internal/sim"
)

// counter keeps the arrivals of each second, and two tasks.
type counter []int

func (c *counter) Second(s model.ServiceSecond) (int, string) {
	*c = append(*c, s.Arrivals)
	return 2, ""
}

// TestRequestsAreThoseOfTheRun counts them by the second, against what the
// run's scaler is told.
func TestRequestsAreThoseOfTheRun(t *testing.T) {
	var seen counter
	cfg := sim.Config{Seed: 5, Rates: []float64{3, 0, 40, 7, 12}, Demand: 10 * time.Millisecond, CV: 1, TaskVCPU: 1, Initial: 2, Scaler: &seen}
	r := run(t, cfg)
	at := sim.Requests(cfg)
	if len(at) != r.Requests {
		t.Fatalf("%d requests, the run has %d", len(at), r.Requests)
	}
	counts := make([]int, len(cfg.Rates))
	for _, x := range at {
		counts[int(x)]++
	}
	for i, n := range seen {
		if counts[i] != n {
			t.Errorf("second %d: %d requests, the run has %d", i, counts[i], n)
		}
	}
}
