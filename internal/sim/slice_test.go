package sim

import (
	"math"
	"testing"
	"time"

	"neargate/internal/model"
)

// ends drives a task with requests that all come at 0 and gives when each is
// served.
func ends(q Quota, vcpu float64, demands ...float64) []float64 {
	t := &task{vcpu: vcpu, serving: true, quota: newQuota(q, vcpu, 0, 0)}
	for i, d := range demands {
		t.add(0, float64(i), d)
	}
	out := make([]float64, len(demands))
	for len(t.jobs) > 0 {
		now := t.next()
		t.advance(now)
		if t.due() {
			out[int(t.finish().arrived)] = now
		}
	}
	return out
}

// turn is the slice of the cases by hand.
const turn = 10 * time.Millisecond

// TestSlicesByHand: two requests of 20 ms on one core take turns of 10 ms.
// Then with a quota of 25 ms in each 100 ms, whose end ends the turn as well.
func TestSlicesByHand(t *testing.T) {
	for _, row := range []struct {
		name    string
		quota   Quota
		vcpu    float64
		demands []float64
		want    []float64
	}{
		{"even sharing", Quota{Cores: 1}, 1, []float64{0.020, 0.020}, []float64{0.040, 0.040}},
		{"turns", Quota{Cores: 1, Slice: turn}, 1, []float64{0.020, 0.020}, []float64{0.030, 0.040}},
		{"alone", Quota{Cores: 1, Slice: turn}, 1, []float64{0.025}, []float64{0.025}},
		{"two cores, three requests", Quota{Cores: 2, Slice: turn}, 2, []float64{0.010, 0.010, 0.010}, []float64{0.010, 0.010, 0.020}},
		{"the quota ends a turn", Quota{Cores: 1, Slice: turn}, 0.25, []float64{0.030, 0.020}, []float64{0.125, 0.110}},
	} {
		for i, got := range ends(row.quota, row.vcpu, row.demands...) {
			if math.Abs(got-row.want[i]) > 1e-6 {
				t.Errorf("%s: request %d is served at %.4f, want %.4f", row.name, i+1, got, row.want[i])
			}
		}
	}
}

// three always wants three tasks.
type three struct{}

func (three) Second(model.ServiceSecond) (int, string) { return 3, "" }

// TestSlicesLoseNoWork: however requests take turns, as much is served.
func TestSlicesLoseNoWork(t *testing.T) {
	cfg := Config{Seed: 3, Rates: make([]float64, 300), Demand: 23 * time.Millisecond, CV: 0.5, TaskVCPU: 0.25, Initial: 3, Scaler: three{}}
	for i := range cfg.Rates {
		cfg.Rates[i] = 25
	}
	used := map[time.Duration]float64{}
	for _, slice := range []time.Duration{0, GoSlice} {
		cfg.Quota = Quota{Cores: 2, Slice: slice}
		r, err := Run(cfg)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range r.Seconds {
			used[slice] += s.CPU
		}
		if last := r.Seconds[len(r.Seconds)-1]; r.Completed+last.InFlight+last.Queued != r.Requests {
			t.Errorf("slice %v: %d requests, %d completed, %d in flight", slice, r.Requests, r.Completed, last.InFlight)
		}
	}
	if a, b := used[0], used[GoSlice]; math.Abs(a-b) > 0.5 {
		t.Errorf("%v CPU-seconds with even sharing, %v with slices", a, b)
	}
}
