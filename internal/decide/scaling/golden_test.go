package scaling

import (
	"math"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// The goldens show every action of a run with its reason. UPDATE=1 rewrites them.
func TestGoldenRuns(t *testing.T) {
	for name, run := range goldenRuns(newPlant) {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join("testdata", name+".txt")
			got := run().text()
			if os.Getenv("UPDATE") != "" {
				if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Errorf("run %s (-want +got):\n%s", name, diff)
			}
		})
	}
}

// TestStateSurvivesARestart: nothing that a decision rests on is lost when the
// state is written to disk and read again, at whatever second.
func TestStateSurvivesARestart(t *testing.T) {
	restarting := func(seed uint64, cfg Config, tasks int) *plant {
		p := newPlant(seed, cfg, tasks)
		p.restarts = true
		return p
	}
	for name, run := range goldenRuns(restarting) {
		t.Run(name, func(t *testing.T) {
			want, err := os.ReadFile(filepath.Join("testdata", name+".txt"))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), run().text()); diff != "" {
				t.Errorf("run %s (-without +with restarts):\n%s", name, diff)
			}
		})
	}
}

// goldenRuns are the runs by name; newPlant creates their plants.
func goldenRuns(newPlant func(seed uint64, cfg Config, tasks int) *plant) map[string]func() *plant {
	return map[string]func() *plant{
		"step": func() *plant {
			p := newPlant(1, live(2, 20, cpuPolicy(50)), 2)
			p.run(120, constant(10))
			p.run(600, constant(80))
			p.run(300, constant(10))
			return p
		},
		"ramp": func() *plant {
			p := newPlant(1, live(2, 20, cpuPolicy(50)), 2)
			p.run(120, constant(10))
			p.run(300, func(t int) float64 { return 10 + float64(t)*70/300 })
			p.run(300, constant(80))
			p.run(300, func(t int) float64 { return 80 - float64(t)*70/300 })
			p.run(300, constant(10))
			return p
		},
		"sine": func() *plant {
			p := newPlant(1, live(2, 20, cpuPolicy(50)), 9)
			p.run(7200, func(t int) float64 { return 45 + 35*math.Sin(2*math.Pi*float64(t)/3600) })
			return p
		},
		"constant": func() *plant {
			p := newPlant(1, live(2, 20, cpuPolicy(50)), 2)
			p.run(7200, constant(42))
			return p
		},
		"outage": func() *plant { // no data for ten minutes, in which the load goes
			p := newPlant(1, live(2, 20, cpuPolicy(50)), 10)
			p.run(300, constant(45))
			p.lost = true
			p.run(600, constant(45))
			p.lost = false
			p.run(300, constant(5))
			return p
		},
		"users": func() *plant { // 50 users who wait for each answer, on small tasks
			p := newPlant(1, live(2, 20, cpuPolicy(50)), 2)
			p.cores, p.start = 0.25, 1
			p.run(60, constant(0))
			p.users = 50
			p.run(120, constant(0))
			p.users = 0
			p.run(120, constant(0))
			return p
		},
		"stall": func() *plant { // what a stall held up comes at once after it
			p := newPlant(1, live(2, 20, cpuPolicy(50)), 8)
			p.cores, p.start, p.each = 0.25, 1, 0.02
			p.run(600, constant(40))
			for seconds := range 4 {
				p.stall(seconds, 40)
				p.run(90, constant(40))
			}
			return p
		},
		"unbalanced": func() *plant {
			p := newPlant(1, live(2, 20, cpuPolicy(50)), 2)
			p.unbalanced = true
			p.run(120, constant(10))
			p.run(300, constant(80))
			p.run(300, constant(10))
			return p
		},
		"ramped-users": func() *plant { // one more user each second, as in a load test's ramp
			p := newPlant(1, live(2, 20, cpuPolicy(50)), 2)
			p.cores, p.start, p.each = 0.25, 1, 0.05
			p.run(30, constant(0))
			for users := 1; users <= 50; users++ {
				p.users = users
				p.run(1, constant(0))
			}
			p.run(60, constant(0))
			p.users = 0
			p.run(120, constant(0))
			return p
		},
		"start-up-work": func() *plant { // starting tasks burn their whole quota
			p := newPlant(1, live(2, 20, cpuPolicy(50)), 2)
			p.boot = 1
			p.run(120, constant(9))
			p.run(300, constant(14))
			return p
		},
		"idle-work": func() *plant { // ten times the requests are still next to nothing
			p := newPlant(1, live(2, 20, cpuPolicy(50)), 2)
			p.idle, p.each = 0.1, 0.02
			p.run(120, constant(0.5))
			p.run(300, constant(5))
			return p
		},
		"dearer-requests": func() *plant { // the CPU of a request doubles, then halves
			p := newPlant(1, live(2, 20, cpuPolicy(50)), 8)
			p.run(300, constant(38))
			p.each = 0.2
			p.run(300, constant(38))
			p.each = 0.1
			p.run(300, constant(38))
			return p
		},
		"target-80": func() *plant {
			p := newPlant(1, live(2, 20, cpuPolicy(80)), 2)
			p.run(300, constant(14))
			p.run(300, constant(40))
			p.run(300, constant(14))
			return p
		},
		"requests": func() *plant {
			policy := Policy{Name: "requests", Metric: RequestsPerTarget, Target: 600, ScaleIn: 60 * time.Second}
			p := newPlant(1, live(1, 10, policy), 1)
			p.run(120, constant(8))
			p.run(300, constant(44))
			p.run(300, constant(8))
			return p
		},
	}
}
