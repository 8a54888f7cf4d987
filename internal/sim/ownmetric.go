package sim

import (
	"time"

	"neargate/internal/decide/policy"
	"neargate/internal/decide/scaling"
	"neargate/internal/model"
)

// ownMetric is the customized metric of a policy. In live timing the server
// reads it by the second, unless a statistic says something else of a second
// than of a minute.
type ownMetric struct {
	policy string
	fine   bool
	formula
}

// readOwn adds a policy's customized metric.
func (d *Decider) readOwn(p model.ScalingPolicy) error {
	queries := policy.Queries(p)
	m := ownMetric{policy: p.Name, fine: d.cfg.Timing == scaling.Live && policy.Fine(queries)}
	w := policy.OwnWindow(m.fine, time.Time{})
	of, err := newFormula(queries, w.Period, w.End.Sub(w.Start))
	if err != nil {
		return err
	}
	m.formula = of
	d.own = append(d.own, m)
	return nil
}

// values returns the newest complete datapoints.
func (d *Decider) values(now time.Time) []scaling.MetricValue {
	var out []scaling.MetricValue
	for i := range d.own {
		if v, ok := d.own[i].newest(now); ok {
			out = append(out, v)
		}
	}
	return out
}

func (m *ownMetric) newest(now time.Time) (scaling.MetricValue, bool) {
	w := policy.OwnWindow(m.fine, now)
	v := scaling.MetricValue{Policy: m.policy, Period: w.Period}
	if m.plain() { // the newest is found without the others
		for at := w.End.Add(-w.Period); !at.Before(w.Start); at = at.Add(-w.Period) {
			value, missing := m.meters[0].value(m.data[0].between(at, at.Add(w.Period)))
			if !missing {
				v.Start, v.Value = at, value
				return v, true
			}
		}
		return v, false
	}
	all := m.points(w)
	if len(all) == 0 {
		return v, false
	}
	last := all[len(all)-1]
	v.Start, v.Value = last.At, last.Value
	return v, true
}
