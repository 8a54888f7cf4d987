package simulate

import (
	"context"
	"errors"
	"fmt"
	"math"
	"runtime"
	"time"

	"golang.org/x/sync/errgroup"

	"neargate/internal/sim"
)

// row is what came out for one contender.
type row struct {
	name  string
	runs  []measure // one a seed
	first sim.Result
	p50   []float64 // seconds, by the second of the first seed's run; NaN without requests
	p99   []float64
}

// measure is one run in numbers.
type measure struct {
	seed        uint64
	taskSeconds float64
	overOptimum float64 // task-seconds, in parts of the clairvoyant's
	late        float64 // percent of requests over the SLO
	p50, p99    float64 // seconds
	under       float64 // percent of time with fewer tasks running than needed
	orders      int
	perHour     float64
	requests    int
	unanswered  int // at the end of the run
}

// compete runs each contender with each seed.
func (p *plan) compete(ctx context.Context) ([]row, error) {
	rows := make([]row, len(p.contenders))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(runtime.GOMAXPROCS(0))
	for i, c := range p.contenders {
		rows[i] = row{name: c.name, runs: make([]measure, p.Seeds)}
		for s := range p.Seeds {
			g.Go(func() error {
				if ctx.Err() != nil {
					return context.Cause(ctx)
				}
				seen := &recorder{Scaler: c.scaler(p.begin(c))}
				r, err := sim.Run(p.config(c, p.Seed+uint64(s), seen))
				if err != nil {
					return fmt.Errorf("simulate %s: %w", c.name, errors.Join(err))
				}
				rows[i].runs[s] = p.measure(p.Seed+uint64(s), r)
				if s == 0 {
					rows[i].first, rows[i].p50, rows[i].p99 = r, seen.p50, seen.p99
				}
				return nil
			})
		}
	}
	return rows, g.Wait()
}

func (p *plan) begin(c contender) int {
	if c.initial > 0 {
		return c.initial
	}
	return min(max(p.first(), c.lo), c.hi)
}

func (p *plan) config(c contender, seed uint64, s sim.Scaler) sim.Config {
	return sim.Config{
		Seed: seed, Rates: p.rates, Demand: p.Demand, CV: p.CV, TaskVCPU: p.vcpu(), Start: p.Start,
		PerTask: p.PerTask, Initial: p.begin(c), Scaler: s, SLO: p.SLO,
	}
}

func (p *plan) measure(seed uint64, r sim.Result) measure {
	m := measure{
		seed: seed, taskSeconds: r.TaskSeconds, late: r.LatePercent(),
		p50: r.Latencies.Percentile(50), p99: r.Latencies.Percentile(99),
		orders: len(r.Orders), requests: r.Requests, unanswered: r.Requests - r.Completed,
	}
	m.overOptimum = m.taskSeconds / p.optimum
	m.perHour = float64(m.orders) / (float64(len(r.Seconds)) / time.Hour.Seconds())
	under := 0
	for i, s := range r.Seconds {
		if s.Running < p.need[i] {
			under++
		}
	}
	m.under = 100 * float64(under) / float64(len(r.Seconds))
	return m
}

// spread is the mean of a figure over the seeds, and its standard deviation.
func spread(runs []measure, of func(measure) float64) (mean, sd float64) {
	n := float64(len(runs))
	for _, r := range runs {
		mean += of(r) / n
	}
	for _, r := range runs {
		sd += (of(r) - mean) * (of(r) - mean)
	}
	if n > 1 {
		sd = math.Sqrt(sd / (n - 1))
	}
	return mean, sd
}
