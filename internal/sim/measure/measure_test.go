package measure_test

import (
	"math"
	"testing"
	"time"

	"neargate/internal/model"
	"neargate/internal/sim"
	"neargate/internal/sim/measure"
)

// supply creates a run in which so many tasks served.
func supply(counts ...int) (r sim.Result) {
	for _, n := range counts {
		r.Seconds = append(r.Seconds, sim.Second{Running: n})
	}
	return r
}

func near(t *testing.T, what string, got, want float64) {
	t.Helper()
	if math.Abs(got-want) > 1e-9 {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

// TestElasticityByHand: need 2 2 4 4 4, supply 2 4 4 2 5.
// Under: second 4 lacks 2 of 4 = 50 %; over: second 2 has 2 of 2 = 100 % too
// many, second 5 has 1 of 4 = 25 %. Moves of supply + 0 - +, of need 0 + 0 0:
// all four differ.
func TestElasticityByHand(t *testing.T) {
	m := measure.Of(supply(2, 4, 4, 2, 5), []int{2, 2, 4, 4, 4})
	near(t, "θ_U", m.UnderAccuracy, 10)
	near(t, "θ_O", m.OverAccuracy, 25)
	near(t, "τ_U", m.UnderShare, 20)
	near(t, "τ_O", m.OverShare, 40)
	near(t, "υ", m.Instability, 100)
	near(t, "σ", m.Deviation(2), math.Sqrt(10*10+25*25+20*20+40*40+100*100))

	ideal := measure.Of(supply(2, 2, 4, 4, 3), []int{2, 2, 4, 4, 3})
	near(t, "σ of the ideal", ideal.Deviation(5), 0)
}

// TestLateWindowsByHand: of 200 answers in a window the p99 is the 198th: with
// 2 late ones it is in time, with 3 it is not. A window without an answer
// while requests wait is late, an empty one is not.
func TestLateWindowsByHand(t *testing.T) {
	var r sim.Result
	window := func(late, waiting, each int) {
		for i := range measure.Window {
			s := sim.Second{Completed: each}
			if i == 4 {
				s.Late = late
			}
			s.Queued = waiting
			r.Seconds = append(r.Seconds, s)
		}
	}
	window(2, 0, 20)
	window(3, 0, 20)
	window(0, 5, 0)
	window(0, 0, 0)
	r.Seconds = append(r.Seconds, sim.Second{Completed: 1, Late: 1}) // no whole window
	near(t, "late windows", measure.Of(r, nil).LateWindows, 50)
}

func TestActionsAndUsers(t *testing.T) {
	r := supply(make([]int, 1800)...)
	r.Orders = make([]sim.Order, 3)
	r.Requests, r.Late, r.Failed, r.TaskSeconds = 1000, 5, 1, 3600
	m := measure.Of(r, nil)
	near(t, "actions an hour", m.ActionsPerHour, 6)
	near(t, "late", m.LatePercent, 0.5)
	if m.Requests != 1000 || m.Failed != 1 || m.TaskSeconds != 3600 || m.Actions != 3 {
		t.Errorf("%+v", m)
	}
}

// TestStepByHand: the load steps at second 3; the order of second 4 makes 6
// tasks serve from second 7 on; the backlog is gone after second 8.
func TestStepByHand(t *testing.T) {
	r := supply(2, 2, 2, 2, 2, 2, 2, 6, 6, 6)
	for i, waiting := range []int{1, 0, 1, 5, 9, 14, 19, 14, 11, 2} {
		r.Seconds[i].InFlight = min(waiting, 4)
		r.Seconds[i].Queued = waiting - r.Seconds[i].InFlight
	}
	r.Orders = []sim.Order{{At: 1, From: 3, To: 2}, {At: 4, From: 2, To: 6}, {At: 5, From: 6, To: 9}}
	got := measure.Step(r, 3, 6)
	want := measure.Response{FirstOrder: 2, Capacity: 4, Recovered: 6, Orders: 2, Overshoot: 3}
	if got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if never := measure.Step(supply(1, 1), 0, 2); never.FirstOrder != -1 || never.Capacity != -1 || never.Recovered != 0 {
		t.Errorf("nothing happens: %+v", never)
	}
}

func TestPhysicsByHand(t *testing.T) {
	near(t, "10 → 80", measure.Physics(8, 1, 2, 20, 10), 15)
	near(t, "no step", measure.Physics(1, 1, 2, 20, 10), 0)
	near(t, "quarter tasks", measure.Physics(2, 0.25, 4, 20, 2), 2+1*2/3.)
	if !math.IsInf(measure.Physics(20, 1, 2, 20, 10), 1) {
		t.Error("a load that fills all tasks leaves nothing to recover with")
	}
	near(t, "ratio", measure.Ratio(3, 2), 1.5)
	near(t, "none of none", measure.Ratio(0, 0), 1)
}

// ideal orders as many tasks as it may, once, as soon as the load steps.
type ideal struct{ at, to, before int }

func (s ideal) Second(x model.ServiceSecond) (int, string) {
	if int(x.At.Unix()) >= s.at {
		return s.to, "step"
	}
	return s.before, ""
}

// TestPhysicsIsReached: a scaler that orders the maximum when the step comes
// recovers in the time that physics allows, within the noise of arrivals.
func TestPhysicsIsReached(t *testing.T) {
	rates := make([]float64, 200)
	for i := range rates {
		rates[i] = 10
		if i >= 100 {
			rates[i] = 80
		}
	}
	limit := measure.Physics(8, 1, 2, 20, 10)
	for seed := range uint64(5) {
		r, err := sim.Run(sim.Config{
			Seed: seed, Rates: rates, Demand: 100 * time.Millisecond, CV: 0.2, TaskVCPU: 1, Start: 10 * time.Second, PerTask: 1, Initial: 2,
			Scaler: ideal{at: 100, to: 20, before: 2}, SLO: time.Second,
		})
		if err != nil {
			t.Fatal(err)
		}
		if got := measure.Step(r, 100, 16).Recovered; math.Abs(float64(got)-limit) > 2 {
			t.Errorf("seed %d: recovered after %d s, physics says %v", seed, got, limit)
		}
	}
}
