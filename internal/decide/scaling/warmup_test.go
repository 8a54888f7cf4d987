package scaling

import (
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"

	"neargate/internal/model"
)

// TestWarmingUpIsNoLoad: a task that burns its quota after it has begun to
// serve, for whatever the app needs, orders no tasks: nothing has been asked,
// or too little to account for it.
func TestWarmingUpIsNoLoad(t *testing.T) {
	for name, rate := range map[string]float64{"no requests": 0, "few requests": 0.5} {
		for _, warmUp := range []int{1, 8, 30, 80} {
			t.Run(name, func(t *testing.T) {
				p := newPlant(1, live(1, 8, cpuPolicy(50)), 1)
				p.each, p.warmUp, p.start = 0.02, warmUp, 1
				p.run(60, constant(rate))
				p.actions = 0
				// A deployment: the new task comes, then the old one goes.
				p.deploying = true
				p.starting = append(p.starting, 2)
				p.run(4, constant(rate))
				p.running--
				p.deploying = false
				p.run(200, constant(rate))
				if p.actions != 0 {
					t.Errorf("%d s of start-up work moved the count:\n%s", warmUp, p.text())
				}
			})
		}
	}
}

// TestLoadOnYoungTasksCounts: tasks that have just come hide no load that is
// asked of them, so a second step is answered as fast as the first.
func TestLoadOnYoungTasksCounts(t *testing.T) {
	p := newPlant(1, live(2, 40, cpuPolicy(50)), 2)
	p.start = 1
	p.run(120, constant(5))
	p.run(10, constant(40))
	if p.desired < 8 {
		t.Fatalf("the first step ordered %d tasks:\n%s", p.desired, p.text())
	}
	p.run(5, constant(120))
	if p.desired < 22 {
		t.Errorf("the second step, while most tasks are young, ordered %d tasks:\n%s", p.desired, p.text())
	}
}

// TestServingStaysInItsBounds: what young tasks are forgiven is at most what
// they can have used, and never what was asked.
func TestServingStaysInItsBounds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := second{ServiceSecond: clean(model.ServiceSecond{
			Interval: time.Second, CPUPerTask: time.Second, Balanced: rapid.Bool().Draw(t, "balanced"),
			Running:   rapid.IntRange(0, 20).Draw(t, "running"),
			CPU:       time.Duration(rapid.Int64Range(0, 20e9).Draw(t, "cpu")),
			Completed: rapid.IntRange(0, 100).Draw(t, "completed"),
			InFlight:  rapid.IntRange(0, 100).Draw(t, "in flight"),
			Latency: model.Buckets{
				Values: []float64{rapid.Float64().Draw(t, "took"), math.Inf(1), math.NaN(), -1},
				Counts: rapid.SliceOfN(rapid.Uint64Range(0, 100), 0, 4).Draw(t, "counts"),
			},
		}), young: rapid.IntRange(0, 20).Draw(t, "young"), held: rapid.IntRange(0, 100).Draw(t, "held")}
		got := s.serving()
		asked, known := s.asked()
		least := s.CPU - time.Duration(s.young)*s.CPUPerTask
		if known {
			least = max(least, min(asked, s.CPU))
		} else {
			least = s.CPU
		}
		if got > s.CPU || got < least {
			t.Fatalf("%s of %s count, want at least %s", got, s.CPU, least)
		}
	})
}
