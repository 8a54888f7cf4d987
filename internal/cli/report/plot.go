package report

import (
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
	height float64 // 0 is panelHeight
	log    bool    // logarithmic
}

func (p panel) tall() float64 {
	if p.height > 0 {
		return p.height
	}
	return panelHeight
}

// plot draws panels over one time axis onto a canvas.
type plot struct {
	c      canvas
	length time.Duration
	at     func(i int) time.Duration // of the i-th value of every series
}

func (pl plot) x(at time.Duration) float64 {
	return marginLeft + plotWidth*min(max(at.Seconds()/pl.length.Seconds(), 0), 1)
}

func (pl plot) panel(p panel, top float64) {
	sc := newScale(p, top)
	pl.c.text(point{marginLeft, top - 8}, p.title, label{color: ink, size: 13, bold: true})
	for _, v := range sc.ticks {
		pl.c.polyline([]point{{marginLeft, sc.y(v)}, {marginLeft + plotWidth, sc.y(v)}}, stroke{color: grid, width: 1})
		pl.c.text(point{marginLeft - 8, sc.y(v) + 4}, number(v), label{color: muted, size: 11, anchor: end})
	}
	for _, s := range p.series {
		pl.line(s, sc)
	}
	for i, s := range p.series {
		ly := top + 10 + float64(i)*18
		x := marginLeft + plotWidth + 14
		pl.c.polyline([]point{{x, ly}, {x + 16, ly}}, stroke{color: s.color, width: 3, dashed: s.dashed})
		pl.c.text(point{x + 22, ly + 4}, s.name, label{color: ink, size: 12})
	}
}

// line draws a series as runs without gaps.
func (pl plot) line(s series, sc scale) {
	var points []point
	flush := func() {
		if s.fill != 0 && len(points) > 1 {
			area := append([]point{{points[0].x, sc.y(0)}}, points...)
			pl.c.polygon(append(area, point{points[len(points)-1].x, sc.y(0)}), s.fill)
		}
		if len(points) > 1 {
			pl.c.polyline(points, stroke{color: s.color, width: 1.8, dashed: s.dashed})
		}
		points = nil
	}
	for i, v := range s.values {
		if math.IsNaN(v) {
			flush()
			continue
		}
		x := pl.x(pl.at(i))
		if s.steps && len(points) > 0 {
			points = append(points, point{x, points[len(points)-1].y})
		}
		points = append(points, point{x, sc.y(v)})
	}
	flush()
}

func (pl plot) axis(top float64) {
	total := pl.length.Seconds()
	step := niceTime(total / 10)
	for s := 0.0; s <= total; s += step {
		x := pl.x(time.Duration(s * float64(time.Second)))
		pl.c.polyline([]point{{x, top}, {x, top + 5}}, stroke{color: muted, width: 1})
		pl.c.text(point{x, top + 19}, moment(total, s), label{color: muted, size: 11, anchor: middle})
	}
}
