package contest_test

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"neargate/internal/sim"
	"neargate/internal/sim/contest"
)

// TestTraces holds runs of the simulator, second by second, against what they
// were: the same seed gives the same bytes, today and tomorrow. The scalers are
// those of others, whose rules do not change. UPDATE=1 rewrites the traces;
// commit a change only if it is understood and wanted.
func TestTraces(t *testing.T) {
	if runtime.GOARCH != "amd64" {
		t.Skipf("the traces are of amd64; %s rounds products and sums together", runtime.GOARCH)
	}
	rates := make([]float64, 420)
	for i := range rates {
		rates[i] = 25 + 20*math.Sin(float64(i)/60)
		if i >= 200 && i < 230 {
			rates[i] = 120
		}
	}
	calm := contest.Scenario{Name: "calm", Min: 2, Max: 20, Target: 50, Plant: sim.Config{
		Seed: 42, Rates: rates, Demand: 100 * time.Millisecond, CV: 0.2, TaskVCPU: 1, Start: 4 * time.Second, PerTask: 2, SLO: 500 * time.Millisecond,
	}}
	rough := calm
	rough.Name = "rough"
	rough.Plant.CV, rough.Plant.TaskVCPU, rough.Plant.PerTask, rough.Plant.Routing = 1, 0.5, 0, sim.PowerOfTwo
	rough.Plant.Quota.Cores, rough.Plant.StartJitter, rough.Plant.StartCPU = 2, 3*time.Second, 0.7
	rough.Plant.Faults = sim.Faults{
		Crashes: 6, SlowStarts: 0.2, SlowFactor: 4, LostSeconds: 0.05, LostSamples: 0.1,
		Stalls: []sim.Stall{{At: 100, For: 12}}, Jumps: []sim.Jump{{At: 250, By: -time.Hour}}, Drift: []float64{1, 1.2},
	}
	for _, sc := range []contest.Scenario{calm, rough} {
		t.Run(sc.Name, func(t *testing.T) {
			rep, err := contest.Run(sc, all(t, "hpa", "kpa", "reactive", "clairvoyant"), 2)
			if err != nil {
				t.Fatal(err)
			}
			var b strings.Builder
			for _, r := range rep.Results {
				trace(&b, r)
			}
			path := filepath.Join("testdata", sc.Name+".txt")
			if os.Getenv("UPDATE") != "" {
				if err := os.WriteFile(path, []byte(b.String()), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(b.String(), "\n")); diff != "" {
				t.Errorf("trace (-want +got):\n%s", diff)
			}
		})
	}
}

// trace writes every tenth second and all orders of a run.
func trace(b *strings.Builder, r contest.Result) {
	m := r.Measures
	fmt.Fprintf(b, "%s: %d requests, %d failed, %.2f %% late, p50 %.3f s, p99 %.3f s, %.1f task-seconds, cost %.3f, under %.1f %%\n",
		r.Name, m.Requests, m.Failed, m.LatePercent, m.P50, m.P99, m.TaskSeconds, r.Cost, m.UnderShare)
	orders := r.Run.Orders
	for i, s := range r.Run.Seconds {
		for len(orders) > 0 && orders[0].At <= i {
			fmt.Fprintf(b, "  %3d  %d → %d: %s\n", orders[0].At, orders[0].From, orders[0].To, orders[0].Reason)
			orders = orders[1:]
		}
		if i%10 == 9 {
			fmt.Fprintf(b, "  %3d  running %d starting %d draining %d queued %d in flight %d answered %d late %d cpu %.3f\n",
				i, s.Running, s.Starting, s.Drained, s.Queued, s.InFlight, s.Completed, s.Late, s.CPU)
		}
	}
}

// TestLimitsAreToldTheTruth: the demand drifts to twice its mean, and half of
// what scalers see is lost: the clairvoyant still has what is needed, and that
// is twice as much.
func TestLimitsAreToldTheTruth(t *testing.T) {
	sc := step()
	sc.Max = 40
	sc.Plant.Faults = sim.Faults{LostSeconds: 0.5, Stalls: []sim.Stall{{At: 290, For: 30}}, Drift: []float64{2}}
	rep, err := contest.Run(sc, all(t, "reactive", "clairvoyant"), 1)
	if err != nil {
		t.Fatal(err)
	}
	if rep.Need[0] != 4 || rep.Need[300] != 32 || rep.Results[0].Run.Orders[0].To != 32 || rep.Results[0].Step.FirstOrder != 0 {
		t.Errorf("need %d and %d, reactive orders %+v", rep.Need[0], rep.Need[300], rep.Results[0].Run.Orders)
	}
	if m := rep.Results[1].Measures; m.UnderShare != 0 {
		t.Errorf("clairvoyant is short %v %% of the time", m.UnderShare)
	}
}
