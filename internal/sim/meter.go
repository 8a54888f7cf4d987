package sim

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"neargate/internal/decide/alarm"
	"neargate/internal/model"
)

// metric is one that the simulator publishes.
type metric string

const (
	cpuPercent    metric = "CPUUtilization"
	memoryPercent metric = "MemoryUtilization"
	requests      metric = "RequestCount"
	requestsEach  metric = "RequestCountPerTarget"
	responses     metric = "TargetResponseTime"
	tasksRunning  metric = "RunningTaskCount"
	tasksPending  metric = "PendingTaskCount"
)

// meter reads a statistic of a metric.
type meter struct {
	what       metric
	statistic  string
	percentile float64 // of a pNN statistic; else 0
	// level marks readings of something that lasts: in Sum and SampleCount
	// each counts once a minute, not once a second.
	level bool
}

// newMeter refuses metrics and statistics that are not simulated.
func newMeter(name, statistic string) (meter, error) {
	m := meter{what: metric(name), statistic: statistic}
	switch m.what {
	case cpuPercent, memoryPercent, tasksRunning, tasksPending:
		m.level = true
	case requests, requestsEach, responses:
	default:
		return m, fmt.Errorf("metric %q is not simulated", name)
	}
	switch statistic {
	case "Average", "Minimum", "Maximum", "Sum", "SampleCount":
		return m, nil
	}
	digits, _ := strings.CutPrefix(statistic, "p")
	p, err := strconv.ParseFloat(digits, 64)
	if err != nil || !(p > 0 && p < 100) || m.what != responses {
		return m, fmt.Errorf("statistic %q of %s is not simulated", statistic, m.what)
	}
	m.percentile = p
	return m, nil
}

// read adds what the server publishes of the metric for a second. busy has the
// vCPU-seconds of each running task, waited the response times.
func (m *meter) read(to *gauge, s model.ServiceSecond, busy gauge, waited []float64) {
	before := to.n
	m.take(to, s, busy, waited)
	if to.n > before {
		to.seconds++
	}
}

func (m *meter) take(to *gauge, s model.ServiceSecond, busy gauge, waited []float64) {
	switch m.what {
	case cpuPercent:
		if s.CPUPerTask > 0 {
			percent := 100 * s.Interval.Seconds() / s.CPUPerTask.Seconds()
			busy.sum, busy.least, busy.most = busy.sum*percent, busy.least*percent, min(busy.most*percent, 100)
			busy.sum = min(busy.sum, 100*busy.n)
			to.join(busy)
		}
	case memoryPercent:
		if s.Sampled > 0 && s.MemoryPerTask > 0 && busy.n > 0 {
			mean := 100 * float64(s.Memory) / float64(s.MemoryPerTask) / float64(s.Sampled)
			to.join(gauge{n: busy.n, sum: mean * busy.n, least: mean, most: mean})
		}
	case requests:
		if n := float64(s.Arrivals); n > 0 {
			to.join(gauge{n: n, sum: n, least: 1, most: 1})
		}
	case requestsEach:
		if s.Running == 0 {
			to.add(0)
			return
		}
		to.add(float64(s.Arrivals) / float64(s.Running))
	case responses:
		for _, v := range waited {
			to.add(v)
			if m.percentile > 0 {
				if to.spread == nil {
					to.spread = &Histogram{}
				}
				to.spread.add(v)
			}
		}
	case tasksRunning:
		to.add(float64(s.Running))
	case tasksPending:
		to.add(float64(s.Starting))
	}
}

// value is the alarm's statistic of a period.
func (m *meter) value(g gauge) (v float64, missing bool) {
	if g.n == 0 {
		return 0, true
	}
	switch m.statistic {
	case "Average":
		return g.sum / g.n, false
	case "Sum":
		return g.sum / m.often(g), false
	case "SampleCount":
		return g.n / m.often(g), false
	case "Minimum":
		return g.least, false
	case "Maximum":
		return g.most, false
	}
	return g.spread.Percentile(m.percentile), false
}

// often is how many of a period's readings count as one.
func (m *meter) often(g gauge) float64 {
	if !m.level {
		return 1
	}
	return min(g.seconds, 60)
}

// gauge sums up readings; n is 0 when there are none.
type gauge struct {
	n, sum      float64
	least, most float64
	seconds     float64    // that have readings
	spread      *Histogram // of a percentile's
}

func (g *gauge) add(v float64) { g.join(gauge{n: 1, sum: v, least: v, most: v}) }

func (g *gauge) join(o gauge) {
	g.seconds += o.seconds
	switch {
	case o.n == 0:
		return
	case g.n == 0:
		g.least, g.most = math.Inf(1), math.Inf(-1)
	}
	g.n, g.sum = g.n+o.n, g.sum+o.sum
	g.least, g.most = min(g.least, o.least), max(g.most, o.most)
	if o.spread != nil {
		if g.spread == nil {
			g.spread = &Histogram{}
		}
		g.spread.join(o.spread)
	}
}

// series keeps readings in cells of ten seconds, of which all periods and
// turns are made.
type series []struct {
	at int64 // which ten seconds since the epoch
	gauge
}

const seriesCell = int64(shortTurn / time.Second)

// newSeries is as long as what the alarm looks at, and the cell that begins.
func newSeries(al model.Alarm) series {
	return make(series, int64(alarm.Range(al))*max(int64(al.Period/time.Second)/seriesCell, 1)+1)
}

// cell gives the one that a moment falls into.
func (s series) cell(at time.Time) *gauge {
	n := cellOf(at)
	c := &s[s.index(n)]
	if c.at != n {
		c.at, c.gauge = n, gauge{}
	}
	return &c.gauge
}

func (s series) between(from, to time.Time) gauge {
	var g gauge
	for n := cellOf(from); n < cellOf(to); n++ {
		if c := &s[s.index(n)]; c.at == n {
			g.join(c.gauge)
		}
	}
	return g
}

func (s series) index(n int64) int64 {
	k := int64(len(s))
	return (n%k + k) % k
}

func cellOf(at time.Time) int64 {
	return int64(math.Floor(float64(at.Unix()) / float64(seriesCell)))
}
