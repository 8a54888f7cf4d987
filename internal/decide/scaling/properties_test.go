package scaling

import (
	"encoding/json"
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"neargate/internal/model"
)

// anySecond is an observation as a real or a broken sensor might give it.
func anySecond(t *rapid.T) model.ServiceSecond {
	took := rapid.SampledFrom([]float64{-1, 0, 1e-9, 0.01, 0.4, 3, 1e9, math.Inf(1), math.NaN()})
	return model.ServiceSecond{
		Latency: model.Buckets{
			Values: []float64{took.Draw(t, "took"), took.Draw(t, "took too")},
			Counts: rapid.SliceOfN(rapid.Uint64Range(0, 5000), 0, 3).Draw(t, "answers"),
		},
		Running:       rapid.IntRange(-1, 30).Draw(t, "running"),
		Starting:      rapid.IntRange(-1, 20).Draw(t, "starting"),
		Draining:      rapid.IntRange(0, 5).Draw(t, "draining"),
		Sampled:       rapid.IntRange(-1, 40).Draw(t, "sampled"),
		CPU:           time.Duration(rapid.Int64Range(-1e9, 60e9).Draw(t, "cpu")),
		CPUPerTask:    time.Duration(rapid.SampledFrom([]int64{0, 25e7, 1e9, 4e9}).Draw(t, "cpu per task")),
		Memory:        rapid.Int64Range(-1, 20<<30).Draw(t, "memory"),
		MemoryPerTask: rapid.SampledFrom([]int64{0, 512 << 20, 2 << 30}).Draw(t, "memory per task"),
		Balanced:      rapid.Bool().Draw(t, "balanced"),
		Arrivals:      rapid.IntRange(-1, 3000).Draw(t, "arrivals"),
		Completed:     rapid.IntRange(-1, 3000).Draw(t, "completed"),
		InFlight:      rapid.IntRange(-1, 5000).Draw(t, "in flight"),
		Queued:        rapid.IntRange(0, 100).Draw(t, "queued"),
		Interval:      time.Duration(rapid.SampledFrom([]int64{-1, 0, 9e8, 1e9, 11e8, 3600e9}).Draw(t, "interval")),
	}
}

func anyConfig(t *rapid.T) Config {
	cfg := Config{
		Min:       rapid.IntRange(0, 5).Draw(t, "min"),
		Timing:    rapid.SampledFrom([]Timing{Live, Live, AWS60, AWS20}).Draw(t, "timing"),
		SuspendIn: rapid.Bool().Draw(t, "suspend in"), SuspendOut: rapid.Bool().Draw(t, "suspend out"),
	}
	cfg.Max = cfg.Min + rapid.IntRange(0, 40).Draw(t, "room")
	for i, m := range []Metric{CPU, Memory, RequestsPerTarget, ResponseTime} {
		if rapid.Bool().Draw(t, string(m)) {
			cfg.Policies = append(cfg.Policies, Policy{
				Name: string(rune('a' + i)), Metric: m, Percentile: rapid.Float64Range(0.1, 99.99).Draw(t, "percentile"), Target: rapid.Float64Range(0, 150).Draw(t, "target"),
				ScaleIn:        time.Duration(rapid.IntRange(0, 60).Draw(t, "scale in")) * time.Second,
				DisableScaleIn: rapid.Bool().Draw(t, "disable"),
			})
		}
	}
	return cfg
}

// anyRun draws a run of observations; the desired count follows the decisions.
func anyRun(t *rapid.T, cfg Config, act func(obs Observation, d Decision, st State, now time.Time)) {
	st, now := State{}, time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	desired := rapid.IntRange(cfg.Min, cfg.Max).Draw(t, "desired")
	for range rapid.IntRange(1, 60).Draw(t, "seconds") {
		now = now.Add(time.Duration(rapid.SampledFrom([]int64{1e9, 1e9, 1e9, 1e9, 9e9, 40e9, 7200e9, -7200e9}).Draw(t, "step")))
		obs := Observation{
			Second: anySecond(t), Measured: rapid.IntRange(0, 9).Draw(t, "measured") > 0,
			Desired: desired, Deploying: rapid.IntRange(0, 9).Draw(t, "deploying") == 0,
		}
		for _, p := range cfg.Policies {
			obs.Alarms = append(obs.Alarms, Alarms{Policy: p.Name, High: rapid.Bool().Draw(t, "high"), Low: rapid.Bool().Draw(t, "low")})
		}
		var d Decision
		d, st = Decide(cfg, st, obs, now)
		act(obs, d, st, now)
		desired = d.Desired
	}
}

func TestBoundsAlwaysHoldAndNothingGoesDownUnasked(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		cfg := anyConfig(t)
		anyRun(t, cfg, func(obs Observation, d Decision, _ State, _ time.Time) {
			if d.Desired < cfg.Min || d.Desired > cfg.Max {
				t.Fatalf("desired %d outside %d..%d: %s", d.Desired, cfg.Min, cfg.Max, d.Reason)
			}
			if d.Desired < obs.Desired && (!obs.Measured || obs.Deploying || cfg.SuspendIn) {
				t.Fatalf("scaled in from %d to %d with measured %v, deploying %v, suspended %v: %s",
					obs.Desired, d.Desired, obs.Measured, obs.Deploying, cfg.SuspendIn, d.Reason)
			}
			if d.Desired > obs.Desired && (cfg.SuspendOut || !obs.Measured) {
				t.Fatalf("scaled out from %d to %d, suspended %v, measured %v: %s", obs.Desired, d.Desired, cfg.SuspendOut, obs.Measured, d.Reason)
			}
			if d.Reason.String() == "" {
				t.Fatal("a decision without a reason")
			}
		})
	})
}

// believable is a run on the plant with random rates, for the properties that
// speak of load.
func believable(t *rapid.T, keep bool) *plant {
	policy := cpuPolicy(rapid.Float64Range(20, 90).Draw(t, "target"))
	if rapid.IntRange(0, 3).Draw(t, "slo") == 0 {
		policy = sloPolicy(rapid.Float64Range(0.05, 2).Draw(t, "seconds"))
	}
	p := newPlant(rapid.Uint64().Draw(t, "seed"), live(1, 40, policy), rapid.IntRange(1, 20).Draw(t, "tasks"))
	p.keep = keep
	p.start = rapid.IntRange(1, 20).Draw(t, "start")
	p.cores = rapid.SampledFrom([]float64{0.25, 1, 4}).Draw(t, "cores")
	p.unbalanced = rapid.IntRange(0, 4).Draw(t, "unbalanced") == 0
	for range rapid.IntRange(1, 5).Draw(t, "stages") {
		p.run(rapid.IntRange(1, 60).Draw(t, "seconds"), constant(rapid.Float64Range(0, 200).Draw(t, "rate")))
	}
	return p
}

// TestMoreLoadNeverGivesFewerTasks: but for what only waits: a count that is to
// be lowered waits longer for the load that has fallen further, so that one
// order follows where it ends instead of two.
func TestMoreLoadNeverGivesFewerTasks(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := believable(t, true)
		last := p.record[len(p.record)-1].obs
		last.Desired = p.desired
		more := last
		// By half at the most: a second that is nothing like those before it says
		// more of how the load varies than of how large it is.
		more.Second.Arrivals += rapid.IntRange(0, 1+last.Second.Arrivals/2).Draw(t, "more arrivals")
		more.Second.InFlight += rapid.IntRange(0, 1+last.Second.InFlight/2).Draw(t, "more in flight")
		if p.unbalanced {
			more.Second.CPU += time.Duration(rapid.Int64Range(0, 10e9).Draw(t, "more cpu"))
		}
		now := p.now.Add(time.Second)
		less, _ := Decide(p.cfg, p.state, last, now)
		got, _ := Decide(p.cfg, p.state, more, now)
		waits := less.Reason.Kind == Settling || less.Reason.Kind == Small
		// More load is better known, which may take a tenth off what was reckoned
		// with to be sure.
		if got.Desired < less.Desired-1-less.Desired/10 && !waits {
			t.Fatalf("more load gave %d tasks, less load %d\nmore: %s\nless: %s", got.Desired, less.Desired, got.Reason, less.Reason)
		}
	})
}

func TestRecordedRunDecidesTheSameAtAnyTimeAndFromAnySavedState(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := believable(t, true)
		shift := time.Duration(rapid.Int64Range(-1e18, 1e18).Draw(t, "shift"))
		var same, shifted, saved State
		for i, r := range p.record {
			for name, st := range map[string]*State{"again": &same, "shifted": &shifted, "from a saved state": &saved} {
				now := r.now
				if name == "shifted" {
					now = now.Add(shift)
				}
				if name == "from a saved state" && i == len(p.record)/2 {
					data, err := json.Marshal(st)
					if err != nil {
						t.Fatal(err)
					}
					*st = State{}
					if err := json.Unmarshal(data, st); err != nil {
						t.Fatal(err)
					}
				}
				var d Decision
				d, *st = Decide(p.cfg, *st, r.obs, now)
				if diff := cmp.Diff(r.d, d); diff != "" {
					t.Fatalf("second %d, %s (-first +now):\n%s", i, name, diff)
				}
			}
		}
	})
}

func TestRestartNeverLowersWithinAMinute(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := believable(t, false)
		p.state = State{} // the server comes back and knows nothing
		rate := rapid.Float64Range(0, 200).Draw(t, "rate after")
		for s := range 60 {
			before := p.desired
			p.second(rate)
			if p.desired < before {
				t.Fatalf("%d s after a restart from %d to %d: %s", s, before, p.desired, p.last.Reason)
			}
		}
	})
}

func TestNoScaleInWhileDataAreMissing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := believable(t, false)
		p.lost = true
		before := p.desired
		p.run(rapid.IntRange(4, 300).Draw(t, "seconds"), constant(0))
		if p.desired != before {
			t.Fatalf("without data from %d to %d", before, p.desired)
		}
		p.lost = false
		p.run(30, constant(0)) // and not at once when they are back
		if p.desired < before {
			t.Fatalf("right after an outage from %d to %d: %s", before, p.desired, p.last.Reason)
		}
	})
}

func BenchmarkDecide(b *testing.B) {
	p := newPlant(1, live(2, 20, cpuPolicy(50)), 20)
	p.run(40000, constant(95))
	p.keep = true
	p.second(95)
	obs, now := p.record[0].obs, p.now
	st := p.state
	for b.Loop() {
		now = now.Add(time.Second)
		_, st = Decide(p.cfg, st, obs, now)
	}
}
