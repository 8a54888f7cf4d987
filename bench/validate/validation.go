package main

import (
	"context"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"time"

	"neargate/internal/cli/stage"
	"neargate/internal/decide/scaling"
	"neargate/internal/sim"
	"neargate/internal/traffic"

	"neargate/bench/rig"
)

// validation runs loads on a stage and in the simulator.
type validation struct {
	*rig.Stage
	options
	w io.Writer
}

// The offered CPU between which the loads move, in vCPU: at 50 % of a quarter
// vCPU, one to eight tasks, and half of two cores. The swing is tenfold on
// purpose. What waits is what comes less what is served: where the two are
// close, a request that costs 5 % more makes the wait 10 or 50 % longer, and
// the p99 says more about the machine's minute than about the simulator.
const lowLoad, highLoad = 0.10, 1.00

func loads() []string { return []string{"step", "sine", "flash"} }

// pattern is a load of the given rates, in requests per second.
func pattern(name string, low, high float64, length time.Duration) (traffic.Pattern, error) {
	part := func(share float64) time.Duration {
		return time.Duration(share * float64(length)).Round(time.Second)
	}
	rates := fmt.Sprintf("%s:low=%.4f,high=%.4f,for=%v", name, low, high, length)
	switch name {
	case "step":
		rates += fmt.Sprintf(",at=%v", part(1./3))
	case "sine":
		rates += fmt.Sprintf(",period=%v", part(1))
	case "flash":
		rates += fmt.Sprintf(",at=%v,over=%v,decay=%v", part(1./6), part(1./36), part(1./4))
	}
	return traffic.ParsePattern(rates)
}

// line is one load with what was measured and what was simulated.
type line struct {
	name        string
	calibration stage.Calibration
	real        outcome
	// foretold is simulated with the calibration alone, simulated with what a
	// request cost in the replay itself.
	foretold, simulated outcome
	// p99 and taskSeconds are where the foretold ones may lie.
	p99, taskSeconds span
}

// off is how far the simulation lies from the measurement, in percent.
func off(simulated, measured float64) float64 { return 100 * (simulated/measured - 1) }

func (l line) String() string {
	return fmt.Sprintf("%-6s p99 %.0f ms measured, %.0f ms simulated (%+.1f %%); task-seconds %.1f, %.1f (%+.1f %%); p50 %.0f, %.0f ms; orders %d, %d; CPU of a request %.1f ms, calibrated %.1f; %d requests, %d failed; other programs %.2f cores",
		l.name, l.real.p99*1000, l.simulated.p99*1000, off(l.simulated.p99, l.real.p99),
		l.real.taskSeconds, l.simulated.taskSeconds, off(l.simulated.taskSeconds, l.real.taskSeconds),
		l.real.p50*1000, l.simulated.p50*1000, l.real.orders, l.simulated.orders,
		l.real.cost*1000, l.calibration.Demand.Seconds()*1000, l.real.requests, l.real.failed, l.real.others)
}

// load calibrates, replays and simulates one load. What a request costs changes
// by the minute on a machine that shares its cores with others, and the tail of
// an overload by twice as much: so each load is calibrated anew, and simulated
// also with what its own requests have cost.
func (v validation) load(ctx context.Context, name string) (line, error) {
	l := line{name: name}
	var err error
	l.calibration, err = v.Calibrate(ctx, func(string) {})
	if err != nil {
		return l, fmt.Errorf("calibrate: %w", err)
	}
	c := l.calibration
	fmt.Fprintf(v.w, "%s: a request costs %.1f ms of CPU (cv %.2f), a task is healthy %v after its order\n", name, c.Demand.Seconds()*1000, c.CV, c.Start.Round(time.Millisecond))
	p, err := pattern(name, lowLoad/c.Demand.Seconds(), highLoad/c.Demand.Seconds(), v.length)
	if err != nil {
		return l, err
	}
	cfg := v.config(p, c)
	if l.real, err = v.replay(ctx, name, sim.Requests(cfg)); err != nil {
		return l, err
	}
	if l.foretold, err = v.outcome(cfg); err != nil {
		return l, err
	}
	if l.p99, l.taskSeconds, err = doubt(cfg); err != nil {
		return l, err
	}
	cfg.Demand = time.Duration(l.real.cost * float64(time.Second))
	l.simulated, err = v.outcome(cfg)
	return l, err
}

func (v validation) config(p traffic.Pattern, c stage.Calibration) sim.Config {
	return sim.Config{
		Seed: v.seed, Rates: p.Rates(rand.New(rand.NewPCG(v.seed, 1)).Float64), //nolint:gosec // must be repeatable
		Demand: c.Demand, CV: c.CV, TaskVCPU: rig.TaskVCPU, Quota: sim.Quota{Cores: cores(), Slice: sim.GoSlice}, Start: c.Start, Initial: least,
	}
}

// simulate runs cfg under the policy of the replay.
func simulate(cfg sim.Config) (sim.Result, error) {
	cfg.Scaler = sim.NewDecider(scaling.Config{Min: least, Max: most, Timing: scaling.Live, Policies: []scaling.Policy{
		{Name: "cpu", Metric: scaling.CPU, Target: target, ScaleOut: cooldown, ScaleIn: cooldown},
	}}, least)
	r, err := sim.Run(cfg)
	if err != nil {
		return r, fmt.Errorf("simulate: %w", err)
	}
	return r, nil
}

// outcome simulates cfg and tells of the orders.
func (v validation) outcome(cfg sim.Config) (outcome, error) {
	r, err := simulate(cfg)
	if err != nil {
		return outcome{}, err
	}
	for _, o := range r.Orders {
		fmt.Fprintf(v.w, "  simulated %4d s  %d to %d %s\n", o.At+1, o.From, o.To, o.Reason)
	}
	return outcome{
		p50: r.Latencies.Percentile(50), p99: r.Latencies.Percentile(99), taskSeconds: r.TaskSeconds,
		orders: len(r.Orders), requests: r.Requests, cost: cfg.Demand.Seconds(), others: math.NaN(),
	}, nil
}
