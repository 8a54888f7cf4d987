package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"

	"neargate/internal/decide/scaling"
	"neargate/internal/sim"
	"neargate/internal/sim/baseline"
	"neargate/internal/traffic"
)

// load is a named load, scaled to the service under test.
type load struct {
	name  string
	rates []float64
}

// scaled returns a load whose peak needs so many tasks.
func (b *bench) scaled(name string, rates []float64) (load, error) {
	out, err := traffic.ScaleToPeak(rates, b.peak*perTask)
	if err != nil {
		return load{}, fmt.Errorf("%s: %w", name, err)
	}
	return load{name, out}, nil
}

// recorded are the loads to judge: those given, or those of the directory, or,
// where there is none, made-up ones.
func (b *bench) recorded() ([]load, error) {
	paths := b.loads
	if len(paths) == 0 {
		entries, err := os.ReadDir(b.traces)
		if errors.Is(err, fs.ErrNotExist) {
			fmt.Fprintf(b.out, "no traces at %s: made-up loads instead\n", b.traces)
			return b.made()
		}
		if err != nil {
			return nil, err
		}
		for _, e := range entries {
			if ext := filepath.Ext(e.Name()); ext == ".txt" || ext == ".csv" {
				paths = append(paths, filepath.Join(b.traces, e.Name()))
			}
		}
		if len(paths) == 0 {
			return nil, fmt.Errorf("no .txt or .csv in %s", b.traces)
		}
	}
	var loads []load
	for _, p := range paths {
		text, err := os.ReadFile(p)
		if err != nil {
			return nil, err
		}
		t, err := traffic.ParseTrace(string(text), false)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", p, err)
		}
		l, err := b.scaled(strings.TrimSuffix(filepath.Base(p), filepath.Ext(p)), t.Seconds())
		if err != nil {
			return nil, err
		}
		loads = append(loads, l)
	}
	return loads, nil
}

// made are loads without jumps, for machines without recorded ones: what a jump
// costs is start-up time, and goals 1 and 5 judge it.
func (b *bench) made() ([]load, error) {
	var loads []load
	rng := rand.New(rand.NewPCG(1, 2))
	for _, text := range []string{"sine:for=2h,period=40m", "sine:for=4h,period=2h", "ramp:for=20m,over=8m"} {
		p, err := traffic.ParsePattern(text)
		if err != nil {
			return nil, err
		}
		l, err := b.scaled(text, p.Rates(rng.Float64))
		if err != nil {
			return nil, err
		}
		loads = append(loads, l)
	}
	return loads, nil
}

// judged is a policy on one load, over all seeds.
type judged struct {
	name             string
	cost, late, over spread // × clairvoyant; percent; points above the reactive limit
	orders           spread
}

// on runs a policy on each load with each seed.
func (b *bench) on(ctx context.Context, policy scaling.Config, perTarget int) ([]judged, error) {
	loads, err := b.recorded()
	if err != nil {
		return nil, err
	}
	type cell struct{ cost, late, over, orders float64 }
	cells := make([]cell, len(loads)*b.seeds)
	err = b.each(ctx, len(cells), func(i int) error {
		l := loads[i/b.seeds]
		n := need(l.rates)
		c := plant(l.rates, uint64(1+i%b.seeds), perTarget)
		r, err := run(c, policy)
		if err != nil {
			return err
		}
		c.Scaler = baseline.NewReactive(baseline.Utilization(setting(), demand), start, c.Initial)
		limit, err := sim.Run(c)
		if err != nil {
			return err
		}
		cells[i] = cell{
			r.TaskSeconds / sim.Optimum(n, start.Seconds(), n[0]), r.LatePercent(),
			r.LatePercent() - limit.LatePercent(), float64(len(r.Orders)),
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	var out []judged
	for k, l := range loads {
		of := func(pick func(cell) float64) spread {
			var xs []float64
			for _, c := range cells[k*b.seeds : (k+1)*b.seeds] {
				xs = append(xs, pick(c))
			}
			return spreadOf(xs)
		}
		out = append(out, judged{
			l.name, of(func(c cell) float64 { return c.cost }), of(func(c cell) float64 { return c.late }),
			of(func(c cell) float64 { return c.over }), of(func(c cell) float64 { return c.orders }),
		})
	}
	return out, nil
}

func setting() baseline.Setting {
	return baseline.Setting{Min: least, Max: most, Target: target, VCPU: vcpu}
}

// cost is goal 3.
func (b *bench) cost(ctx context.Context) (verdict, error) {
	const most, points = 1.05, 0.1
	js, err := b.on(ctx, cpuPolicy(), 0)
	if err != nil {
		return verdict{}, err
	}
	v := verdict{met: true, goal: fmt.Sprintf("cost at most %g x clairvoyant at violations at most %g points above the reactive limit, on each", most, points)}
	var parts []string
	for _, j := range js {
		v.met = v.met && j.cost.mean <= most && j.over.mean <= points
		parts = append(parts, fmt.Sprintf("%s %.3f ± %.3f x at %+.3f points", j.name, j.cost.mean, j.cost.deviation, j.over.mean))
		v.detail = append(v.detail, fmt.Sprintf("%s: %.3f %% of requests over %v, %.0f orders", j.name, j.late.mean, sloTime, j.orders.mean))
	}
	v.figure = fmt.Sprintf("%s (%d seeds)", strings.Join(parts, "; "), b.seeds)
	return v, nil
}

// slo is goal 4: p99 of the response time instead of a utilisation, one request
// at a task, the rest queued at the balancer.
func (b *bench) slo(ctx context.Context) (verdict, error) {
	const most, late = 0.75, 0.1
	queued, err := b.on(ctx, sloPolicy(), 1)
	if err != nil {
		return verdict{}, err
	}
	straight, err := b.on(ctx, sloPolicy(), 0)
	if err != nil {
		return verdict{}, err
	}
	v := verdict{met: true, goal: fmt.Sprintf("at least 25 %% fewer task-seconds than a clairvoyant 50 %% CPU scaler, at most %g %% of requests over %v, on each", late, sloTime)}
	var parts []string
	for i, j := range queued {
		v.met = v.met && j.cost.mean <= most && j.late.mean <= late
		parts = append(parts, fmt.Sprintf("%s %.1f ± %.1f %% fewer, %.3f %% over", j.name, 100*(1-j.cost.mean), 100*j.cost.deviation, j.late.mean))
		s := straight[i]
		v.detail = append(v.detail, fmt.Sprintf("%s without a queue at the balancer: %.1f %% fewer, %.3f %% over, %.0f orders; with one %.0f orders",
			j.name, 100*(1-s.cost.mean), s.late.mean, s.orders.mean, j.orders.mean))
	}
	v.figure = fmt.Sprintf("p99 within %v: %s (%d seeds)", sloTime, strings.Join(parts, "; "), b.seeds)
	return v, nil
}
