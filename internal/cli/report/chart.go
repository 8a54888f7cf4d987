package report

import (
	"fmt"
	"math"
	"time"
)

// The geometry of the chart, in pixels. The page's script reads some of it.
const (
	chartWidth  = 1120.0
	marginLeft  = 64.0
	marginRight = 150.0 // the legends
	panelHeight = 118.0
	panelGap    = 36.0
	laneHeight  = 46.0
	topSpace    = 24.0
	axisSpace   = 34.0
	plotWidth   = chartWidth - marginLeft - marginRight
)

// series is one line of a panel. Values are one a second; NaN leaves a gap.
type series struct {
	name   string
	unit   string
	color  rgb
	fill   rgb // area below the line; none when zero
	values []float64
	steps  bool // a level that holds until the next value
	dashed bool
}

// panel is one of the charts that share the time axis.
type panel struct {
	title  string
	series []series
	floor  float64 // the axis reaches at least this high
}

// panels says what is drawn, from top to bottom.
func panels(r Run) []panel {
	pick := func(f func(Second) float64) []float64 {
		v := make([]float64, len(r.Seconds))
		for i, s := range r.Seconds {
			v[i] = f(s)
		}
		return v
	}
	target := pick(func(Second) float64 { return r.Target })
	return []panel{
		{title: "Load", floor: 10, series: []series{
			{name: "users", color: blue, fill: paleBlue, steps: true, values: pick(func(s Second) float64 { return float64(s.Users) })},
			{name: "requests/s", color: violet, values: pick(func(s Second) float64 { return float64(s.Requests) })},
			{name: "errors/s", color: red, values: pick(func(s Second) float64 { return float64(s.Errors) })},
		}},
		{title: "Latency, ms", floor: 100, series: []series{
			{name: "p99", unit: " ms", color: orange, values: pick(func(s Second) float64 { return s.P99 })},
			{name: "p50", unit: " ms", color: teal, values: pick(func(s Second) float64 { return s.P50 })},
		}},
		{title: "Service CPU, %", floor: 100, series: []series{
			{name: "CPU", unit: " %", color: teal, fill: paleTeal, values: pick(func(s Second) float64 { return s.CPU })},
			{name: "target", unit: " %", color: muted, dashed: true, values: target},
		}},
		{title: "Tasks", floor: float64(r.Min + 1), series: []series{
			{name: "running + draining", color: orange, fill: paleGold, steps: true, values: pick(func(s Second) float64 { return float64(s.Running + s.Draining) })},
			{name: "running", color: blue, fill: paleBlue, steps: true, values: pick(func(s Second) float64 { return float64(s.Running) })},
			{name: "desired", color: ink, dashed: true, steps: true, values: pick(func(s Second) float64 { return float64(s.Desired) })},
		}},
	}
}

// chart draws a Run's panels onto a canvas.
type chart struct {
	c   canvas
	run Run
}

func chartHeight() float64 {
	return topSpace + 4*(panelHeight+panelGap) + laneHeight + axisSpace
}

func (ch chart) x(at time.Duration) float64 {
	return marginLeft + plotWidth*min(max(at.Seconds()/ch.run.Length.Seconds(), 0), 1)
}

func (ch chart) draw() {
	top := topSpace
	bottom := topSpace + 4*(panelHeight+panelGap) + laneHeight
	for _, p := range panels(ch.run) {
		ch.panel(p, top)
		top += panelHeight + panelGap
	}
	ch.lane(top)
	ch.phases(topSpace-6, bottom)
	ch.axis(bottom)
}

// phases draws a line through all panels where the load begins and ends.
func (ch chart) phases(top, bottom float64) {
	for _, m := range ch.run.Marks {
		if m.Kind == Phase {
			ch.c.polyline([]point{{ch.x(m.At), top}, {ch.x(m.At), bottom}}, stroke{color: muted, width: 1, dashed: true})
		}
	}
}

func (ch chart) panel(p panel, top float64) {
	high := p.floor
	for _, s := range p.series {
		for _, v := range s.values {
			if !math.IsNaN(v) {
				high = max(high, v)
			}
		}
	}
	step := niceStep(high / 4)
	high = math.Ceil(high/step-1e-9) * step
	y := func(v float64) float64 { return top + panelHeight*(1-v/high) }
	ch.c.text(point{marginLeft, top - 8}, p.title, label{color: ink, size: 13, bold: true})
	for v := 0.0; v <= high+step/2; v += step {
		ch.c.polyline([]point{{marginLeft, y(v)}, {marginLeft + plotWidth, y(v)}}, stroke{color: grid, width: 1})
		ch.c.text(point{marginLeft - 8, y(v) + 4}, number(v), label{color: muted, size: 11, anchor: end})
	}
	for _, s := range p.series {
		ch.line(s, y)
	}
	for i, s := range p.series {
		ly := top + 10 + float64(i)*18
		x := marginLeft + plotWidth + 14
		ch.c.polyline([]point{{x, ly}, {x + 16, ly}}, stroke{color: s.color, width: 3, dashed: s.dashed})
		ch.c.text(point{x + 22, ly + 4}, s.name, label{color: ink, size: 12})
	}
}

// line draws a series as runs without gaps.
func (ch chart) line(s series, y func(float64) float64) {
	var points []point
	flush := func() {
		if s.fill != 0 && len(points) > 1 {
			area := append([]point{{points[0].x, y(0)}}, points...)
			ch.c.polygon(append(area, point{points[len(points)-1].x, y(0)}), s.fill)
		}
		if len(points) > 1 {
			ch.c.polyline(points, stroke{color: s.color, width: 1.8, dashed: s.dashed})
		}
		points = nil
	}
	for i, v := range s.values {
		if math.IsNaN(v) {
			flush()
			continue
		}
		x := ch.x(ch.run.Seconds[i].At)
		if s.steps && len(points) > 0 {
			points = append(points, point{x, points[len(points)-1].y})
		}
		points = append(points, point{x, y(v)})
	}
	flush()
}

// lane draws the scaling activities and the service events as ticks.
func (ch chart) lane(top float64) {
	rows := []struct {
		kind  Kind
		name  string
		color rgb
	}{{Activity, "scaling activities", violet}, {Event, "service events", teal}}
	for i, row := range rows {
		y := top + float64(i)*20
		ch.c.text(point{marginLeft + plotWidth + 14, y + 9}, row.name, label{color: row.color, size: 12})
		rect(ch.c, marginLeft, y, plotWidth, 14, stripe)
		for _, m := range ch.run.Marks {
			if m.Kind == row.kind {
				rect(ch.c, ch.x(m.At)-1, y, 2.5, 14, row.color)
			}
		}
	}
}

func (ch chart) axis(top float64) {
	total := ch.run.Length.Seconds()
	step := niceTime(total / 10)
	for s := 0.0; s <= total; s += step {
		x := ch.x(time.Duration(s * float64(time.Second)))
		ch.c.polyline([]point{{x, top}, {x, top + 5}}, stroke{color: muted, width: 1})
		ch.c.text(point{x, top + 19}, fmt.Sprintf("%d:%02d", int(s)/60, int(s)%60), label{color: muted, size: 11, anchor: middle})
	}
}

// niceStep gives 1, 2 or 5 times a power of ten, at least as big as x.
func niceStep(x float64) float64 {
	p := math.Pow(10, math.Floor(math.Log10(max(x, 1e-9))))
	for _, m := range []float64{1, 2, 5} {
		if x <= m*p*(1+1e-9) {
			return max(m*p, 1)
		}
	}
	return max(10*p, 1)
}

// niceTime gives a step of whole seconds or minutes, at least x seconds.
func niceTime(x float64) float64 {
	for _, s := range []float64{5, 10, 15, 30, 60, 120, 300, 600} {
		if x <= s {
			return s
		}
	}
	return 1800
}

func number(v float64) string {
	if v >= 10000 {
		return fmt.Sprintf("%.0fk", v/1000)
	}
	return fmt.Sprintf("%.0f", v)
}
