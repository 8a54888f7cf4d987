// Package simulate is `neargate simulate`: scaling policies over a load in
// virtual time, side by side. It reads load and policy files, runs the
// simulator with the server's own decisions, and writes what came out as a
// table, CSV and a page. What it writes depends on its Config alone.
package simulate

import (
	"context"
	"fmt"
	"io"
	"math"
	"os"
	"strings"
	"time"
)

// Run simulates and writes the results.
func Run(ctx context.Context, c Config, out io.Writer) error {
	p, err := prepare(c)
	if err != nil {
		return err
	}
	if !c.JSON {
		p.head(out)
	}
	rows, err := p.compete(ctx)
	if err != nil {
		return err
	}
	for _, f := range []struct {
		path  string
		write func(io.Writer, *plan, []row) error
	}{{c.CSV, writeSeconds}, {c.Summary, writeSummary}, {c.HTML, writePage}} {
		if err := writeFile(f.path, func(w io.Writer) error { return f.write(w, p, rows) }); err != nil {
			return err
		}
	}
	if c.JSON {
		return writeJSON(out, p, rows)
	}
	p.table(out, rows)
	return nil
}

// writeFile puts a whole new file in place of the old one, or leaves it.
func writeFile(path string, write func(io.Writer) error) error {
	if path == "" {
		return nil
	}
	var b strings.Builder
	if err := write(&b); err != nil {
		return fmt.Errorf("make %s: %w", path, err)
	}
	if err := os.WriteFile(path, []byte(b.String()), 0o644); err != nil { //nolint:gosec // a report, for everybody to read
		return fmt.Errorf("write report: %w", err)
	}
	return nil
}

// plan is a Config with its files read: what will be run.
type plan struct {
	Config
	rates      []float64
	history    []float64 // rates before the run
	begin      time.Time // what the clock shows at first
	loadText   string
	notes      []string // what a reader must know of the load and the forecasts
	clocked    bool     // a policy goes by the clock
	contenders []contender
	target     float64       // CPU percent of the reference
	cooldown   time.Duration // of the named policies
	lo, hi     int           // bounds of the reference
	need       []int         // tasks in each second, once it has run
}

func prepare(c Config) (*plan, error) {
	p := &plan{Config: c, target: 50}
	if err := p.readLoad(); err != nil {
		return nil, err
	}
	files, err := p.readFiles()
	if err != nil {
		return nil, err
	}
	if err := p.scaleLoad(); err != nil {
		return nil, err
	}
	if err := p.foretell(files); err != nil {
		return nil, err
	}
	if err := p.addContenders(files); err != nil {
		return nil, err
	}
	var requests float64
	for _, r := range p.rates {
		requests += r
	}
	if requests > mostRequests {
		return nil, fmt.Errorf("the load has %.0f million requests, a run at most %.0f million; make it smaller with --peak-need, or shorter with --for", requests/1e6, mostRequests/1e6)
	}
	return p, nil
}

func (p *plan) vcpu() float64 { return float64(p.CPU) / 1024 }

// perTask is the rate that one task carries at the reference's target.
func (p *plan) perTask() float64 { return p.target / 100 * p.vcpu() / p.Demand.Seconds() }

// needOf is how many tasks a rate needs, whatever the bounds are.
func (p *plan) needOf(rate float64) int { return int(math.Ceil(rate/p.perTask() - 1e-9)) }
