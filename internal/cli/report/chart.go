package report

import "time"

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
	plot
	run Run
}

func newChart(c canvas, r Run) chart {
	return chart{plot{c, r.Length, func(i int) time.Duration { return r.Seconds[i].At }}, r}
}

func chartHeight() float64 {
	return topSpace + 4*(panelHeight+panelGap) + laneHeight + axisSpace
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
		bar(ch.c, marginLeft, y, plotWidth, stripe)
		for _, m := range ch.run.Marks {
			if m.Kind == row.kind {
				bar(ch.c, ch.x(m.At)-1, y, 2.5, row.color)
			}
		}
	}
}
