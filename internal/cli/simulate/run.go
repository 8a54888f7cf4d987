package simulate

import (
	"context"
	"fmt"
	"math"
	"runtime"

	"neargate/internal/sim"
	"neargate/internal/sim/contest"
	"neargate/internal/sim/measure"
)

// row is what came out for one contender.
type row struct {
	name  string
	runs  []run      // one a seed
	first sim.Result // of the first seed
	p50   []float64  // seconds, by the second of the first seed's run; NaN without requests
	p99   []float64

	p99Points []float64 // by the points of the page
}

// run is one run in numbers.
type run struct {
	measure.Measures
	seed       uint64
	cost       float64 // task-seconds, in parts of the clairvoyant's least
	unanswered int     // at the end
}

// compete runs all contenders with each seed.
func (p *plan) compete(ctx context.Context) ([]row, error) {
	rows := make([]row, len(p.contenders))
	for i, c := range p.contenders {
		rows[i].name = c.name
	}
	sc := p.scenario()
	for s := range p.Seeds {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		sc.Plant.Seed = p.Seed + uint64(s)
		seen := make([]*recorder, len(rows))
		entries := make([]contest.Contestant, len(rows))
		for i, c := range p.contenders {
			seen[i] = &recorder{width: p.width()}
			entries[i] = c.entry.Around(func(s sim.Scaler) sim.Scaler {
				seen[i].Scaler = s
				return seen[i]
			})
		}
		rep, err := runContest(ctx, sc, entries)
		if err != nil {
			return nil, err
		}
		sc.Capacity = rep.Scenario.Capacity // found once
		p.need = rep.Need
		for i, r := range rep.Results {
			rows[i].runs = append(rows[i].runs, run{
				Measures: r.Measures, seed: sc.Plant.Seed, cost: r.Cost,
				unanswered: r.Run.Requests - r.Run.Completed - r.Run.Failed,
			})
			if s == 0 {
				rows[i].first, rows[i].p50, rows[i].p99, rows[i].p99Points = r.Run, seen[i].p50, seen[i].p99, seen[i].end()
			}
		}
	}
	return rows, nil
}

// runContest returns when the contest is over, or ctx is: a run has nothing to
// be broken off by, and what is left of it ends with the process.
func runContest(ctx context.Context, sc contest.Scenario, entries []contest.Contestant) (contest.Report, error) {
	type outcome struct {
		contest.Report
		err error
	}
	over := make(chan outcome, 1)
	go func() {
		rep, err := contest.Run(sc, entries, runtime.GOMAXPROCS(0))
		over <- outcome{rep, err}
	}()
	select {
	case <-ctx.Done():
		return contest.Report{}, context.Cause(ctx)
	case o := <-over:
		if o.err != nil {
			return contest.Report{}, fmt.Errorf("simulate: %w", o.err)
		}
		return o.Report, nil
	}
}

func (p *plan) scenario() contest.Scenario {
	return contest.Scenario{
		Name: p.subject(), Min: p.lo, Max: p.hi, Target: p.target, Cooldown: p.cooldown,
		Plant: sim.Config{
			Begin: p.begin, Rates: p.rates, Demand: p.Demand, CV: p.CV, TaskVCPU: p.vcpu(), Start: p.Start,
			Quota: p.quota(), PerTask: p.PerTask, SLO: p.SLO,
		},
	}
}

// quota is that of tasks whose app is written in Go, as the example app is.
func (p *plan) quota() sim.Quota {
	if p.Quota == 0 {
		return sim.Quota{}
	}
	return sim.Quota{Cores: p.Quota, Slice: sim.GoSlice}
}

// spread is the mean of a figure over the seeds, and its standard deviation.
func spread(runs []run, of func(run) float64) (mean, sd float64) {
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
