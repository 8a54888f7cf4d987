package scaling

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"neargate/internal/model"
)

// steps makes step adjustments of bounds and adjustments; open is infinity.
func steps(rows ...[3]float64) []model.StepAdjustment {
	var out []model.StepAdjustment
	for _, r := range rows {
		var s model.StepAdjustment
		if r[0] != open {
			s.Lower = &r[0]
		}
		if r[1] != open {
			s.Upper = &r[1]
		}
		s.Adjustment = int(r[2])
		out = append(out, s)
	}
	return out
}

const open = 1e300

func stepPolicy(name, kind string, s []model.StepAdjustment) Policy {
	return Policy{Name: name, Type: StepScaling, Step: &model.StepScaling{AdjustmentType: kind, Steps: s}}
}

// The policies of the user guide, "Step scaling policies": a threshold of 50
// both ways.
func guideOut() Policy {
	return stepPolicy("out", PercentChangeInCapacity, steps([3]float64{0, 10, 0}, [3]float64{10, 20, 10}, [3]float64{20, open, 30}))
}

func guideIn() Policy {
	return stepPolicy("in", PercentChangeInCapacity, steps([3]float64{-10, 0, 0}, [3]float64{-20, -10, -10}, [3]float64{open, -20, -30}))
}

// stepRig drives Decide second by second with a service that follows at once.
type stepRig struct {
	cfg     Config
	st      State
	now     time.Time
	desired int
	last    Decision // the last one that an action led to
}

func newStepRig(desired int, policies ...Policy) *stepRig {
	return &stepRig{
		cfg: Config{Min: 1, Max: 100, Timing: Live, Policies: policies}, desired: desired,
		now: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC),
	}
}

// seconds lets alarms ring for a while.
func (r *stepRig) seconds(n int, ringing ...Ringing) {
	for range n {
		r.now = r.now.Add(time.Second)
		obs := Observation{Second: busy(r.desired, 0), Measured: true, Desired: r.desired, Ringing: ringing}
		var d Decision
		d, r.st = Decide(r.cfg, r.st, obs, r.now)
		if d.Reason.Kind == StepAction || d.Desired != r.desired || d.NotScaled != "" {
			r.last = d
		}
		r.desired = d.Desired
	}
}

func rings(policy string, threshold float64, values ...float64) Ringing {
	return Ringing{Policy: policy, Alarm: "alarm-" + policy, State: "ALARM", Threshold: threshold, Values: values}
}

func TestStepPoliciesOfTheGuide(t *testing.T) {
	r := newStepRig(10, guideOut(), guideIn())
	for _, s := range []struct {
		ring Ringing
		want int
		why  string
	}{
		{rings("out", 50, 60), 11, "alarm alarm-out: 60 is 10 above threshold 50, where the step +10 % of 10 tasks makes 11"},
		{rings("out", 50, 70), 14, "alarm alarm-out: 70 is 20 above threshold 50, where the step +30 % of 11 tasks makes 14"},
		{rings("in", 50, 40), 13, "alarm alarm-in: 40 is 10 below threshold 50, where the step -10 % of 14 tasks makes 13"},
		{rings("in", 50, 30), 10, "alarm alarm-in: 30 is 20 below threshold 50, where the step -30 % of 13 tasks makes 10"},
	} {
		r.seconds(1, s.ring)
		if r.desired != s.want || r.last.Reason.String() != s.why {
			t.Errorf("metric at %v: %d tasks because %q, want %d because %q", s.ring.Values, r.desired, r.last.Reason, s.want, s.why)
		}
		r.seconds(5)
	}
}

func TestStepAdjustments(t *testing.T) {
	two := 2
	least := func(p Policy) Policy { p.Step.MinMagnitude = &two; return p }
	how := func(p Policy, aggregation string) Policy { p.Step.Aggregation = aggregation; return p }
	percent := func(n float64) Policy { return stepPolicy("p", PercentChangeInCapacity, steps([3]float64{0, open, n})) }
	change := func(n float64) Policy { return stepPolicy("p", ChangeInCapacity, steps([3]float64{0, open, n})) }
	ladder := func() Policy { // over 50: 1, 2, 3
		return stepPolicy("p", ChangeInCapacity, steps([3]float64{0, 10, 1}, [3]float64{10, 20, 2}, [3]float64{20, open, 3}))
	}
	stairs := func() Policy { // under 50
		return stepPolicy("p", ChangeInCapacity, steps([3]float64{-10, 0, -1}, [3]float64{-20, -10, -2}, [3]float64{open, -20, -3}))
	}
	for name, c := range map[string]struct {
		p         Policy
		desired   int
		values    []float64
		want      int
		notScaled string
	}{
		"a lower bound belongs to its step above":        {ladder(), 10, []float64{60}, 12, ""},
		"an upper bound does not":                        {ladder(), 10, []float64{59.99}, 11, ""},
		"the threshold itself, out":                      {ladder(), 10, []float64{50}, 11, ""},
		"an upper bound belongs to its step below":       {stairs(), 10, []float64{40}, 8, ""},
		"a lower bound does not":                         {stairs(), 10, []float64{40.01}, 9, ""},
		"the threshold itself, in":                       {stairs(), 10, []float64{50}, 9, ""},
		"far below":                                      {stairs(), 10, []float64{-1e9}, 7, ""},
		"no step holds the metric":                       {ladder(), 10, []float64{49}, 10, ""},
		"no datapoints":                                  {ladder(), 10, nil, 10, ""},
		"the average is compared":                        {ladder(), 10, []float64{50, 72}, 12, ""},
		"the maximum":                                    {how(ladder(), "Maximum"), 10, []float64{50, 72}, 13, ""},
		"the minimum":                                    {how(ladder(), "Minimum"), 10, []float64{50, 72}, 11, ""},
		"12.7 tasks are 12":                              {percent(127), 10, []float64{60}, 22, ""},
		"0.3 of a task are one":                          {percent(3), 10, []float64{60}, 11, ""},
		"-0.3 of a task are one":                         {percent(-3), 10, []float64{60}, 9, ""},
		"-6.6 tasks are 6":                               {percent(-66), 10, []float64{60}, 4, ""},
		"25 % of 4 are 1":                                {percent(25), 4, []float64{60}, 5, ""},
		"25 % of 4 are 2 by the magnitude":               {least(percent(25)), 4, []float64{60}, 6, ""},
		"the magnitude counts downward":                  {least(percent(-25)), 4, []float64{60}, 2, ""},
		"no percent are none, whatever the magnitude":    {least(percent(0)), 4, []float64{60}, 4, AtDesired},
		"exact capacity, up":                             {stepPolicy("p", ExactCapacity, steps([3]float64{0, open, 7})), 4, []float64{60}, 7, ""},
		"exact capacity, down":                           {stepPolicy("p", ExactCapacity, steps([3]float64{0, open, 3})), 4, []float64{60}, 3, ""},
		"exact capacity, already there":                  {stepPolicy("p", ExactCapacity, steps([3]float64{0, open, 4})), 4, []float64{60}, 4, AtDesired},
		"held to the maximum":                            {change(500), 4, []float64{60}, 100, ""},
		"at the maximum":                                 {change(1), 100, []float64{60}, 100, AtMax},
		"held to the minimum":                            {change(-500), 4, []float64{60}, 1, ""},
		"at the minimum":                                 {change(-1), 1, []float64{60}, 1, AtMin},
		"the largest change that can be written is safe": {change(1<<31 - 1), 4, []float64{60}, 100, ""},
	} {
		t.Run(name, func(t *testing.T) {
			r := newStepRig(c.desired, c.p)
			r.seconds(1, rings("p", 50, c.values...))
			if r.desired != c.want || r.last.NotScaled != c.notScaled {
				t.Errorf("%d tasks, not scaled %q, want %d, %q (%s)", r.desired, r.last.NotScaled, c.want, c.notScaled, r.last.Reason)
			}
		})
	}
}

// While an alarm rings its action runs once a minute; in the cooldown what was
// added counts.
func TestStepCooldowns(t *testing.T) {
	p := stepPolicy("p", ChangeInCapacity, steps([3]float64{0, 10, 2}, [3]float64{10, open, 3}))
	p.ScaleOut, p.ScaleIn = 300*time.Second, 300*time.Second
	in := stepPolicy("in", ChangeInCapacity, steps([3]float64{open, 0, -1}))
	in.ScaleOut, in.ScaleIn = 100*time.Second, 100*time.Second
	r := newStepRig(10, p, in)
	for i, s := range []struct {
		seconds   int
		ring      Ringing
		want      int
		notScaled string
	}{
		{1, rings("p", 50, 55), 12, ""},
		{59, rings("p", 50, 55), 12, ""},
		{1, rings("p", 50, 55), 12, AtDesired}, // +2 was added already
		{60, rings("p", 50, 65), 13, ""},       // +3 adds one more
		{60, rings("p", 50, 65), 13, AtDesired},
		{120, rings("p", 50, 65), 13, AtDesired},
		{180, rings("p", 50, 65), 16, ""}, // the cooldown of the second scale-out is over
		{10, rings("in", 50, 40), 15, ""}, // scale-in does not wait for a scale-out's cooldown
		{60, rings("in", 50, 40), 15, ""}, // but for its own
		{60, rings("in", 50, 40), 14, ""},
		{1, rings("p", 50, 55), 16, ""}, // a scale-out ends it
		{1, rings("in", 50, 40), 15, ""},
	} {
		r.last = Decision{}
		r.seconds(s.seconds, s.ring)
		if r.desired != s.want || r.last.NotScaled != s.notScaled {
			t.Errorf("step %d: %d tasks, not scaled %q, want %d, %q (%s)", i, r.desired, r.last.NotScaled, s.want, s.notScaled, r.last.Reason)
		}
	}
}

// Tasks that find no place do not call for ever more: scale-out reckons from
// the running count.
func TestStepReckonsFromTheRunningCount(t *testing.T) {
	p := stepPolicy("p", ChangeInCapacity, steps([3]float64{0, open, 2}))
	cfg := Config{Min: 1, Max: 100, Policies: []Policy{p}}
	obs := Observation{Second: busy(5, 0), Measured: true, Desired: 9, Ringing: []Ringing{rings("p", 50, 60)}}
	if d, _ := Decide(cfg, State{}, obs, time.Unix(1000, 0)); d.Desired != 9 || d.NotScaled != AtDesired {
		t.Errorf("5 of 9 run: %d tasks, not scaled %q, want 9 as they are (%s)", d.Desired, d.NotScaled, d.Reason)
	}
	down := stepPolicy("p", ChangeInCapacity, steps([3]float64{0, open, -2}))
	cfg.Policies[0] = down
	obs.Second.Starting = 4
	if d, _ := Decide(cfg, State{}, obs, time.Unix(1000, 0)); d.Desired != 7 {
		t.Errorf("5 run and 4 start: %d tasks, want 7 (%s)", d.Desired, d.Reason)
	}
}

func TestStepBoundsAndOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		kind := rapid.SampledFrom([]string{ChangeInCapacity, ExactCapacity, PercentChangeInCapacity}).Draw(t, "kind")
		var all []model.StepAdjustment
		least := -20
		if kind == ExactCapacity {
			least = 0
		}
		bounds := rapid.SliceOfNDistinct(rapid.IntRange(-40, 40), 1, 6, rapid.ID).Draw(t, "bounds")
		slices.Sort(bounds)
		adjustment := rapid.IntRange(least, 10).Draw(t, "least")
		for i := 0; i <= len(bounds); i++ {
			var s model.StepAdjustment
			if i > 0 {
				b := float64(bounds[i-1])
				s.Lower = &b
			}
			if i < len(bounds) {
				b := float64(bounds[i])
				s.Upper = &b
			}
			adjustment += rapid.IntRange(0, 20).Draw(t, fmt.Sprint("step", i))
			s.Adjustment = adjustment
			all = append(all, s)
		}
		desired := rapid.IntRange(0, 60).Draw(t, "desired")
		low := rapid.IntRange(0, 30).Draw(t, "min")
		cfg := Config{Min: low, Max: low + rapid.IntRange(0, 30).Draw(t, "max"), Policies: []Policy{stepPolicy("p", kind, all)}}
		at := func(v float64) int {
			obs := Observation{Second: busy(desired, 0), Measured: true, Desired: desired, Ringing: []Ringing{rings("p", 50, v)}}
			d, _ := Decide(cfg, State{}, obs, time.Unix(1000, 0))
			if d.Desired != desired && (d.Desired < cfg.Min || d.Desired > cfg.Max) {
				t.Fatalf("metric at %v: %d tasks, outside %d to %d", v, d.Desired, cfg.Min, cfg.Max)
			}
			return d.Desired
		}
		x := rapid.Float64Range(-60, 160).Draw(t, "metric")
		y := x + rapid.Float64Range(0, 100).Draw(t, "more")
		if a, b := at(x), at(y); a > b && desired >= cfg.Min && desired <= cfg.Max {
			t.Fatalf("metric at %v: %d tasks, at %v fewer: %d", x, a, y, b)
		}
	})
}

// An action that finds no step says so, whatever else holds the count.
func TestStepActionWithoutAStepIsTold(t *testing.T) {
	for name, c := range map[string]struct {
		values []float64
		want   string
	}{
		"no datapoints": {nil, "alarm alarm-out came without datapoints: no step can be chosen"},
		"no step":       {[]float64{45}, "alarm alarm-out: 45 is 5 below threshold 50, where no step adjustment is"},
	} {
		t.Run(name, func(t *testing.T) {
			r := newStepRig(4, Policy{Name: "own", Metric: Customized, Target: 10}, guideOut())
			r.seconds(3)
			r.seconds(1, rings("out", 50, c.values...))
			if r.desired != 4 || r.last.Reason.String() != c.want || r.last.Policy != "out" || r.last.NotScaled != "" {
				t.Errorf("%d tasks, policy %s, %q, want 4 because %q", r.desired, r.last.Policy, r.last.Reason, c.want)
			}
		})
	}
}
