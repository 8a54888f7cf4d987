package sim

import (
	"errors"
	"time"

	"neargate/internal/decide/policy"
	"neargate/internal/decide/scaling"
	"neargate/internal/model"
)

// ownMetric is the customized metric of a policy. In live timing the server
// reads it by the second, unless its statistic says something else of a second
// than of a minute; and a datapoint once it is a second old.
type ownMetric struct {
	policy string
	fine   bool
	tape   tape
	begin  time.Time // of second
	last   gauge     // the newest second
}

// readOwn adds a policy's customized metric.
func (d *Decider) readOwn(p model.ScalingPolicy) error {
	queries := policy.Queries(p)
	if len(queries) != 1 || queries[0].Expression != "" {
		return errors.New("metric math is not simulated")
	}
	q := queries[0]
	m, err := newMeter(q.Metric.Name, q.Statistic)
	if err != nil {
		return err
	}
	fine := d.cfg.Timing == scaling.Live && q.Statistic != "Sum" && q.Statistic != "SampleCount"
	d.own = append(d.own, ownMetric{policy: p.Name, fine: fine, tape: tape{on: true, meter: m}})
	return nil
}

// values gives the newest complete datapoints.
func (d *Decider) values() []scaling.MetricValue {
	var out []scaling.MetricValue
	for i := range d.own {
		m := &d.own[i]
		v := scaling.MetricValue{Policy: m.policy}
		if m.fine {
			value, missing := m.tape.meter.value(m.last)
			if missing {
				continue
			}
			v.Start, v.Period, v.Value = m.begin, time.Second, value
		} else {
			k := len(m.tape.past)
			if k == 0 {
				continue
			}
			v.Start, v.Period, v.Value = m.tape.past[k-1].At, time.Minute, m.tape.past[k-1].Value
		}
		out = append(out, v)
	}
	return out
}

func (m *ownMetric) second(s model.ServiceSecond, busy gauge, waited []float64) {
	if m.fine {
		m.begin, m.last = s.At.Add(-time.Second), gauge{}
		m.tape.meter.read(&m.last, s, busy, waited)
		return
	}
	m.tape.second(s, busy, waited)
}
