package simulate

import (
	"fmt"
	"io"
	"path/filepath"
	"time"

	"neargate/internal/cli/report"
	"neargate/internal/sim"
)

// mostPoints of a line on the page: about one a pixel.
const mostPoints = 900

// width is how many seconds one point of the page stands for.
func (p *plan) width() int { return (len(p.rates) + mostPoints - 1) / mostPoints }

// writePage writes the first seed's run as a page.
func writePage(w io.Writer, p *plan, rows []row) error {
	width := p.width()
	need := make([]float64, len(p.need))
	for i, n := range p.need {
		need[i] = float64(n)
	}
	c := report.Comparison{
		Title:  "Simulated scaling: " + p.subject(),
		Length: time.Duration(len(p.rates)) * time.Second, Step: time.Duration(width) * time.Second,
		Notes: p.notes, Table: p.cells(rows),
		Load: report.Means(p.rates, width), Need: report.Means(need, width), SLO: p.SLO.Seconds(),
	}
	for _, s := range p.setting() {
		c.Setting = append(c.Setting, report.Pair{Name: s[0], Value: s[1]})
	}
	if p.Seeds > 1 {
		c.Setting = append(c.Setting, report.Pair{Name: "charts", Value: fmt.Sprintf("of the run with seed %d", p.Seed)})
	}
	for _, r := range rows {
		c.Policies = append(c.Policies, policyRun(r, width))
	}
	return report.CompareHTML(w, c)
}

func (p *plan) subject() string {
	if p.Shape != "" {
		return p.Shape
	}
	return filepath.Base(p.Load)
}

func policyRun(r row, width int) report.PolicyRun {
	pick := func(of func(sim.Second) float64) []float64 {
		v := make([]float64, len(r.first.Seconds))
		for i, s := range r.first.Seconds {
			v[i] = of(s)
		}
		return v
	}
	cost := pick(func(s sim.Second) float64 { return s.TaskSeconds })
	for i := 1; i < len(cost); i++ {
		cost[i] += cost[i-1]
	}
	run := report.PolicyRun{
		Name:    r.name,
		Running: report.Means(pick(func(s sim.Second) float64 { return float64(s.Running) }), width),
		Desired: report.Means(pick(func(s sim.Second) float64 { return float64(s.Desired) }), width),
		P99:     r.p99Points,
		Waiting: report.Highs(pick(func(s sim.Second) float64 { return float64(s.Queued + s.InFlight) }), width),
		Cost:    report.Means(cost, width),
	}
	for _, o := range r.first.Orders {
		run.Orders = append(run.Orders, report.Mark{
			At: time.Duration(o.At+1) * time.Second, Kind: report.Activity, Text: fmt.Sprintf("%d → %d", o.From, o.To), Detail: o.Reason,
		})
	}
	return run
}
