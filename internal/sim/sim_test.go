package sim_test

import (
	"math"
	"reflect"
	"testing"
	"time"

	"pgregory.net/rapid"

	"neargate/internal/model"
	"neargate/internal/sim"
)

// fixed always wants the same count.
type fixed int

func (f fixed) Second(model.ServiceSecond) (int, string) { return int(f), "fixed" }

// script gives a count for each second.
type script []int

func (s script) Second(x model.ServiceSecond) (int, string) {
	i := int(x.At.Unix()) - 1
	return s[min(i, len(s)-1)], "scripted"
}

func constant(rate float64, seconds int) []float64 {
	out := make([]float64, seconds)
	for i := range out {
		out[i] = rate
	}
	return out
}

func run(t *testing.T, cfg sim.Config) sim.Result {
	t.Helper()
	r, err := sim.Run(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// TestMatchesTheory compares with M/G/1 processor sharing, whose mean latency
// is S/(1-ρ) whatever the distribution of S.
func TestMatchesTheory(t *testing.T) {
	for _, cv := range []float64{0.2, 1, 2} {
		r := run(t, sim.Config{Seed: 7, Rates: constant(5, 200_000), Demand: 100 * time.Millisecond, CV: cv, TaskVCPU: 1, Initial: 1, Scaler: fixed(1)})
		mean := meanInSystem(r) / 5 // Little: in flight = rate × latency
		if want := 0.2; math.Abs(mean-want) > 0.01 {
			t.Errorf("cv %v: mean latency %.4f s, want %.4f", cv, mean, want)
		}
	}
}

// TestQueueMatchesTheory: with one request at a time the task is M/G/1 first
// come first served, whose mean wait is λ E[S²] / 2(1-ρ) (Pollaczek-Khinchine).
func TestQueueMatchesTheory(t *testing.T) {
	for _, cv := range []float64{0.2, 1} {
		r := run(t, sim.Config{
			Seed: 7, Rates: constant(6, 100_000), Demand: 100 * time.Millisecond, CV: cv, TaskVCPU: 1, PerTask: 1, Initial: 1, Scaler: fixed(1),
		})
		mean := meanInSystem(r) / 6
		if want := 0.1 + 6*0.01*(1+cv*cv)/2/0.4; math.Abs(mean-want)/want > 0.03 {
			t.Errorf("cv %v: mean latency %.4f s, want %.4f", cv, mean, want)
		}
	}
}

func meanInSystem(r sim.Result) float64 {
	var sum float64
	for _, s := range r.Seconds {
		sum += float64(s.InFlight + s.Queued)
	}
	return sum / float64(len(r.Seconds))
}

// TestTailsMatchTheTable compares p99 under least-requests routing with
// independently simulated values for 100 ms of demand on tasks of one vCPU.
func TestTailsMatchTheTable(t *testing.T) {
	for _, row := range []struct {
		tasks int
		load  float64
		want  float64 // seconds
	}{{2, 0.5, 0.385}, {8, 0.7, 0.263}, {18, 0.5, 0.158}, {18, 0.9, 0.389}} {
		rate := row.load * float64(row.tasks) / 0.1
		r := run(t, sim.Config{Seed: 3, Rates: constant(rate, 20_000), Demand: 100 * time.Millisecond, CV: 0.2, TaskVCPU: 1, Initial: row.tasks, Scaler: fixed(row.tasks)})
		if got := r.Latencies.Percentile(99); math.Abs(got-row.want)/row.want > 0.06 {
			t.Errorf("%d tasks at %.1f: p99 %.3f s, want %.3f within 6 %%", row.tasks, row.load, got, row.want)
		}
	}
}

func TestSameSeedSameResult(t *testing.T) {
	cfg := sim.Config{Seed: 11, Rates: constant(30, 300), Demand: 50 * time.Millisecond, CV: 1, TaskVCPU: 0.5, Start: 3 * time.Second, PerTask: 2, Initial: 2, Scaler: script{2, 4, 6, 8, 3}, SLO: time.Second}
	a, b := run(t, cfg), run(t, cfg)
	if !reflect.DeepEqual(a, b) {
		t.Error("two runs of one seed differ")
	}
	cfg.Seed++
	if c := run(t, cfg); reflect.DeepEqual(a, c) {
		t.Error("two seeds give one result")
	}
}

func TestStartingTasksCostAndServeNothingYet(t *testing.T) {
	r := run(t, sim.Config{Seed: 1, Rates: constant(0, 20), Demand: time.Second, TaskVCPU: 1, Start: 5 * time.Second, Initial: 1, Scaler: script{1, 3}})
	if got := []int{r.Seconds[1].Starting, r.Seconds[5].Starting, r.Seconds[7].Starting}; !reflect.DeepEqual(got, []int{0, 2, 0}) {
		t.Errorf("starting after seconds 2, 6, 8: %v, want 0, 2, 0", got)
	}
	if got, want := r.TaskSeconds, 20.0+2*18; got != want {
		t.Errorf("task-seconds %v, want %v", got, want)
	}
	if len(r.Orders) != 1 || r.Orders[0].From != 1 || r.Orders[0].To != 3 {
		t.Errorf("orders %+v, want one from 1 to 3", r.Orders)
	}
}

func TestDrainingTasksFinishAndAreTakenBack(t *testing.T) {
	// One request of 60 s on each of two tasks, then one task must go.
	r := run(t, sim.Config{Seed: 2, Rates: append([]float64{40}, constant(0, 60)...), Demand: 4 * time.Second, TaskVCPU: 1, Initial: 2, Scaler: script{1, 1, 1, 2}})
	if r.Seconds[1].Drained != 1 || r.Seconds[1].Running != 1 {
		t.Errorf("second 2: %+v, want one running, one draining", r.Seconds[1])
	}
	if r.Seconds[4].Running != 2 || r.Seconds[4].Starting != 0 {
		t.Errorf("second 5: %+v, want the draining task taken back", r.Seconds[4])
	}
}

func TestEveryRequestIsAccountedFor(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(5, 60).Draw(t, "seconds")
		counts := rapid.SliceOfN(rapid.IntRange(0, 6), n, n).Draw(t, "counts")
		rates := make([]float64, n)
		for i := range rates {
			rates[i] = float64(rapid.IntRange(0, 40).Draw(t, "rate"))
		}
		r, err := sim.Run(sim.Config{
			Seed: rapid.Uint64().Draw(t, "seed"), Rates: rates, Demand: 100 * time.Millisecond, CV: 1, TaskVCPU: 1,
			Start: time.Duration(rapid.IntRange(0, 3000).Draw(t, "start")) * time.Millisecond, PerTask: rapid.IntRange(0, 3).Draw(t, "limit"),
			Initial: 1, Scaler: script(counts), SLO: time.Second,
		})
		if err != nil {
			t.Fatal(err)
		}
		last := r.Seconds[n-1]
		if got := r.Completed + last.InFlight + last.Queued; got != r.Requests {
			// Tasks ordered in the last second may have taken from the queue
			// after it was counted; the sum stays.
			t.Fatalf("%d requests: %d completed + %d in flight + %d queued", r.Requests, r.Completed, last.InFlight, last.Queued)
		}
		for i, s := range r.Seconds {
			if i > 0 && s.Running+s.Starting != counts[i-1] {
				t.Fatalf("second %d: %d running and %d starting, want %d", i, s.Running, s.Starting, counts[i-1])
			}
		}
	})
}

func TestOptimumByHand(t *testing.T) {
	for _, row := range []struct {
		name    string
		need    []int
		start   float64
		initial int
		want    float64
	}{
		{"constant, running already", []int{2, 2, 2}, 10, 2, 6},
		{"one start for a step", []int{1, 1, 3, 3}, 10, 1, 4 + 2*(10+2)},
		{"a short gap is kept", []int{2, 1, 1, 2}, 10, 2, 4 + 4},
		{"a long gap is a new start", []int{2, 1, 1, 1, 1, 2}, 3, 2, 6 + 2 + 3},
	} {
		if got := sim.Optimum(row.need, row.start, row.initial); got != row.want {
			t.Errorf("%s: %v, want %v", row.name, got, row.want)
		}
	}
}

func BenchmarkWeekOf20Tasks(b *testing.B) {
	rates := make([]float64, 7*24*3600)
	for i := range rates {
		rates[i] = 50 + 40*math.Sin(float64(i)/86400*2*math.Pi)
	}
	for b.Loop() {
		r, err := sim.Run(sim.Config{Seed: 1, Rates: rates, Demand: 100 * time.Millisecond, CV: 0.2, TaskVCPU: 1, Initial: 20, Scaler: fixed(20)})
		if err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(r.Requests), "requests")
	}
}

func TestScheduleByHand(t *testing.T) {
	for _, row := range []struct {
		name    string
		need    []int
		start   float64
		initial int
		desired []int // from the end of each second on
	}{
		{"ordered a start ahead", []int{1, 1, 1, 3, 3}, 2, 1, []int{3, 3, 3, 3, 3}},
		{"a short gap is kept", []int{2, 1, 1, 2}, 2, 2, []int{2, 2, 2, 2}},
		{"a long gap is not", []int{2, 1, 1, 1, 2}, 1, 2, []int{1, 1, 2, 2, 2}},
		{"parts of a second are rounded up", []int{0, 0, 0, 1}, 1.5, 0, []int{1, 1, 1, 1}},
	} {
		initial, desired := sim.Schedule(row.need, row.start)
		if initial != row.initial || !reflect.DeepEqual(desired, row.desired) {
			t.Errorf("%s: %d %v, want %d %v", row.name, initial, desired, row.initial, row.desired)
		}
	}
}

// TestScheduleCostsTheOptimum: run in the plant without load, the schedule has
// what is needed ready in each second, and costs what Optimum says.
func TestScheduleCostsTheOptimum(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		need := rapid.SliceOfN(rapid.IntRange(0, 6), 2, 80).Draw(t, "need")
		start := rapid.IntRange(0, 12).Draw(t, "start")
		initial, desired := sim.Schedule(need, float64(start))
		r, err := sim.Run(sim.Config{
			Rates: constant(0, len(need)), Demand: time.Second, TaskVCPU: 1, Start: time.Duration(start) * time.Second,
			Initial: initial, Scaler: script(desired),
		})
		if err != nil {
			t.Fatal(err)
		}
		for i, n := range need {
			if r.Seconds[i].Running < n {
				t.Fatalf("second %d: %d running, need %d", i, r.Seconds[i].Running, n)
			}
		}
		if want := sim.Optimum(need, float64(start), initial); r.TaskSeconds != want {
			t.Fatalf("the schedule costs %v, the optimum is %v", r.TaskSeconds, want)
		}
	})
}
