package main

import (
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"neargate/internal/decide/scaling"
	"neargate/internal/sim"
)

// The service under test.
const (
	demand   = 100 * time.Millisecond
	cv       = 0.2
	vcpu     = 1.0
	start    = 10 * time.Second
	target   = 50.0
	least    = 2
	most     = 20
	cooldown = 30 * time.Second
	sloTime  = 500 * time.Millisecond
)

// perTask is the rate that one task carries at the target.
const perTask = vcpu * target / 100 * float64(time.Second) / float64(demand)

// plant is the service under a load; perTarget limits what a task has in
// flight, the rest queues at the balancer.
func plant(rates []float64, seed uint64, perTarget int) sim.Config {
	return sim.Config{
		Seed: seed, Rates: rates, Demand: demand, CV: cv, TaskVCPU: vcpu, Start: start,
		PerTask: perTarget, Initial: need(rates[:1])[0], SLO: sloTime,
	}
}

// need is what each second's rate needs.
func need(rates []float64) []int {
	return sim.Need(rates, demand.Seconds(), vcpu, target, least, most)
}

func cpuPolicy() scaling.Config {
	return scaling.Config{Min: least, Max: most, Timing: scaling.Live, Policies: []scaling.Policy{{
		Name: "cpu", Metric: scaling.CPU, Target: target, ScaleOut: cooldown, ScaleIn: cooldown,
	}}}
}

func sloPolicy() scaling.Config {
	return scaling.Config{Min: least, Max: most, Timing: scaling.Live, Policies: []scaling.Policy{{
		Name: "slo", Metric: scaling.ResponseTime, Percentile: 99, Target: sloTime.Seconds(), ScaleOut: cooldown, ScaleIn: cooldown,
	}}}
}

// run runs a policy on a plant.
func run(c sim.Config, policy scaling.Config) (sim.Result, error) {
	c.Scaler = sim.NewDecider(policy, c.Initial)
	return sim.Run(c)
}

// each calls f for 0 to n-1, some at once. What f writes is its own.
func (b *bench) each(ctx context.Context, n int, f func(i int) error) error {
	var g errgroup.Group
	g.SetLimit(b.parallel)
	for i := range n {
		g.Go(func() error {
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			return f(i)
		})
	}
	return g.Wait()
}

// hold is a load that changes once.
func hold(before float64, at int, after float64, length int) []float64 {
	rates := make([]float64, length)
	for i := range rates {
		rates[i] = before
		if i >= at {
			rates[i] = after
		}
	}
	return rates
}

// spread is a sample's figures.
type spread struct {
	n                     int
	min, median, p95, max float64
	mean, deviation       float64
}

func spreadOf(xs []float64) spread {
	s := spread{n: len(xs)}
	if s.n == 0 {
		return s
	}
	xs = slices.Sorted(slices.Values(xs))
	at := func(p float64) float64 { return xs[min(int(p*float64(s.n)), s.n-1)] }
	s.min, s.median, s.p95, s.max = xs[0], at(0.5), at(0.95), xs[s.n-1]
	for _, x := range xs {
		s.mean += x / float64(s.n)
	}
	for _, x := range xs {
		s.deviation += (x - s.mean) * (x - s.mean)
	}
	s.deviation = math.Sqrt(s.deviation / float64(max(s.n-1, 1)))
	return s
}

func (s spread) String() string {
	return fmt.Sprintf("median %.3g, 95 %% at most %.3g, worst %.3g, %d seeds", s.median, s.p95, s.max, s.n)
}
