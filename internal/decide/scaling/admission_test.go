package scaling

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"neargate/internal/model"
)

// sample is a second of tasks of one core whose requests take 100 ms of CPU.
func sample(running int, use float64, arrivals, completed, inFlight, queued int) model.ServiceSecond {
	return model.ServiceSecond{
		Interval: time.Second, Balanced: true, Running: running, Sampled: running, CPUPerTask: time.Second,
		CPU:      time.Duration(use * float64(running) * float64(time.Second)),
		Arrivals: arrivals, Completed: completed, InFlight: inFlight, Queued: queued,
	}
}

// calm is two minutes of two tasks that are 40 % busy; a request is there for
// response seconds.
func calm(response float64) []model.ServiceSecond {
	var out []model.ServiceSecond
	for range 120 {
		out = append(out, sample(2, 0.4, 8, 8, int(8*response+0.5), 0))
	}
	return out
}

func TestAdmission(t *testing.T) {
	flood := sample(2, 1, 80, 18, 62, 0)
	full := sample(2, 1, 80, 20, 6, 118)
	idle := sample(2, 0.5, 80, 10, 6, 188)
	rest := sample(2, 0.4, 8, 8, 1, 0)
	for _, row := range []struct {
		name   string
		config func(*Config)
		before []model.ServiceSecond
		then   []model.ServiceSecond
		want   int
	}{
		{name: "steady", before: calm(0.125), want: 0},
		{name: "more than the tasks can work on", before: calm(0.125), then: []model.ServiceSecond{flood}, want: 3},
		{name: "and so on, while requests wait", before: calm(0.125), then: []model.ServiceSecond{flood, full, full}, want: 3},
		{name: "until none waits and the tasks have time", before: calm(0.125), then: []model.ServiceSecond{flood, full, rest}, want: 0},
		{name: "not while the tasks are full still", before: calm(0.125), then: []model.ServiceSecond{flood, full, sample(2, 0.95, 20, 20, 4, 0)}, want: 3},
		{name: "requests that mostly wait for something else", before: calm(5), then: []model.ServiceSecond{sample(2, 1, 200, 18, 250, 0)}, want: 100},
		{name: "as many of those as fill the tasks", before: calm(5), then: []model.ServiceSecond{sample(2, 1, 80, 18, 180, 0)}, want: 0},
		{name: "requests wait, but not for CPU", before: calm(0.125), then: []model.ServiceSecond{sample(2, 0.5, 80, 10, 70, 0)}, want: 0},
		{name: "a second of too narrow a limit", before: calm(0.125), then: []model.ServiceSecond{flood, idle}, want: 3},
		{name: "two of them", before: calm(0.125), then: []model.ServiceSecond{flood, idle, idle}, want: 6},
		{name: "six of them", before: calm(0.125), then: []model.ServiceSecond{flood, idle, idle, idle, idle, idle, idle}, want: 24},
		{name: "nothing known of the requests", then: []model.ServiceSecond{flood}, want: 0},
		{name: "no CPU measured", before: calm(0.125), then: []model.ServiceSecond{{Interval: time.Second, Balanced: true, Running: 2, Arrivals: 80, InFlight: 80}}, want: 0},
		{name: "an AWS timing", config: func(c *Config) { c.Timing = AWS60 }, before: calm(0.125), then: []model.ServiceSecond{flood}, want: 0},
		{name: "no policy", config: func(c *Config) { c.Policies = nil }, before: calm(0.125), then: []model.ServiceSecond{flood}, want: 0},
	} {
		t.Run(row.name, func(t *testing.T) {
			cfg := live(2, 20, cpuPolicy(50))
			if row.config != nil {
				row.config(&cfg)
			}
			var st State
			var d Decision
			now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
			for _, s := range append(row.before, row.then...) {
				now = now.Add(time.Second)
				d, st = Decide(cfg, st, Observation{Second: s, Measured: true, Desired: 2}, now)
			}
			if d.PerTask != row.want {
				t.Errorf("%d in flight at a task, want %d: %s", d.PerTask, row.want, d.Reason)
			}
			held, _ := Decide(cfg, st, Observation{Desired: 2}, now.Add(time.Second))
			if held.PerTask != row.want {
				t.Errorf("a second without data made it %d", held.PerTask)
			}
		})
	}
}

// Whatever is measured, a limit leaves a task its work: two requests at least,
// or any number; and tasks that are kept from work get more until they are not.
func TestAdmissionKeepsNoTaskIdle(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var st State
		cfg := live(1, 20, cpuPolicy(50))
		now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
		step := func(s model.ServiceSecond) int {
			now = now.Add(time.Second)
			var d Decision
			d, st = Decide(cfg, st, Observation{Second: s, Measured: true, Desired: 2}, now)
			if d.PerTask != 0 && d.PerTask < leastPerTask {
				t.Fatalf("%d in flight at a task", d.PerTask)
			}
			return d.PerTask
		}
		running := rapid.IntRange(1, 20).Draw(t, "running")
		for range rapid.IntRange(1, 60).Draw(t, "seconds") {
			n := rapid.IntRange(0, 500)
			step(sample(running, rapid.Float64Range(0, 1.1).Draw(t, "use"), n.Draw(t, "arrivals"), n.Draw(t, "completed"), n.Draw(t, "in flight"), n.Draw(t, "queued")))
		}
		need := rapid.IntRange(1, 1000).Draw(t, "need") // in flight, to fill a task
		for range 60 {
			limit := st.Admission.PerTask
			if limit == 0 || limit >= need {
				return
			}
			step(sample(running, 0.5*float64(limit)/float64(need), 10, 10, limit*running, 100))
		}
		t.Fatalf("after a minute a task that needs %d in flight has %d", need, st.Admission.PerTask)
	})
}
