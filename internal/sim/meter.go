package sim

import (
	"fmt"
	"math"
	"strconv"
	"strings"

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
	hostsHealthy  metric = "HealthyHostCount"
	tasksRunning  metric = "RunningTaskCount"
	tasksPending  metric = "PendingTaskCount"
)

// namespace is where a metric is published; "" for one that is not.
func (m metric) namespace() string {
	switch m {
	case cpuPercent, memoryPercent:
		return "AWS/ECS"
	case requests, requestsEach, responses, hostsHealthy:
		return "AWS/ApplicationELB"
	case tasksRunning, tasksPending:
		return "ECS/ContainerInsights"
	}
	return ""
}

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
func newMeter(id model.MetricID, statistic string) (meter, error) {
	m := meter{what: metric(id.Name), statistic: statistic}
	if namespace := m.what.namespace(); namespace == "" || namespace != id.Namespace {
		return m, fmt.Errorf("metric %q of %s is not simulated", id.Name, id.Namespace)
	}
	m.level = m.what != requests && m.what != requestsEach && m.what != responses
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
	case tasksRunning, hostsHealthy:
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
