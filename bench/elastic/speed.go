package main

import (
	"context"
	"fmt"
	"math"
	"runtime"
	"syscall"
	"time"

	"neargate/bench/services/steady"
)

// week is goal 7: a virtual week on one core. The load goes up and down once a
// day, from 2 to 20 tasks.
func (b *bench) week(context.Context) (verdict, error) {
	const limit = 10.0
	rates := make([]float64, 7*day)
	for i := range rates {
		rates[i] = 50 + 45*math.Sin(2*math.Pi*float64(i)/day)
	}
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	best, requests := math.Inf(1), 0
	var took []float64
	for range 3 {
		began := cpuTime()
		r, err := run(plant(rates, 1, 0), cpuPolicy())
		if err != nil {
			return verdict{}, err
		}
		took = append(took, (cpuTime() - began).Seconds())
		best, requests = min(best, took[len(took)-1]), r.Requests
	}
	s := spreadOf(took)
	return verdict{
		met: s.median < limit,
		figure: fmt.Sprintf("a virtual week, 2 to 20 tasks, %d million requests, each second decided: %.1f s of CPU at the median of %d runs (%.1f to %.1f), %.0f x real time",
			requests/1e6, s.median, s.n, s.min, s.max, 7*day/s.median),
		goal: "under 10 s on one core",
	}, nil
}

// cpuTime is what this process has used.
func cpuTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// services is goal 8.
func (b *bench) services(ctx context.Context) (verdict, error) {
	const limit = 0.10
	cfg := steady.Config{Services: 1000, Tasks: 20, Window: 60 * time.Second, Warm: 20 * time.Second}
	r, err := steady.Run(ctx, cfg)
	if err != nil {
		return verdict{}, err
	}
	v := verdict{
		met:    r.Path <= limit,
		figure: fmt.Sprintf("%d services with %d tasks each, decided every second: %.1f %% of a core (the whole server %.0f %%), one run of %.0f s", cfg.Services, cfg.Tasks, 100*r.Path, 100*r.Server, r.Seconds),
		goal:   "at most 10 % of a core",
	}
	for _, p := range r.Parts {
		v.detail = append(v.detail, fmt.Sprintf("%+v", p))
	}
	return v, nil
}
