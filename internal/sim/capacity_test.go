package sim_test

import (
	"math"
	"testing"
	"time"

	"neargate/internal/sim"
)

// TestCapacityMatchesTheTable compares the highest utilisation with p99 within
// the SLO with independently simulated values: 100 ms, cv 0.2, one vCPU.
func TestCapacityMatchesTheTable(t *testing.T) {
	for _, row := range []struct {
		tasks, perTask int
		slo            time.Duration
		want           float64
	}{
		{2, 0, 500 * time.Millisecond, 0.59},
		{8, 0, 300 * time.Millisecond, 0.74},
		{20, 0, 500 * time.Millisecond, 0.93},
		{4, 1, 500 * time.Millisecond, 0.86},
	} {
		cfg := sim.Config{Seed: 8, Demand: 100 * time.Millisecond, CV: 0.2, TaskVCPU: 1, PerTask: row.perTask, SLO: row.slo}
		rate, err := sim.MaxRate(cfg, 99, row.tasks)
		if err != nil {
			t.Fatal(err)
		}
		if got := rate * 0.1 / float64(row.tasks); math.Abs(got-row.want) > 0.02 {
			t.Errorf("%d tasks, %d at once, p99 ≤ %v: utilisation %.3f, want %.2f ± 0.02", row.tasks, row.perTask, row.slo, got, row.want)
		}
	}
}

func TestCapacityNeed(t *testing.T) {
	c := sim.Capacity{Rates: []float64{0, 2, 10, 30}}
	for rate, want := range map[float64]int{0: 0, 1: 1, 2: 1, 2.1: 2, 30: 3, 100: 3} {
		if got := c.Need(rate); got != want {
			t.Errorf("rate %v needs %d, want %d", rate, got, want)
		}
	}
}

func TestCapacityRefuses(t *testing.T) {
	good := sim.Config{Demand: time.Second, TaskVCPU: 1, SLO: time.Second}
	bad := good
	bad.SLO = 0
	if _, err := sim.NewCapacity(bad, 99, 2); err == nil {
		t.Error("no SLO is taken")
	}
	if _, err := sim.NewCapacity(good, 100, 2); err == nil {
		t.Error("percentile 100 is taken")
	}
	if _, err := sim.NewCapacity(good, 99, 0); err == nil {
		t.Error("no tasks are taken")
	}
}

// TestCapacityGrows: more tasks carry more, each at no lower utilisation, and
// of short requests hardly any can be late.
func TestCapacityGrows(t *testing.T) {
	c, err := sim.NewCapacity(sim.Config{Seed: 1, Demand: 100 * time.Millisecond, CV: 0.2, TaskVCPU: 1, SLO: 500 * time.Millisecond}, 99, 4)
	if err != nil {
		t.Fatal(err)
	}
	for n := 1; n < len(c.Rates); n++ {
		if c.Rates[n]/float64(n) < c.Rates[max(n-1, 1)]/float64(max(n-1, 1))-1e-9 || c.Need(c.Rates[n]) != n {
			t.Errorf("rates %v", c.Rates)
		}
	}
}
