package sim

import (
	"slices"
	"time"

	"neargate/internal/decide/policy"
	"neargate/internal/decide/scaling"
	"neargate/internal/model"
)

// How far back the server reads customized metrics, and how old a datapoint is
// before it is read.
const (
	fineBack      = 90 * time.Second
	back          = 3 * time.Minute
	completeAfter = time.Second
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
	m := ownMetric{policy: p.Name, fine: d.cfg.Timing == scaling.Live && !slices.ContainsFunc(queries, sums)}
	each, length := time.Minute, back
	if m.fine {
		each, length = time.Second, fineBack
	}
	of, err := newFormula(queries, each, length)
	if err != nil {
		return err
	}
	m.formula = of
	d.own = append(d.own, m)
	return nil
}

func sums(q model.MetricQuery) bool { return q.Statistic == "Sum" || q.Statistic == "SampleCount" }

// values gives the newest complete datapoints.
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
	period, length := time.Minute, back
	if m.fine {
		period, length = time.Second, fineBack
	}
	end := now.Add(-completeAfter).Truncate(period)
	v := scaling.MetricValue{Policy: m.policy, Period: period}
	if m.plain() { // the newest is found without the others
		for at := end.Add(-period); !at.Before(end.Add(-length)); at = at.Add(-period) {
			value, missing := m.meters[0].value(m.data[0].between(at, at.Add(period)))
			if !missing {
				v.Start, v.Value = at, value
				return v, true
			}
		}
		return v, false
	}
	all := m.points(end.Add(-length), end, period)
	if len(all) == 0 {
		return v, false
	}
	last := all[len(all)-1]
	v.Start, v.Value = last.at, last.value
	return v, true
}
