package simulate

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"strings"
	"text/tabwriter"
	"time"

	"neargate/internal/sim"
)

// head says what is simulated, the seed first.
func (p *plan) head(w io.Writer) {
	for _, f := range p.setting() {
		fmt.Fprintf(w, "%-10s %s\n", f[0], f[1])
	}
	for _, n := range p.notes {
		fmt.Fprintf(w, "%-10s %s\n", "note", n)
	}
}

// setting is what is simulated, and what the model takes for granted.
func (p *plan) setting() [][2]string {
	seeds := fmt.Sprint(p.Seed)
	if p.Seeds > 1 {
		seeds = fmt.Sprintf("%d to %d; figures are means ± standard deviations", p.Seed, p.Seed+uint64(p.Seeds)-1)
	}
	limit := "in live timing an overload waits at the balancer"
	if p.PerTask > 0 {
		limit = fmt.Sprintf("at most %d requests at one task, more wait at the balancer", p.PerTask)
	}
	all := [][2]string{
		{"seed", seeds},
		{"load", p.loadText},
		{"service", fmt.Sprintf("%d to %d tasks of %g vCPU, ready %v after their order; a request needs %v of CPU (cv %g)", p.lo, p.hi, p.vcpu(), p.Start, p.Demand, p.CV)},
		{"model", "Poisson arrivals; lognormal CPU demand; " + p.sharing() + "; least requests in flight; " + limit},
		{"measures", fmt.Sprintf("task-seconds from order to end; needed is what keeps CPU at %g %%; the clairvoyant knows the load and has the least task-seconds for that", p.target)},
	}
	if p.clocked {
		all = append(all, [2]string{"clock", instant(p.begin) + " when the run begins"})
	}
	if p.Calibrated != "" {
		all = append(all, [2]string{"calibrated", p.Calibrated})
	}
	return all
}

func (p *plan) sharing() string {
	if p.Quota > 0 {
		return fmt.Sprintf("CFS quota in periods of 100 ms, a task on up to %d cores at once, its requests in turns of %v as goroutines", p.Quota, sim.GoSlice)
	}
	return "a task's CPU is shared evenly, without quota periods"
}

// column is a figure of the table.
type column struct {
	head, unit string
	of         func(run) float64
	format     func(v float64) string
}

func (p *plan) columns() []column {
	percent := func(v float64) string { return fmt.Sprintf("%.2f %%", v) }
	return []column{
		{"task-seconds", "", func(m run) float64 { return m.TaskSeconds }, func(v float64) string { return fmt.Sprintf("%.0f", v) }},
		{"× clairvoyant", "", func(m run) float64 { return m.cost }, func(v float64) string { return fmt.Sprintf("%.3f", v) }},
		{"over " + p.SLO.String(), "", func(m run) float64 { return m.LatePercent }, percent},
		{"p50", "", func(m run) float64 { return m.P50 }, seconds},
		{"p99", "", func(m run) float64 { return m.P99 }, seconds},
		{"too few", "", func(m run) float64 { return m.UnderShare }, percent},
		{"orders", "", func(m run) float64 { return float64(m.Actions) }, func(v float64) string { return fmt.Sprintf("%.4g", math.Round(v*10)/10) }},
		{"orders/h", "", func(m run) float64 { return m.ActionsPerHour }, func(v float64) string { return fmt.Sprintf("%.1f", v) }},
	}
}

// seconds is a latency as a person reads it.
func seconds(v float64) string {
	switch {
	case math.IsNaN(v):
		return "–"
	case v < 0.9995:
		return fmt.Sprintf("%.0f ms", v*1000)
	case v < 99.95:
		return fmt.Sprintf("%.1f s", v)
	}
	return time.Duration(v * float64(time.Second)).Round(time.Second).String()
}

// cells is the table, heads first.
func (p *plan) cells(rows []row) [][]string {
	columns := p.columns()
	all := [][]string{{"policy"}}
	for _, c := range columns {
		all[0] = append(all[0], c.head)
	}
	for _, r := range rows {
		line := []string{r.name}
		for _, c := range columns {
			mean, sd := spread(r.runs, c.of)
			cell := c.format(mean)
			if p.Seeds > 1 && !math.IsNaN(mean) {
				cell += " ±" + strings.TrimSuffix(c.format(sd), " %")
			}
			line = append(line, cell)
		}
		all = append(all, line)
	}
	return all
}

func (p *plan) table(w io.Writer, rows []row) {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w)
	name := 0
	for _, r := range rows {
		name = max(name, len([]rune(r.name)))
	}
	for _, line := range p.cells(rows) {
		// The names stand to the left, the figures to the right.
		fmt.Fprintf(t, "%-*s\t%s\t\n", name, line[0], strings.Join(line[1:], "\t"))
	}
	t.Flush()
	for _, r := range rows {
		if n := r.runs[0].unanswered; n > 0 && float64(n) > 0.001*float64(r.runs[0].Requests) {
			fmt.Fprintf(w, "note: %s ends with %d of %d requests unanswered\n", r.name, n, r.runs[0].Requests)
		}
	}
	for _, f := range [][2]string{{"by the second", p.CSV}, {"summary", p.Summary}, {"page", p.HTML}} {
		if f[1] != "" {
			fmt.Fprintf(w, "%-14s %s\n", f[0], f[1])
		}
	}
}

// writeJSON returns the summary of each policy and seed.
func writeJSON(w io.Writer, p *plan, rows []row) error {
	type result struct {
		Seed          uint64   `json:"seed"`
		TaskSeconds   float64  `json:"task_seconds"`
		XClairvoyant  float64  `json:"x_clairvoyant"`
		OverSLO       float64  `json:"over_slo_percent"`
		P50           *float64 `json:"p50_seconds"`
		P99           *float64 `json:"p99_seconds"`
		TooFew        float64  `json:"too_few_percent"`
		Orders        int      `json:"orders"`
		OrdersPerHour float64  `json:"orders_per_hour"`
		Requests      int      `json:"requests"`
		Unanswered    int      `json:"unanswered"`
	}
	type policy struct {
		Name string   `json:"policy"`
		Runs []result `json:"runs"`
	}
	number := func(v float64) *float64 {
		if math.IsNaN(v) {
			return nil
		}
		return &v
	}
	var policies []policy
	for _, r := range rows {
		x := policy{Name: r.name}
		for _, m := range r.runs {
			x.Runs = append(x.Runs, result{m.seed, m.TaskSeconds, m.cost, m.LatePercent, number(m.P50), number(m.P99), m.UnderShare, m.Actions, m.ActionsPerHour, m.Requests, m.unanswered})
		}
		policies = append(policies, x)
	}
	setting := map[string]string{}
	for _, s := range p.setting() {
		setting[s[0]] = s[1]
	}
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(struct {
		Seed     uint64            `json:"seed"`
		Seeds    int               `json:"seeds"`
		Setting  map[string]string `json:"setting"`
		Notes    []string          `json:"notes"`
		SLO      float64           `json:"slo_seconds"`
		Policies []policy          `json:"policies"`
	}{p.Seed, p.Seeds, setting, append([]string{}, p.notes...), p.SLO.Seconds(), policies})
}
