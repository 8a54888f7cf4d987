package sim

import (
	"errors"
	"math"
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

// plain says that there is one metric and no mathematics.
func (f *formula) plain() bool { return len(f.queries) == 1 && f.queries[0].Expression == "" }

// point is one datapoint that a formula returns.
type point struct {
	at    time.Time
	value float64
}

// points gives what the queries return from start to end, oldest first.
func (f *formula) points(start, end time.Time, period time.Duration) []point {
	of := slices.Clone(f.queries)
	at := map[string]int{}
	for i := range of {
		if at[of[i].ID] = i; of[i].Period != 0 {
			of[i].Period = period
		}
	}
	window := func(period int64) expression.Series {
		return expression.Series{Start: start.Unix(), End: end.Unix(), Period: period}
	}
	one, err := expression.NewQueries(of, expression.Data{
		Read: func(q model.MetricQuery) (expression.Series, error) {
			s := window(int64(period / time.Second))
			s.Label = q.Metric.Name
			i := at[q.ID]
			for t := start; t.Before(end); t = t.Add(period) {
				if v, missing := f.meters[i].value(f.data[i].between(t, t.Add(period))); !missing {
					s.At, s.V = append(s.At, t.Unix()), append(s.V, v)
				}
			}
			return s, nil
		},
		Frame:  window,
		Period: int64(period / time.Second),
	}).Returned()
	if err != nil {
		return nil // as for the server, which reports it: no data
	}
	var out []point
	for i, v := range one.V {
		if !math.IsNaN(v) && !math.IsInf(v, 0) {
			out = append(out, point{time.Unix(one.At[i], 0).UTC(), v})
		}
	}
	return out
}
