package metric

import (
	"math"
	"time"

	"neargate/internal/decide/expression"
	"neargate/internal/model"
)

// How far back Returned reads, and how long after its end a datapoint is taken
// for complete.
const (
	returnedMinutes = 3
	returnedSeconds = 90
	completeAfter   = time.Second
)

// Returned gives the last complete datapoints of the one entry of queries that
// returns data, oldest first, by the minute. With fine they are by the second,
// if all metrics are published so and their statistics say the same of a
// second as of a minute, which sums and counts do not.
func (s *Store) Returned(queries []model.MetricQuery, fine bool, now time.Time) ([]model.Reading, error) {
	end := now.Add(-completeAfter).UTC().Truncate(time.Second)
	if fine {
		for _, q := range queries {
			if q.Expression != "" {
				continue
			}
			ok, err := s.bySecond(q, end)
			if err != nil {
				return nil, err
			}
			fine = fine && ok
		}
	}
	period, start := time.Minute, end
	if fine {
		period = time.Second
		start = end.Add(-returnedSeconds * period)
	} else {
		end = end.Truncate(period)
		start = end.Add(-returnedMinutes * period)
	}
	of := make([]model.MetricQuery, len(queries))
	for i, q := range queries {
		if q.Period != 0 {
			q.Period = period
		}
		of[i] = q
	}
	one, err := expression.NewQueries(of, expression.Data{
		Read: func(q model.MetricQuery) (expression.Series, error) { return ReadSeries(s, q, start, end) },
		Frame: func(period int64) expression.Series {
			return expression.Series{Start: start.Unix(), End: end.Unix(), Period: period}
		},
		Period: int64(period / time.Second),
	}).Returned()
	if err != nil {
		return nil, err
	}
	var out []model.Reading
	for i, at := range one.At {
		if v := one.V[i]; !math.IsNaN(v) && !math.IsInf(v, 0) {
			out = append(out, model.Reading{Start: time.Unix(at, 0).UTC(), Period: period, Value: v})
		}
	}
	return out, nil
}

// bySecond says whether a metric is published by the second: other metrics
// only have datapoints on the minute.
func (s *Store) bySecond(q model.MetricQuery, end time.Time) (bool, error) {
	if q.Statistic == "Sum" || q.Statistic == "SampleCount" {
		return false, nil
	}
	points, err := s.Query(Query{ID: q.Metric, Unit: q.Unit, Start: end.Add(-returnedSeconds * time.Second), End: end, Period: time.Second})
	if err != nil {
		return false, err
	}
	for _, p := range points {
		if p.At.Unix()%minute != 0 {
			return true, nil
		}
	}
	return false, nil
}
