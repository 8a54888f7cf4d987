package metric

import (
	"time"

	"neargate/internal/decide/expression"
	"neargate/internal/model"
)

// ReadSeries gives the time series of a query's metric from start to end, for
// metric math. Of several units that share a time, one counts.
func ReadSeries(data interface {
	Query(Query) ([]Datapoint, error)
}, q model.MetricQuery, start, end time.Time,
) (expression.Series, error) {
	stat, err := ParseStatistic(q.Statistic)
	if err != nil {
		return expression.Series{}, err
	}
	points, err := data.Query(Query{
		ID: q.Metric, Unit: q.Unit, Start: start, End: end, Period: q.Period, Percentiles: stat.Percentile(),
	})
	if err != nil {
		return expression.Series{}, err
	}
	s := expression.Series{Label: q.Metric.Name, Start: start.Unix(), End: end.Unix(), Period: int64(q.Period / time.Second)}
	for _, p := range points {
		v, ok := p.Value(stat)
		if n := len(s.At); !ok || n > 0 && s.At[n-1] == p.At.Unix() {
			continue
		}
		s.At, s.V = append(s.At, p.At.Unix()), append(s.V, v)
	}
	return s, nil
}
