package scaling

import (
	"testing"
	"time"

	"neargate/internal/model"
)

// busy is a second of n tasks of one vCPU at a utilisation.
func busy(n int, percent float64) model.ServiceSecond {
	return model.ServiceSecond{
		Running: n, Sampled: n, CPUPerTask: time.Second, Interval: time.Second,
		CPU: time.Duration(float64(n) * percent / 100 * float64(time.Second)),
	}
}

func TestAlarmTimingFollowsTheAlarms(t *testing.T) {
	type step struct {
		seconds   int
		percent   float64
		running   int
		high, low bool
		want      int    // desired count after these seconds
		notScaled string // at the last of them
	}
	cases := map[string]struct {
		cfg   Config
		steps []step
	}{
		"quiet alarms change nothing": {steps: []step{{120, 90, 4, false, false, 4, ""}}},
		"high alarm: count × metric ÷ target, rounded up": {
			steps: []step{{60, 62, 4, false, false, 4, ""}, {1, 62, 4, true, false, 5, ""}}, // 4×62÷50 = 4.96
		},
		"one action a minute, from the running count": {
			steps: []step{
				{60, 100, 4, false, false, 4, ""},
				{1, 100, 4, true, false, 8, ""},
				{59, 100, 4, true, false, 8, ""}, // four new tasks are starting
				{1, 100, 4, true, false, 8, AtDesired},
				{60, 100, 8, true, false, 8, AtDesired}, // in the scale-out cooldown what was added counts
				{60, 100, 8, true, false, 16, ""},
			},
		},
		"low alarm rounds up too": {
			steps: []step{{60, 21, 8, false, false, 8, ""}, {1, 21, 8, false, true, 4, ""}}, // 8×21÷50 = 3.36
		},
		"low alarm at the minimum": {
			steps: []step{{60, 1, 2, false, false, 2, ""}, {1, 1, 2, false, true, 2, AtMin}},
		},
		"low alarm whose result, rounded up, is the count": {
			steps: []step{{60, 40, 4, false, false, 4, ""}, {1, 40, 4, false, true, 4, AtDesired}}, // 4×40÷50 = 3.2
		},
		"high alarm at the maximum": {
			steps: []step{{60, 100, 20, false, false, 20, ""}, {1, 100, 20, true, false, 20, AtMax}},
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			cfg := Config{Min: 2, Max: 20, Timing: AWS60, Policies: []Policy{cpuPolicy(50)}}
			cfg.Policies[0].ScaleOut = time.Minute
			var st State
			now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
			desired := c.steps[0].running
			for i, s := range c.steps {
				var d Decision
				for range s.seconds {
					now = now.Add(time.Second)
					obs := Observation{
						Second: busy(s.running, s.percent), Measured: true, Desired: desired,
						Alarms: []Alarms{{Policy: "cpu", High: s.high, Low: s.low}},
					}
					d, st = Decide(cfg, st, obs, now)
					desired = d.Desired
				}
				if desired != s.want || d.NotScaled != s.notScaled {
					t.Errorf("after step %d: desired %d, not scaled %q, want %d, %q (%s)", i, desired, d.NotScaled, s.want, s.notScaled, d.Reason)
				}
			}
		})
	}
}

func TestAlarmTimingBeginsWithOneTask(t *testing.T) {
	cfg := Config{Min: 0, Max: 10, Timing: AWS60, Policies: []Policy{{Name: "queue", Metric: Customized, Target: 10}}}
	var st State
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	see := func(desired, running int, value float64) Decision {
		now = now.Add(time.Minute)
		var d Decision
		d, st = Decide(cfg, st, Observation{
			Second: busy(running, 0), Measured: true, Desired: desired, Alarms: []Alarms{{Policy: "queue", High: true}},
			Values: []MetricValue{{Policy: "queue", Start: now.Add(-time.Minute), Period: time.Minute, Value: value}},
		}, now)
		return d
	}
	if d := see(0, 0, 55); d.Desired != 1 {
		t.Errorf("from no task: %+v (%s), want one", d, d.Reason)
	}
	if d := see(1, 0, 55); d.Desired != 1 {
		t.Errorf("while none runs: %+v (%s), want no more", d, d.Reason)
	}
	if d := see(1, 1, 55); d.Desired != 6 {
		t.Errorf("from the running one: %+v (%s), want 6", d, d.Reason)
	}
}
