package sim

import (
	"errors"
	"slices"
	"time"

	"neargate/internal/decide/expression"
	"neargate/internal/model"
)

// formula is metric queries of which one returns data, each with its readings.
type formula struct {
	queries []model.MetricQuery
	meters  []meter // of each query; of expressions they are not used
	data    []series
}

// newFormula keeps readings in cells for so long. It refuses metrics that are
// not simulated.
func newFormula(queries []model.MetricQuery, each, length time.Duration) (formula, error) {
	f := formula{queries: slices.Clone(queries), meters: make([]meter, len(queries)), data: make([]series, len(queries))}
	var errs []error
	for i, q := range queries {
		if q.Expression == "" {
			var err error
			f.meters[i], err = newMeter(q.Metric, q.Statistic)
			errs = append(errs, err)
			f.data[i] = newSeries(each, length)
		}
	}
	return f, errors.Join(errs...)
}

// times says whether one of the metrics is the response time.
func (f *formula) timesResponses() bool {
	return slices.ContainsFunc(f.meters, func(m meter) bool { return m.what == responses })
}

// second takes the datapoints of a second, which stand at its beginning.
func (f *formula) second(s model.ServiceSecond, busy gauge, waited []float64) {
	for i, q := range f.queries {
		if q.Expression == "" {
			f.meters[i].read(f.data[i].cell(s.At.Add(-time.Second)), s, busy, waited)
		}
	}
}

// plain reports that there is one metric and no mathematics.
func (f *formula) plain() bool { return len(f.queries) == 1 && f.queries[0].Expression == "" }

// points returns what the queries return in a window, oldest first; none where
// they fail, as for the server, which reports it.
func (f *formula) points(w expression.Window) []expression.Point {
	at := map[string]int{}
	for i, q := range f.queries {
		at[q.ID] = i
	}
	points, err := expression.Points(f.queries, w, func(q model.MetricQuery) (expression.Series, error) {
		s := expression.Series{Label: q.Metric.Name, Start: w.Start.Unix(), End: w.End.Unix(), Period: int64(w.Period / time.Second)}
		i := at[q.ID]
		for t := w.Start; t.Before(w.End); t = t.Add(w.Period) {
			if v, missing := f.meters[i].value(f.data[i].between(t, t.Add(w.Period))); !missing {
				s.At, s.V = append(s.At, t.Unix()), append(s.V, v)
			}
		}
		return s, nil
	})
	if err != nil {
		return nil
	}
	return points
}
