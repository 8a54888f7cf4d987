package report

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"math"
	"time"
)

//go:embed compare.html
var compareSource string

// Comparison is several scaling policies on one load, side by side. Its slices
// have one value for each Step of the time.
type Comparison struct {
	Title   string
	Length  time.Duration
	Step    time.Duration
	Setting []Pair
	Notes   []string
	Table   [][]string // the head, then a line for each policy

	Load     []float64 // requests per second
	Need     []float64 // tasks
	SLO      float64   // seconds
	Policies []PolicyRun
}

// PolicyRun is what one policy did. The first of a Comparison is what the
// others are measured against.
type PolicyRun struct {
	Name             string
	Running, Desired []float64
	P99              []float64 // seconds, NaN without requests
	Waiting          []float64 // requests at the balancer and at the tasks
	Cost             []float64 // task-seconds since the beginning
	Orders           []Mark
}

// mostListed is how many orders of a policy the page tells in words.
const mostListed = 1000

// CompareHTML writes a comparison as one page that needs nothing else.
func CompareHTML(w io.Writer, c Comparison) error {
	page, err := template.New("page").Funcs(template.FuncMap{
		"moment": func(d time.Duration) string { return moment(c.Length.Seconds(), d.Seconds()) },
		"colour": func(i int) string { return policyColour(i).hex() },
		"minus":  func(i int) int { return i - 1 },
		"listed": func(o []Mark) []Mark { return o[:min(len(o), mostListed)] },
	}).Parse(compareSource)
	if err != nil {
		return fmt.Errorf("parse the page: %w", err)
	}
	var s svg
	cc := newCompareChart(&s, c)
	cc.draw()
	return page.Execute(w, map[string]any{
		"C": c, "Chart": template.HTML(s.b.String()), //nolint:gosec // made above, every text escaped
		"Width": chartWidth, "Height": cc.height(), "Left": marginLeft, "Plot": plotWidth, "Length": c.Length.Seconds(),
		"Data": c.hover(),
	})
}

// policyHover is what the page shows of a policy under the pointer.
type policyHover struct {
	Name    string       `json:"name"`
	Running []*float64   `json:"running"`
	Desired []*float64   `json:"desired"`
	P99     []*float64   `json:"p99"`
	Waiting []*float64   `json:"waiting"`
	Orders  []orderHover `json:"orders"`
}

type orderHover struct {
	At   float64 `json:"at"`
	Text string  `json:"text"`
}

func (c Comparison) hover() map[string]any {
	var policies []policyHover
	for _, p := range c.Policies {
		h := policyHover{Name: p.Name, Running: values(p.Running, 1), Desired: values(p.Desired, 1), P99: values(p.P99, 1000), Waiting: values(p.Waiting, 1)}
		for _, o := range p.Orders[:min(len(p.Orders), mostListed)] {
			text := o.Text
			if o.Detail != "" {
				text += ": " + o.Detail
			}
			h.Orders = append(h.Orders, orderHover{At: o.At.Seconds(), Text: text})
		}
		policies = append(policies, h)
	}
	return map[string]any{"step": c.Step.Seconds(), "load": values(c.Load, 1), "need": values(c.Need, 1), "policies": policies}
}

func values(v []float64, times float64) []*float64 {
	out := make([]*float64, len(v))
	for i, x := range v {
		out[i] = value(x * times)
	}
	return out
}

// policyColour is one hue a policy; what it is measured against is grey.
func policyColour(i int) rgb {
	if i == 0 {
		return muted
	}
	hues := []rgb{blue, orange, teal, violet, red, gold, pink, brown}
	return hues[(i-1)%len(hues)]
}

// compareChart draws a Comparison's panels.
type compareChart struct {
	plot
	of     Comparison
	panels []panel
}

const supplyHeight = 74.0

func newCompareChart(c canvas, of Comparison) compareChart {
	at := func(i int) time.Duration { return min(time.Duration(i)*of.Step, of.Length) }
	return compareChart{plot{c, of.Length, at}, of, comparePanels(of)}
}

// comparePanels says what is drawn, from top to bottom: the load, each policy's
// supply against the demand, and what all of them led to.
func comparePanels(c Comparison) []panel {
	all := []panel{{title: "Load, requests/s", floor: 1, height: supplyHeight, series: []series{
		{name: "requests/s", color: blue, fill: paleBlue, steps: true, values: c.Load},
	}}}
	latency := panel{title: "Latency p99, ms", floor: 1000, log: true, series: []series{
		{name: "SLO", color: red, dashed: true, values: flat(c.SLO*1000, len(c.Load))},
	}}
	waiting := panel{title: "Requests in the service", floor: 10, log: true}
	cost := panel{title: "Task-minutes beyond " + c.Policies[0].Name, floor: 1}
	for i, p := range c.Policies {
		hue := policyColour(i)
		all = append(all, panel{title: "Tasks: " + p.Name, floor: 2, height: supplyHeight, series: []series{
			{name: "needed", color: gold, fill: paleGold, steps: true, values: c.Need},
			{name: "desired", color: ink, dashed: true, steps: true, values: p.Desired},
			{name: "running", color: hue, steps: true, values: p.Running},
		}})
		name := short(p.Name)
		latency.series = append(latency.series, series{name: name, color: hue, values: scaled(p.P99, 1000)})
		waiting.series = append(waiting.series, series{name: name, color: hue, values: p.Waiting})
		if i > 0 {
			cost.series = append(cost.series, series{name: name, color: hue, values: beyond(p.Cost, c.Policies[0].Cost)})
		}
	}
	if len(cost.series) == 0 {
		return append(all, latency, waiting)
	}
	return append(all, latency, waiting, cost)
}

func flat(v float64, n int) []float64 {
	out := make([]float64, n)
	for i := range out {
		out[i] = v
	}
	return out
}

func scaled(v []float64, by float64) []float64 {
	out := make([]float64, len(v))
	for i, x := range v {
		out[i] = x * by
	}
	return out
}

// beyond is how many minutes one cost is above another.
func beyond(cost, other []float64) []float64 {
	out := make([]float64, len(cost))
	for i, x := range cost {
		out[i] = (x - other[i]) / 60
	}
	return out
}

// short cuts a name to the width of the legends.
func short(name string) string {
	const most = 18
	if r := []rune(name); len(r) > most {
		return string(r[:most-1]) + "…"
	}
	return name
}

func (cc compareChart) height() float64 {
	h := topSpace + axisSpace + float64(len(cc.of.Policies))*orderRow + panelGap/2
	for _, p := range cc.panels {
		h += cc.space(p)
	}
	return h
}

// space is a panel with the gap below it; legends may need more than it.
func (cc compareChart) space(p panel) float64 {
	return max(p.tall(), float64(len(p.series))*18) + panelGap
}

func (cc compareChart) draw() {
	top := topSpace
	for _, p := range cc.panels {
		cc.panel(p, top)
		top += cc.space(p)
	}
	cc.orders(top)
	cc.axis(cc.height() - axisSpace)
}

const orderRow = 20.0

// orders draws when each policy moved the count.
func (cc compareChart) orders(top float64) {
	cc.c.text(point{marginLeft, top - 8}, "Scaling orders", label{color: ink, size: 13, bold: true})
	for i, p := range cc.of.Policies {
		y := top + float64(i)*orderRow
		cc.c.text(point{marginLeft + plotWidth + 14, y + 11}, short(p.Name), label{color: policyColour(i), size: 12})
		bar(cc.c, marginLeft, y, plotWidth, stripe)
		for _, m := range p.Orders {
			bar(cc.c, cc.x(m.At)-1, y, 2.5, policyColour(i))
		}
	}
}

// Means and Highs make points of seconds: the mean, or the highest, of each
// width seconds. NaN counts for nothing.
func Means(v []float64, width int) []float64 {
	return points(v, width, func(sum, _ float64, n int) float64 { return sum / float64(n) })
}

// Highs is Means with the highest value.
func Highs(v []float64, width int) []float64 {
	return points(v, width, func(_, high float64, _ int) float64 { return high })
}

func points(v []float64, width int, of func(sum, high float64, n int) float64) []float64 {
	var out []float64
	for i := 0; i < len(v); i += width {
		sum, high, n := 0.0, math.Inf(-1), 0
		for _, x := range v[i:min(i+width, len(v))] {
			if !math.IsNaN(x) {
				sum, high, n = sum+x, max(high, x), n+1
			}
		}
		if n == 0 {
			out = append(out, math.NaN())
			continue
		}
		out = append(out, of(sum, high, n))
	}
	return out
}
