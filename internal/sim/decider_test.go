package sim_test

import (
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"neargate/internal/decide/scaling"
	"neargate/internal/model"
	"neargate/internal/sim"
)

func cpuConfig(timing scaling.Timing) scaling.Config {
	return scaling.Config{Min: 2, Max: 20, Timing: timing, Policies: []scaling.Policy{{
		Name: "cpu", Metric: scaling.CPU, Target: 50, ScaleOut: 30 * time.Second, ScaleIn: 30 * time.Second,
	}}}
}

// orders feeds a Decider with tasks of one vCPU at a utilisation, in percent,
// that holds for some seconds, and gives the orders. Tasks are there at once.
func orders(d *sim.Decider, count int, loads ...[2]int) (out []sim.Order) {
	at := 0
	for _, l := range loads {
		for range l[0] {
			at++
			cpu := float64(l[1]) / 100
			v := sim.View{At: at - 1}
			for range count {
				v.Tasks = append(v.Tasks, sim.TaskView{Serving: true, CPU: cpu})
			}
			d.See(v)
			n, reason := d.Second(model.ServiceSecond{
				At: time.Unix(int64(at), 0).UTC(), Interval: time.Second, Running: count, Sampled: count,
				CPU: time.Duration(cpu * float64(count) * float64(time.Second)), CPUPerTask: time.Second,
			})
			if n != count {
				out = append(out, sim.Order{At: at, From: count, To: n, Reason: reason})
				count = n
			}
		}
	}
	return out
}

func wantOrders(t *testing.T, got []sim.Order, want ...sim.Order) {
	t.Helper()
	for i, w := range want {
		if i >= len(got) || got[i].At != w.At || got[i].From != w.From || got[i].To != w.To {
			t.Fatalf("orders %+v, want them to begin with %+v", got, want)
		}
	}
}

// TestAWS20ByHand: 10 % until second 600, then 100 %. The evaluation at 650
// sees 20-second periods that end at 610, 630 and 650, of which the first has
// the mean of 10 % and 100 %: 55 % is above 50 %. The decision after it is
// that of second 651; the last 20 seconds had 100 %: 2 → 4. A minute later the
// alarm still rings: 4 → 8.
func TestAWS20ByHand(t *testing.T) {
	got := orders(sim.NewDecider(cpuConfig(scaling.AWS20), 2), 2, [2]int{600, 10}, [2]int{130, 100})
	wantOrders(t, got, sim.Order{At: 651, From: 2, To: 4}, sim.Order{At: 711, From: 4, To: 8})
}

// TestAWS60ByHand: the same with minutes: those from 600, 660 and 720 are above
// the target at the evaluation of 780.
func TestAWS60ByHand(t *testing.T) {
	got := orders(sim.NewDecider(cpuConfig(scaling.AWS60), 2), 2, [2]int{600, 10}, [2]int{250, 100})
	wantOrders(t, got, sim.Order{At: 781, From: 2, To: 4}, sim.Order{At: 841, From: 4, To: 8})
}

// TestAWSScaleInByHand: 40 % of 10 tasks is below 0.9 × 50 %, and needs 8. The
// low alarm wants 15 periods of a minute, or 30 of 20 seconds, of which the
// oldest began before the first second.
func TestAWSScaleInByHand(t *testing.T) {
	for timing, at := range map[scaling.Timing]int{scaling.AWS20: 591, scaling.AWS60: 901} {
		got := orders(sim.NewDecider(cpuConfig(timing), 10), 10, [2]int{1000, 40})
		wantOrders(t, got, sim.Order{At: at, From: 10, To: 8})
	}
}

// TestNoDataRingsNoAlarm: without running tasks there are no datapoints, and
// the count stays.
func TestNoDataRingsNoAlarm(t *testing.T) {
	d := sim.NewDecider(cpuConfig(scaling.AWS20), 4)
	for at := 1; at < 2000; at++ {
		d.See(sim.View{At: at - 1})
		n, _ := d.Second(model.ServiceSecond{At: time.Unix(int64(at), 0).UTC(), Interval: time.Second, Starting: 4, CPUPerTask: time.Second})
		if n != 4 {
			t.Fatalf("second %d: %d tasks", at, n)
		}
	}
}

// TestStepUnderEachTiming runs the 8-fold step through the plant: each timing
// reaches the need, and in its order of speed.
func TestStepUnderEachTiming(t *testing.T) {
	rates := append(constant(9, 900), constant(72, 1500)...)
	reached := map[scaling.Timing]int{}
	for _, timing := range []scaling.Timing{scaling.Live, scaling.AWS20, scaling.AWS60} {
		r := run(t, sim.Config{
			Seed: 1, Rates: rates, Demand: 100 * time.Millisecond, CV: 0.2, TaskVCPU: 1, Start: 10 * time.Second, PerTask: 2, Initial: 2,
			Scaler: sim.NewDecider(cpuConfig(timing), 2), SLO: 500 * time.Millisecond,
		})
		for i, s := range r.Seconds[900:] {
			if s.Running >= 15 {
				reached[timing] = i
				break
			}
		}
	}
	live, aws20, aws60 := reached[scaling.Live], reached[scaling.AWS20], reached[scaling.AWS60]
	t.Logf("15 tasks run %d, %d, %d s after the step", live, aws20, aws60)
	if live == 0 || live > 15 || aws20 < 120 || aws20 > 360 || aws60 < 300 || aws60 <= aws20 {
		t.Errorf("15 tasks run %d s after the step in live, %d in aws-20, %d in aws-60", live, aws20, aws60)
	}
}

func BenchmarkWeekLive(b *testing.B) {
	for b.Loop() {
		r, err := sim.Run(sim.Config{
			Seed: 1, Rates: constant(50, 7*24*3600), Demand: 100 * time.Millisecond, CV: 0.2, TaskVCPU: 1, Start: 10 * time.Second, PerTask: 2,
			Initial: 10, Scaler: sim.NewDecider(cpuConfig(scaling.Live), 10), SLO: 500 * time.Millisecond,
		})
		if err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(r.Requests), "requests")
		b.ReportMetric(float64(len(r.Orders)), "orders")
	}
}

// TestDeciderUnderFaults: whatever goes wrong, in each timing the count stays
// within its bounds, each order says why, and the same seed gives the same run.
func TestDeciderUnderFaults(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		timing := rapid.SampledFrom([]scaling.Timing{scaling.Live, scaling.AWS20, scaling.AWS60}).Draw(t, "timing")
		seconds := rapid.IntRange(100, 900).Draw(t, "seconds")
		rates := make([]float64, seconds)
		level := 0.0
		for i := range rates {
			if i%60 == 0 {
				level = float64(rapid.IntRange(0, 120).Draw(t, "rate"))
			}
			rates[i] = level
		}
		at := func(what string) int { return rapid.IntRange(0, seconds-1).Draw(t, what) }
		cfg := sim.Config{
			Seed: rapid.Uint64().Draw(t, "seed"), Rates: rates, Demand: 100 * time.Millisecond, CV: 0.5, TaskVCPU: 1, Start: 5 * time.Second,
			StartJitter: 5 * time.Second, StartCPU: 0.5, PerTask: 3, Initial: 4, SLO: time.Second,
			Faults: sim.Faults{
				Crashes: 20, SlowStarts: 0.1, SlowFactor: 5, LostSamples: 0.1, LostSeconds: 0.1,
				Stalls: []sim.Stall{{At: at("stall"), For: rapid.IntRange(1, 90).Draw(t, "for")}},
				Jumps: []sim.Jump{
					{At: at("jump"), By: time.Duration(rapid.IntRange(-10, 10).Draw(t, "hours")) * time.Hour},
					{At: at("jump"), By: time.Duration(rapid.IntRange(-100, 100).Draw(t, "by")) * time.Second},
				},
				Drift: []float64{1, rapid.Float64Range(0.2, 3).Draw(t, "drift")},
			},
		}
		once := func() sim.Result {
			cfg.Scaler = sim.NewDecider(cpuConfig(timing), 4)
			r, err := sim.Run(cfg)
			if err != nil {
				t.Fatal(err)
			}
			return r
		}
		r := once()
		for _, o := range r.Orders {
			if o.To < 2 || o.To > 20 || o.Reason == "" {
				t.Fatalf("order %+v", o)
			}
		}
		if again := once(); !reflect.DeepEqual(r, again) {
			t.Fatal("two runs of one seed differ")
		}
	})
}

// TestUnbalancedServiceScalesByCPU: without sight of the traffic the CPU that
// tasks use still leads to the need, 8 tasks.
func TestUnbalancedServiceScalesByCPU(t *testing.T) {
	r := run(t, sim.Config{
		Seed: 1, Rates: append(constant(9, 200), constant(38, 400)...), Demand: 100 * time.Millisecond, CV: 0.2, TaskVCPU: 1, Start: 5 * time.Second,
		Unbalanced: true, Initial: 2, Scaler: sim.NewDecider(cpuConfig(scaling.Live), 2),
	})
	if last := r.Seconds[599]; last.Running < 8 || last.Running > 10 || len(r.Orders) == 0 || r.Orders[0].At < 199 {
		t.Errorf("%d tasks at the end, orders %+v, want 8 to 10", last.Running, r.Orders)
	}
}

func TestValidateNamesWhatIsWrong(t *testing.T) {
	good := sim.Config{Rates: constant(1, 3), Demand: time.Second, TaskVCPU: 1, Initial: 1, Scaler: fixed(1)}
	for want, spoil := range map[string]func(*sim.Config){
		"rate of second 1: NaN":          func(c *sim.Config) { c.Rates[1] = math.NaN() },
		"rate of second 0: 1e+09":        func(c *sim.Config) { c.Rates[0] = 1e9 },
		"the rates are empty":            func(c *sim.Config) { c.Rates = nil },
		"demand 0s":                      func(c *sim.Config) { c.Demand = 0 },
		"coefficient of variation NaN":   func(c *sim.Config) { c.CV = math.NaN() },
		"task size +Inf":                 func(c *sim.Config) { c.TaskVCPU = math.Inf(1) },
		"start-up CPU 2":                 func(c *sim.Config) { c.StartCPU = 2 },
		`routing "fastest"`:              func(c *sim.Config) { c.Routing = "fastest" },
		"quota period 1µs":               func(c *sim.Config) { c.Quota.Period = time.Microsecond },
		"share of lost seconds 1.5":      func(c *sim.Config) { c.Faults.LostSeconds = 1.5 },
		"demand drift 0 must be above 0": func(c *sim.Config) { c.Faults.Drift = []float64{0} },
		"no scaler":                      func(c *sim.Config) { c.Scaler = nil },
	} {
		cfg := good
		cfg.Rates = constant(1, 3)
		spoil(&cfg)
		if _, err := sim.Run(cfg); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want an error with %q, got %v", want, err)
		}
	}
	if err := good.Validate(); err != nil {
		t.Errorf("a good one: %v", err)
	}
}

// An overload waits at the balancer in live timing, and is gone soon after the
// tasks that it called for have come: 10 to 80 requests of 100 ms a second on
// two tasks of one vCPU need 16. In an AWS timing it stays on the two.
func TestOverloadWaitsAtTheBalancer(t *testing.T) {
	rates := append(constant(10, 120), constant(80, 300)...)
	for _, timing := range []scaling.Timing{scaling.Live, scaling.AWS20} {
		r := run(t, sim.Config{
			Seed: 1, Rates: rates, Demand: 100 * time.Millisecond, CV: 0.2, TaskVCPU: 1, Start: 10 * time.Second, Initial: 2,
			Scaler: sim.NewDecider(cpuConfig(timing), 2),
		})
		most, at := 0, 0 // requests waiting, and the last second of the backlog
		for i, s := range r.Seconds {
			most = max(most, s.Queued)
			if s.InFlight+s.Queued > 2*max(s.Running, 1) {
				at = i
			}
		}
		switch {
		case timing == scaling.Live && (most < 300 || at > 120+20):
			t.Errorf("in live timing at most %d requests waited at the balancer, and the backlog was there for %d s", most, at-120)
		case timing != scaling.Live && most > 0:
			t.Errorf("in timing %s %d requests waited at the balancer", timing, most)
		}
	}
}
