package contest_test

import (
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	"neargate/internal/decide/scaling"
	"neargate/internal/model"
	"neargate/internal/sim"
	"neargate/internal/sim/contest"
)

// step is the 8-fold step: 10 → 80 requests a second of 100 ms.
func step() contest.Scenario {
	rates := make([]float64, 1200)
	for i := range rates {
		rates[i] = 10
		if i >= 300 {
			rates[i] = 80
		}
	}
	return contest.Scenario{
		Name: "step", Min: 2, Max: 20, Target: 50, Step: 300,
		Plant: sim.Config{
			Seed: 1, Rates: rates, Demand: 100 * time.Millisecond, CV: 0.2, TaskVCPU: 1, Start: 10 * time.Second, PerTask: 2, SLO: 500 * time.Millisecond,
		},
		Capacity: sim.Capacity{Rates: []float64{0, 3, 11, 22, 32, 42, 51, 60, 69, 78, 88, 97, 106, 116, 126, 136, 147, 156, 166, 176, 186}},
	}
}

func all(t *testing.T, names ...string) []contest.Contestant {
	t.Helper()
	list, err := contest.Named(names...)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func TestEveryNameRuns(t *testing.T) {
	names := append(contest.Names(), "fixed-16")
	rep, err := contest.Run(step(), all(t, names...), 2)
	if err != nil {
		t.Fatal(err)
	}
	by := map[string]contest.Result{}
	for i, r := range rep.Results {
		if r.Name != names[i] || len(r.Run.Seconds) != 1200 || r.Run.Requests != rep.Results[0].Run.Requests {
			t.Errorf("%s (%s): %d seconds, %d requests", r.Name, names[i], len(r.Run.Seconds), r.Run.Requests)
		}
		by[r.Name] = r
		t.Logf("%-16s cost %.3f late %6.2f %% τ_U %5.1f p99 %7.3f orders %3d first order %4d capacity %4d recovery %5.1f×", r.Name, r.Cost,
			r.Measures.LatePercent, r.Measures.UnderShare, r.Measures.P99, r.Measures.Actions, r.Step.FirstOrder, r.Step.Capacity, r.Recovery)
	}
	// One task more or less of the draining ones.
	if c := by["clairvoyant"]; c.Measures.UnderShare != 0 || math.Abs(c.Cost-1) > 0.002 {
		t.Errorf("clairvoyant: %+v, cost %v", c.Measures, c.Cost)
	}
	if r := by["reactive"]; r.Late != 1 || r.Step.FirstOrder != 0 || r.Step.Capacity != 10 {
		t.Errorf("reactive: late %v, %+v", r.Late, r.Step)
	}
	if rep.Physics != 15 || rep.Need[0] != 2 || rep.Need[300] != 16 {
		t.Errorf("physics %v, need %d and %d", rep.Physics, rep.Need[0], rep.Need[300])
	}
	if by["fixed-16"].Run.TaskSeconds != 16*1200 {
		t.Errorf("fixed-16 costs %v", by["fixed-16"].Run.TaskSeconds)
	}
	if slo := by["clairvoyant-slo"]; slo.Run.TaskSeconds > 0.8*by["clairvoyant"].Run.TaskSeconds {
		t.Errorf("clairvoyant-slo costs %v, clairvoyant %v", slo.Run.TaskSeconds, by["clairvoyant"].Run.TaskSeconds)
	}
	// What the sources' constants lead one to expect, in order of speed.
	order := []string{"reactive", "live", "kpa", "hpa-fast", "hpa", "aws-20"}
	for i := 1; i < len(order); i++ {
		a, b := by[order[i-1]].Step.Capacity, by[order[i]].Step.Capacity
		if a < 0 || b < 0 || a > b {
			t.Errorf("capacity after %d s with %s, %d s with %s", a, order[i-1], b, order[i])
		}
	}
}

func TestResultsDependOnTheScenarioAlone(t *testing.T) {
	sc := step()
	sc.Plant.Faults = sim.Faults{Crashes: 2, LostSeconds: 0.05, SlowStarts: 0.2, SlowFactor: 3}
	sc.Plant.StartJitter = 2 * time.Second
	names := []string{"live", "aws-20", "hpa", "kpa", "reactive", "clairvoyant"}
	one, err := contest.Run(sc, all(t, names...), 1)
	if err != nil {
		t.Fatal(err)
	}
	many, err := contest.Run(sc, all(t, names...), 8)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(one, many) {
		t.Error("results differ between one and eight at once")
	}
	alone, err := contest.Run(sc, all(t, "hpa"), 1)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(alone.Results[0], one.Results[2]) {
		t.Error("hpa alone differs from hpa among others")
	}
}

func TestAPolicyAsItWasPut(t *testing.T) {
	put := model.ScalingPolicy{Name: "cpu", Type: "TargetTrackingScaling", Tracking: &model.TargetTracking{
		Predefined: string(scaling.CPU), Target: 50, ScaleOut: 300 * time.Second, ScaleIn: 300 * time.Second,
	}}
	c := contest.Service("mine", sim.Service{Target: model.ScalableTarget{Min: 2, Max: 20}, Timing: scaling.AWS20, Policies: []model.ScalingPolicy{put}})
	rep, err := contest.Run(step(), append(all(t, "aws-20"), c), 1)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(rep.Results[0].Run, rep.Results[1].Run) {
		t.Error("aws-20 and the same policy as it was put differ")
	}
}

func TestRunRefuses(t *testing.T) {
	for name, spoil := range map[string]func(*contest.Scenario){
		"maximum 1 must":       func(sc *contest.Scenario) { sc.Max = 1 },
		"minimum -1 must":      func(sc *contest.Scenario) { sc.Min = -1 },
		"target NaN must":      func(sc *contest.Scenario) { sc.Target = math.NaN() },
		"rate of second 7":     func(sc *contest.Scenario) { sc.Plant.Rates[7] = -1 },
		"step at second 9999":  func(sc *contest.Scenario) { sc.Step = 9999 },
		"the rates are empty":  func(sc *contest.Scenario) { sc.Plant.Rates, sc.Step = nil, 0 },
		"cooldown -1s must":    func(sc *contest.Scenario) { sc.Cooldown = -time.Second },
		"slow start factor 0 ": func(sc *contest.Scenario) { sc.Plant.Faults.SlowStarts = 0.5 },
	} {
		sc := step()
		spoil(&sc)
		if _, err := contest.Run(sc, all(t, "live"), 1); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("want an error with %q, got %v", name, err)
		}
	}
	if _, err := contest.Run(step(), append(all(t, "hpa"), all(t, "hpa")...), 1); err == nil || !strings.Contains(err.Error(), "twice") {
		t.Errorf("the same contestant twice: %v", err)
	}
	if _, err := contest.Named("hap"); err == nil || !strings.Contains(err.Error(), "clairvoyant") {
		t.Errorf("an unknown name: %v", err)
	}
	if _, err := contest.Named("fixed-many"); err == nil {
		t.Error("fixed-many is taken")
	}
	strange := model.ScalingPolicy{Name: "p", Tracking: &model.TargetTracking{Target: 5, Customized: &model.CustomizedMetric{
		Metric: model.MetricID{Namespace: "Mine", Name: "Queue"}, Statistic: "Average",
	}}}
	mine := contest.Service("mine", sim.Service{Target: model.ScalableTarget{Min: 1, Max: 9}, Timing: scaling.Live, Policies: []model.ScalingPolicy{strange}})
	if _, err := contest.Run(step(), []contest.Contestant{mine}, 1); err == nil || err.Error() != `mine: policy p: metric "Queue" of Mine is not simulated` {
		t.Errorf("a metric that is not simulated: %v", err)
	}
	sc := step()
	sc.Plant.SLO, sc.Capacity = 0, sim.Capacity{}
	if _, err := contest.Run(sc, all(t, "reactive-slo"), 1); err == nil || !strings.Contains(err.Error(), "no SLO") {
		t.Errorf("an SLO contestant without SLO: %v", err)
	}
}
