package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"time"

	"neargate/bench/rig"
)

// The budgets of a server.
const (
	readyBudget = 500 * time.Millisecond
	rssBudget   = 60 // MB
	cpuBudget   = 1  // percent of a core
)

// start starts the server several times and takes the median until it is ready.
func start(ctx context.Context, o options, dir string) ([]line, error) {
	var took []time.Duration
	for range o.starts {
		s, err := rig.Start(ctx, binaryIn(dir), filepath.Join(dir, "data"))
		if err != nil {
			return nil, err
		}
		if err := s.Remove(ctx); err != nil {
			return nil, err
		}
		took = append(took, s.Ready)
	}
	slices.Sort(took)
	median := took[len(took)/2]
	return []line{{
		"start of the process to ready",
		fmt.Sprintf("%.0f ms (%.0f to %.0f)", ms(median), ms(took[0]), ms(took[len(took)-1])),
		fmt.Sprintf("%.0f ms", ms(readyBudget)), median <= readyBudget,
	}}, nil
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// settle is how long a server is left alone before it counts as idle.
const settle = 5 * time.Second

// idle watches a server without a task, and then with a service of two tasks
// behind a load balancer that nobody calls.
func idle(ctx context.Context, o options, dir string) (lines []line, err error) {
	s, err := rig.Start(ctx, binaryIn(dir), filepath.Join(dir, "data"))
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.Remove(ctx)) }()
	if lines, err = watch(ctx, o, s, "idle, no task"); err != nil {
		return nil, err
	}
	stage, err := rig.SetUp(ctx, s, binaryIn(dir), 0)
	if err != nil {
		return nil, err
	}
	if err := stage.CreateService(ctx, "idle", 2); err != nil {
		return nil, err
	}
	if err := stage.UntilHealthy(ctx, 2); err != nil {
		return nil, err
	}
	more, err := watch(ctx, o, s, "idle, a service of 2 tasks")
	return append(lines, more...), err
}

// watch takes memory and CPU of the server over a time.
func watch(ctx context.Context, o options, s *rig.Server, name string) ([]line, error) {
	if err := rig.Pause(ctx, settle); err != nil {
		return nil, err
	}
	before, err := rig.CPUTime(s.PID)
	if err != nil {
		return nil, err
	}
	began := time.Now()
	if err := rig.Pause(ctx, o.idle); err != nil {
		return nil, err
	}
	after, err := rig.CPUTime(s.PID)
	if err != nil {
		return nil, err
	}
	percent := float64(after-before) / float64(time.Since(began)) * 100
	rss, err := rig.ResidentBytes(s.PID)
	if err != nil {
		return nil, err
	}
	mb := float64(rss) / megabyte
	return []line{
		{name + ": resident memory", fmt.Sprintf("%.1f MB", mb), fmt.Sprintf("%d MB", rssBudget), mb <= rssBudget},
		{name + ": CPU", fmt.Sprintf("%.2f %% of a core over %.0f s", percent, o.idle.Seconds()), fmt.Sprintf("%d %% of a core", cpuBudget), percent <= cpuBudget},
	}, nil
}
