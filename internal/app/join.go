package app

import (
	"math"
	"slices"
	"time"

	"neargate/internal/decide/expression"
	"neargate/internal/decide/forecast"
	"neargate/internal/logs"
	"neargate/internal/metric"
	"neargate/internal/model"
)

// pastLoad is what the autoscaler asks of the metrics.
type pastLoad struct{ *metric.Store }

// Minutes gives what the one of queries that returns data has by the minute.
func (m pastLoad) Minutes(queries []model.MetricQuery, from, to time.Time) ([]forecast.Minute, error) {
	of := slices.Clone(queries)
	for i := range of {
		of[i].Period = time.Minute
	}
	series, err := expression.NewQueries(of, expression.Data{
		Read: func(q model.MetricQuery) (expression.Series, error) { return metric.ReadSeries(m.Store, q, from, to) },
		Frame: func(period int64) expression.Series {
			return expression.Series{Start: from.Unix(), End: to.Unix(), Period: period}
		},
		Period: int64(time.Minute / time.Second),
	}).Returned()
	if err != nil {
		return nil, err
	}
	out := make([]forecast.Minute, 0, len(series.At))
	for i, at := range series.At {
		if v := series.V[i]; !math.IsNaN(v) && !math.IsInf(v, 0) {
			out = append(out, forecast.Minute{At: time.Unix(at, 0).UTC(), Value: v})
		}
	}
	return out, nil
}

// logGroups is what the scheduler asks of the logs.
type logGroups struct{ *logs.Logs }

// HasGroup says whether there is a group of that name.
func (l logGroups) HasGroup(name string) bool {
	_, err := l.Group(name)
	return err == nil
}
