package expression

import (
	"math"
	"time"

	"neargate/internal/model"
)

// Window is a span of time in periods of whole seconds. End is not part of it.
type Window struct {
	Start, End time.Time
	Period     time.Duration
}

// Point is one datapoint.
type Point struct {
	At    time.Time // start of its period
	Value float64
}

// Points returns the datapoints that the one returned entry of queries has in a
// window, oldest first; periods without one, and values that are no finite
// number, are left out. All metrics are read by the window's period, whatever
// theirs. read returns the series of a query's metric. An error is one of read,
// or a ValidationError for the author of the queries.
func Points(list []model.MetricQuery, w Window, read func(model.MetricQuery) (Series, error)) ([]Point, error) {
	of := make([]model.MetricQuery, len(list))
	for i, q := range list {
		if q.Expression == "" {
			q.Period = w.Period
		}
		of[i] = q
	}
	one, err := NewQueries(of, Data{
		Read: read,
		Frame: func(period int64) Series {
			return Series{Start: w.Start.Unix(), End: w.End.Unix(), Period: period}
		},
		Period: int64(w.Period / time.Second),
	}).Returned()
	if err != nil {
		return nil, err
	}
	out := make([]Point, 0, len(one.At))
	for i, at := range one.At {
		if v := one.V[i]; !math.IsNaN(v) && !math.IsInf(v, 0) {
			out = append(out, Point{At: time.Unix(at, 0).UTC(), Value: v})
		}
	}
	return out, nil
}
