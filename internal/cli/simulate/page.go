package simulate

import (
	"fmt"
	"io"
	"time"

	"neargate/internal/cli/report"
	"neargate/internal/sim"
)

const (
	mostPoints = 900 // of a line on the page: about one a pixel
	mostOrders = 500 // of one policy on the page
)

// writePage writes the first seed's run as a page.
func writePage(w io.Writer, p *plan, rows []row) error {
	width := (len(p.rates) + mostPoints - 1) / mostPoints
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
		run := policyRun(r, width)
		if len(run.Orders) > mostOrders {
			c.Notes = append(c.Notes, fmt.Sprintf("%s gave %d orders; the first %d are shown", r.name, len(run.Orders), mostOrders))
			run.Orders = run.Orders[:mostOrders]
		}
		c.Policies = append(c.Policies, run)
	}
	return report.CompareHTML(w, c)
}

func (p *plan) subject() string {
	if p.Shape != "" {
		return p.Shape
	}
	return p.Load
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
		P50:     report.Highs(r.p50, width), P99: report.Highs(r.p99, width),
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
