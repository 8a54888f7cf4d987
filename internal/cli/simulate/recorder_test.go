package simulate

import (
	"reflect"
	"slices"
	"testing"
	"time"

	"neargate/internal/decide/scaling"
	"neargate/internal/sim"
)

// A scaler decides the same with a recorder before it: the count, and what
// waits at the balancer.
func TestRecorderChangesNothing(t *testing.T) {
	rates := slices.Concat(slices.Repeat([]float64{10}, 120), slices.Repeat([]float64{80}, 120))
	run := func(around func(sim.Scaler) sim.Scaler) sim.Result {
		live := sim.NewDecider(scaling.Config{Min: 2, Max: 20, Timing: scaling.Live, Policies: []scaling.Policy{
			{Name: "cpu", Metric: scaling.CPU, Target: 50},
		}}, 2)
		r, err := sim.Run(sim.Config{
			Seed: 1, Rates: rates, Demand: 100 * time.Millisecond, CV: 0.2, TaskVCPU: 1, Start: 10 * time.Second, Initial: 2, Scaler: around(live),
		})
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	alone := run(func(s sim.Scaler) sim.Scaler { return s })
	recorded := run(func(s sim.Scaler) sim.Scaler { return &recorder{Scaler: s, width: 1} })
	if !slices.ContainsFunc(alone.Seconds, func(s sim.Second) bool { return s.Queued > 0 }) {
		t.Fatal("the load is no overload: nothing waited at the balancer")
	}
	if !reflect.DeepEqual(alone, recorded) {
		t.Errorf("alone p99 %.2f s in %d orders, recorded %.2f s in %d", alone.Latencies.Percentile(99), len(alone.Orders), recorded.Latencies.Percentile(99), len(recorded.Orders))
	}
}
