// Package contest runs autoscalers against each other: the same requests on
// the same plant, one run for each contestant, measured against the same need
// and the same limits.
//
// Run is the one entry. A contestant is a service as the server would scale it
// (Service), or one of Names: the autoscalers of others and the limits no
// scaler can beat.
//
//	sc := contest.Scenario{
//		Name:  "step",
//		Plant: sim.Config{Seed: 1, Rates: rates, Demand: 100 * time.Millisecond, CV: 0.2, TaskVCPU: 1, Start: 10 * time.Second, PerTask: 2, SLO: 500 * time.Millisecond},
//		Min: 2, Max: 20, Target: 50,
//	}
//	list, err := contest.Named("live", "aws-20", "hpa", "reactive", "clairvoyant")
//	report, err := contest.Run(sc, list, runtime.GOMAXPROCS(0))
//
// Results depend on the scenario alone: not on which other contestants run,
// nor on how many run at once.
package contest

import (
	"errors"
	"fmt"
	"math"
	"sync"
	"time"

	"neargate/internal/sim"
	"neargate/internal/sim/baseline"
	"neargate/internal/sim/measure"
)

// Scenario is a load and a plant, and what scalers are told of the service.
type Scenario struct {
	Name string

	// Plant has the load, the tasks, the balancer, the faults and the SLO. Its
	// Scaler is ignored. Initial 0 begins with what the first second needs.
	Plant sim.Config

	Min, Max int     // bounds of the count
	Target   float64 // utilisation of a task's CPU, percent
	// Cooldown is of the named policies, in both directions; 0 is ECS's 300 s.
	Cooldown time.Duration

	// Step is the second in which the load steps up, for Result.Step; 0 is none.
	Step int

	// Capacity is for the contestants of the SLO, with p99 at most Plant.SLO.
	// When one of them is there and Capacity is empty, Run finds it, which
	// takes seconds; Report has it to be kept.
	Capacity sim.Capacity
}

// Report is what a contest shows.
type Report struct {
	Scenario Scenario // Plant.Initial and Capacity as they were used
	Need     []int    // tasks for each second at the target utilisation
	Optimum  float64  // the least task-seconds that meet Need
	Physics  float64  // the shortest recovery from the step, in seconds
	Results  []Result // in the order of the contestants
}

// Result is one contestant's run.
type Result struct {
	Name     string
	Run      sim.Result // second by second, and the orders with their reasons
	Measures measure.Measures
	Step     measure.Response // when the scenario has a step

	Cost     float64 // task-seconds ÷ Optimum; compare it at equal violations
	Late     float64 // late requests ÷ those of the reactive limit
	Recovery float64 // recovery ÷ Physics; +Inf when it did not recover
}

// Run runs each contestant through the scenario, up to parallel at once.
func Run(sc Scenario, contestants []Contestant, parallel int) (Report, error) {
	if err := sc.complete(contestants); err != nil {
		return Report{}, err
	}
	need := sc.need().Series(sc.Plant.Loads())
	first, _ := sim.Schedule(need, sc.Plant.Start.Seconds())
	rep := Report{
		Scenario: sc, Need: need, Results: make([]Result, len(contestants)),
		Optimum: sim.Optimum(need, sc.Plant.Start.Seconds(), first), Physics: sc.physics(),
	}
	// The reactive limit runs once more, as the last: the others' late
	// requests are compared with its.
	runs := append(append([]Contestant(nil), contestants...), reactive())
	results, errs := make([]sim.Result, len(runs)), make([]error, len(runs))
	var wait sync.WaitGroup
	slots := make(chan struct{}, max(parallel, 1))
	for i, c := range runs {
		wait.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			results[i], errs[i] = sc.run(c)
		})
	}
	wait.Wait()
	if err := errors.Join(errs...); err != nil {
		return Report{}, err
	}
	limit := results[len(contestants)]
	for i, c := range contestants {
		rep.Results[i] = rep.result(c.Name, results[i], limit)
	}
	return rep, nil
}

// complete checks the scenario and fills in what was left open.
func (sc *Scenario) complete(contestants []Contestant) error {
	var errs []error
	check := func(ok bool, format string, args ...any) {
		if !ok {
			errs = append(errs, fmt.Errorf(format, args...))
		}
	}
	check(sc.Min >= 0, "minimum %d must not be negative", sc.Min)
	check(sc.Max >= max(sc.Min, 1), "maximum %d must be at least 1 and the minimum %d", sc.Max, sc.Min)
	check(sc.Target > 0 && !math.IsInf(sc.Target, 0), "target %v must be above 0", sc.Target)
	check(sc.Cooldown >= 0, "cooldown %v must not be negative", sc.Cooldown)
	check(sc.Step >= 0 && sc.Step < max(len(sc.Plant.Rates), 1), "step at second %d is outside the load", sc.Step)
	check(len(contestants) > 0, "no contestant")
	seen := map[string]bool{}
	for _, c := range contestants {
		check(!seen[c.Name], "contestant %q is there twice", c.Name)
		seen[c.Name] = true
		if c.refused != nil {
			errs = append(errs, fmt.Errorf("%s: %w", c.Name, c.refused))
		}
	}
	plant := sc.Plant
	plant.Scaler = baseline.Fixed(0)
	errs = append(errs, plant.Validate())
	if err := errors.Join(errs...); err != nil {
		return err
	}
	if sc.Cooldown == 0 {
		sc.Cooldown = 300 * time.Second
	}
	if sc.Plant.Initial == 0 {
		sc.Plant.Initial = sc.need()(sc.Plant.Loads()[0])
	}
	return sc.findCapacity(contestants)
}

func (sc *Scenario) findCapacity(contestants []Contestant) (err error) {
	for _, c := range contestants {
		if c.slo && len(sc.Capacity.Rates) == 0 {
			if sc.Plant.SLO <= 0 {
				return fmt.Errorf("%s: the scenario has no SLO", c.Name)
			}
			sc.Capacity, err = sim.NewCapacity(sc.Plant, sloPercentile, sc.Max)
			return err
		}
	}
	return nil
}

func (sc *Scenario) setting() baseline.Setting {
	return baseline.Setting{Min: sc.Min, Max: sc.Max, Initial: sc.Plant.Initial, Target: sc.Target, VCPU: sc.Plant.TaskVCPU}
}

// need is the demand at the target utilisation.
func (sc *Scenario) need() baseline.Demand {
	return baseline.Utilization(sc.setting(), sc.Plant.Demand)
}

// sloNeed is the demand within the SLO.
func (sc *Scenario) sloNeed(rate float64) int {
	return min(max(sc.Capacity.Need(rate), sc.Min), sc.Max)
}

func (sc *Scenario) physics() float64 {
	if sc.Step == 0 {
		return 0
	}
	loads := sc.Plant.Loads()
	running := sc.need()(loads[sc.Step-1])
	load := loads[sc.Step] * sc.Plant.Demand.Seconds()
	return measure.Physics(load, sc.Plant.TaskVCPU, running, sc.Max, sc.Plant.Start.Seconds())
}

func (sc Scenario) run(c Contestant) (sim.Result, error) {
	cfg := sc.Plant
	if c.limit {
		cfg.Faults = cfg.Faults.Unseen()
	}
	cfg.Scaler, cfg.Initial = c.enter(&sc)
	r, err := sim.Run(cfg)
	if err != nil {
		return r, fmt.Errorf("run %s: %w", c.Name, err)
	}
	return r, nil
}

func (rep *Report) result(name string, run, limit sim.Result) Result {
	r := Result{Name: name, Run: run, Measures: measure.Of(run, rep.Need)}
	r.Cost = measure.Ratio(run.TaskSeconds, rep.Optimum)
	r.Late = measure.Ratio(run.LatePercent(), limit.LatePercent())
	if at := rep.Scenario.Step; at > 0 {
		r.Step = measure.Step(run, at, rep.Need[at])
		r.Recovery = math.Inf(1)
		if r.Step.Recovered >= 0 {
			r.Recovery = measure.Ratio(float64(r.Step.Recovered), rep.Physics)
		}
	}
	return r
}
