package sim

import (
	"time"

	"neargate/internal/decide/alarm"
	"neargate/internal/decide/policy"
	"neargate/internal/decide/scaling"
	"neargate/internal/model"
)

// The turns in which the server evaluates alarms: those with periods of a
// minute or more each full minute, the others every ten seconds.
const (
	longTurn  = time.Minute
	shortTurn = 10 * time.Second
)

// watch keeps the managed alarms of policies as the server keeps them.
type watch struct {
	alarms []managed
	states []scaling.Alarms // of each policy
}

// managed is one alarm with the metric it is about.
type managed struct {
	model.Alarm
	owner  int // index of its policy
	kind   policy.Kind
	metric scaling.Metric
	data   series
	turn   time.Duration
	taken  time.Time // the last turn
}

func newWatch(cfg scaling.Config) *watch {
	w := &watch{states: make([]scaling.Alarms, len(cfg.Policies))}
	for i, p := range cfg.Policies {
		w.states[i].Policy = p.Name
		put := model.ScalingPolicy{
			Name: p.Name, ResourceID: policy.Resource("sim", "sim"),
			Tracking: &model.TargetTracking{Predefined: string(p.Metric), Target: p.Target, DisableScaleIn: p.DisableScaleIn},
		}
		for _, k := range policy.Kinds(put) {
			m := managed{Alarm: policy.Alarm(put, k, cfg.Timing, ""), owner: i, kind: k, metric: p.Metric, turn: longTurn}
			m.State = alarm.Insufficient
			if m.Period < longTurn {
				m.turn = shortTurn
			}
			w.alarms = append(w.alarms, m)
		}
	}
	return w
}

// second takes the datapoints of a second, and evaluates the alarms whose turn
// it is.
func (w *watch) second(s model.ServiceSecond, busy gauge) {
	for i := range w.alarms {
		m := &w.alarms[i]
		m.data.add(s.At.Add(-time.Second), m.reading(s, busy))
		if turn := s.At.Truncate(m.turn); turn.After(m.taken) {
			m.taken = turn
			w.evaluate(m, turn, s.At)
		}
	}
}

// reading is what the server publishes of the alarm's metric for a second.
func (m *managed) reading(s model.ServiceSecond, busy gauge) gauge {
	switch m.metric {
	case scaling.CPU:
		quota := s.CPUPerTask.Seconds() / s.Interval.Seconds()
		busy.sum = min(100*busy.sum/quota, 100*busy.n)
		return busy
	case scaling.Memory:
		if s.Sampled == 0 || s.MemoryPerTask == 0 {
			return gauge{}
		}
		percent := 100 * float64(s.Memory) / float64(s.MemoryPerTask) / float64(s.Sampled)
		return gauge{sum: percent * busy.n, n: busy.n}
	case scaling.RequestsPerTarget:
		if s.Running == 0 {
			return gauge{n: 1}
		}
		return gauge{sum: float64(s.Arrivals) / float64(s.Running), n: 1}
	default:
		return gauge{} // no alarm of the server's is about it
	}
}

func (w *watch) evaluate(m *managed, end, now time.Time) {
	points := make([]alarm.Point, alarm.Range(m.Alarm))
	start := end.Add(-time.Duration(len(points)) * m.Period)
	for i := range points {
		p := &points[i]
		p.At = start.Add(time.Duration(i) * m.Period)
		g := m.data.between(p.At, p.At.Add(m.Period))
		p.Missing, p.Samples, p.Value = g.n == 0, g.n, g.sum
		if m.Statistic == "Average" && g.n > 0 {
			p.Value = g.sum / g.n
		}
	}
	d := alarm.Evaluate(m.Alarm, points, now)
	if d.Kept {
		return
	}
	m.State = d.State
	ringing := m.State == alarm.Alarm
	if m.kind == policy.High {
		w.states[m.owner].High = ringing
	} else {
		w.states[m.owner].Low = ringing
	}
}

// gauge sums readings.
type gauge struct{ sum, n float64 }

func (g *gauge) add(v float64) {
	g.sum += v
	g.n++
}

// series keeps readings in cells of ten seconds, of which all periods and
// turns are made.
type series [seriesCells]struct {
	at int64 // which ten seconds since the epoch
	gauge
}

const (
	seriesCell  = shortTurn
	seriesCells = 128 // 21 minutes; the longest evaluation range is 17
)

func (s *series) add(at time.Time, g gauge) {
	if g.n == 0 {
		return
	}
	n := cell(at)
	c := &s[n&(seriesCells-1)]
	if c.at != n {
		c.at, c.gauge = n, gauge{}
	}
	c.sum += g.sum
	c.n += g.n
}

func (s *series) between(from, to time.Time) gauge {
	var g gauge
	for n := cell(from); n < cell(to); n++ {
		if c := &s[n&(seriesCells-1)]; c.at == n {
			g.sum += c.sum
			g.n += c.n
		}
	}
	return g
}

func cell(at time.Time) int64 {
	const step = int64(seriesCell / time.Second)
	n := at.Unix() / step
	if at.Unix()%step < 0 {
		n--
	}
	return n
}
