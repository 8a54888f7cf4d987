package main

import (
	"math/rand/v2"
	"slices"
	"time"

	"neargate/internal/sim"
)

// What a calibration leaves open, as standard deviations: a request's mean cost
// between a calibration and the minutes after it, and the start-up time from
// one order to the next. Both are rounded from seven loads on a machine that
// shares its cores: 5 % and 2 %.
const (
	demandDoubt = 0.05
	startDoubt  = 0.02
	doubtDraws  = 100
)

// span is from the 5th to the 95th percentile.
type span struct{ low, high float64 }

func spanOf(values []float64) span {
	slices.Sort(values)
	n := len(values)
	return span{values[n*5/100], values[n-1-n*5/100]}
}

// doubt simulates the same moments with demands and start-up times drawn around
// those of cfg, and gives where the figures come to lie. A span that is wider
// than the goal says that the load cannot judge the simulator.
func doubt(cfg sim.Config) (p99, taskSeconds span, err error) {
	draw := rand.New(rand.NewPCG(cfg.Seed, 2)) //nolint:gosec // must be repeatable
	off := func(d time.Duration, by float64) time.Duration {
		return time.Duration(float64(d) * max(0.5, 1+by*draw.NormFloat64()))
	}
	var tails, sums []float64
	for range doubtDraws {
		c := cfg
		c.Demand, c.Start = off(cfg.Demand, demandDoubt), off(cfg.Start, startDoubt)
		r, err := simulate(c)
		if err != nil {
			return span{}, span{}, err
		}
		tails, sums = append(tails, r.Latencies.Percentile(99)), append(sums, r.TaskSeconds)
	}
	return spanOf(tails), spanOf(sums), nil
}
