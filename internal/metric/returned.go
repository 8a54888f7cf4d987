package metric

import (
	"time"

	"neargate/internal/decide/expression"
	"neargate/internal/decide/forecast"
	"neargate/internal/decide/policy"
	"neargate/internal/model"
)

// Returned returns the last complete datapoints of the one entry of queries that
// returns data, oldest first, by the minute. With fine they are by the second,
// if all metrics are published so and their statistics allow it.
func (s *Store) Returned(queries []model.MetricQuery, fine bool, now time.Time) ([]model.Reading, error) {
	fine, err := s.fine(queries, fine, now)
	if err != nil {
		return nil, err
	}
	w := policy.OwnWindow(fine, now)
	points, err := s.points(queries, w)
	if err != nil {
		return nil, err
	}
	var out []model.Reading
	for _, p := range points {
		out = append(out, model.Reading{Start: p.At, Period: w.Period, Value: p.Value})
	}
	return out, nil
}

// Minutes returns what the one of queries that returns data has by the minute,
// oldest first.
func (s *Store) Minutes(queries []model.MetricQuery, from, to time.Time) ([]forecast.Minute, error) {
	points, err := s.points(queries, expression.Window{Start: from, End: to, Period: time.Minute})
	out := make([]forecast.Minute, len(points))
	for i, p := range points {
		out[i] = forecast.Minute{At: p.At, Value: p.Value}
	}
	return out, err
}

func (s *Store) points(queries []model.MetricQuery, w expression.Window) ([]expression.Point, error) {
	return expression.Points(queries, w, func(q model.MetricQuery) (expression.Series, error) {
		return ReadSeries(s, q, w.Start, w.End)
	})
}

// fine reports whether queries that are wanted by the second can be read so.
func (s *Store) fine(queries []model.MetricQuery, wanted bool, now time.Time) (bool, error) {
	if !wanted || !policy.Fine(queries) {
		return false, nil
	}
	for _, q := range queries {
		if q.Expression != "" {
			continue
		}
		if ok, err := s.bySecond(q, now); err != nil || !ok {
			return false, err
		}
	}
	return true, nil
}

// bySecond reports whether a metric is published by the second: other metrics
// only have datapoints on the minute.
func (s *Store) bySecond(q model.MetricQuery, now time.Time) (bool, error) {
	w := policy.OwnWindow(true, now)
	points, err := s.Query(Query{ID: q.Metric, Unit: q.Unit, Start: w.Start, End: w.End, Period: w.Period})
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
