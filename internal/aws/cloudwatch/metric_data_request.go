package cloudwatch

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"neargate/internal/aws/cloudwatch/expression"
	"neargate/internal/metric"
	"neargate/internal/model"
)

// dataRequest answers the queries of one GetMetricData, each once.
type dataRequest struct {
	s          *service
	start, end time.Time
	now        time.Time
	queries    []types.MetricDataQuery
	byID       map[string]types.MetricDataQuery
	values     map[string]expression.Value
	open       map[string]bool // being evaluated, to notice circles
	metricsErr error           // of reading for METRICS, which cannot return one
}

var queryID = regexp.MustCompile(`^[a-z][A-Za-z0-9_]{0,254}$`)

func (s *service) newRequest(in *cloudwatch.GetMetricDataInput) (*dataRequest, error) {
	switch {
	case in.StartTime == nil:
		return nil, missing("StartTime")
	case in.EndTime == nil:
		return nil, missing("EndTime")
	case !in.StartTime.Before(*in.EndTime):
		return nil, validation("The parameter StartTime must be less than the parameter EndTime.")
	case len(in.MetricDataQueries) == 0:
		return nil, missing("MetricDataQueries")
	case len(in.MetricDataQueries) > maxQueries:
		return nil, validation("The collection MetricDataQueries must not have a size greater than %d.", maxQueries)
	case in.MaxDatapoints != nil && (*in.MaxDatapoints < 1 || *in.MaxDatapoints > maxDataPoints):
		return nil, validation("The value %d for parameter MaxDatapoints must be between 1 and %d.", *in.MaxDatapoints, maxDataPoints)
	case in.ScanBy != "" && in.ScanBy != types.ScanByTimestampAscending && in.ScanBy != types.ScanByTimestampDescending:
		return nil, validation("The parameter ScanBy must be a value in the set [ TimestampDescending, TimestampAscending ].")
	}
	r := &dataRequest{
		s: s, start: *in.StartTime, end: *in.EndTime, now: s.now(), queries: in.MetricDataQueries,
		byID: map[string]types.MetricDataQuery{}, values: map[string]expression.Value{}, open: map[string]bool{},
	}
	returned := false
	for i, q := range in.MetricDataQueries {
		if err := checkQuery(fmt.Sprintf("MetricDataQueries.member.%d.", i+1), q); err != nil {
			return nil, err
		}
		if _, twice := r.byID[*q.Id]; twice {
			return nil, validation("The values for parameter id in MetricDataQueries are not unique.")
		}
		r.byID[*q.Id] = q
		returned = returned || q.ReturnData == nil || *q.ReturnData
	}
	if !returned {
		return nil, validation("At least one MetricDataQuery must have ReturnData set to true.")
	}
	return r, nil
}

func checkQuery(at string, q types.MetricDataQuery) error {
	switch {
	case q.Id == nil:
		return missing(at + "Id")
	case !queryID.MatchString(*q.Id):
		return validation("The value %s for parameter %sId is not matching the expected pattern ^[a-z][a-zA-Z0-9_]*$.", *q.Id, at)
	case q.MetricStat != nil && q.Expression != nil:
		return validation("The parameters %sMetricStat and %sExpression are mutually exclusive and you have specified both.", at, at)
	case q.MetricStat == nil && aws.ToString(q.Expression) == "":
		return validation("Either %sMetricStat or %sExpression must be specified.", at, at)
	case q.MetricStat == nil:
		if q.Period != nil && !validPeriod(*q.Period) {
			return badPeriod(at)
		}
		return nil
	}
	return checkMetricStat(at+"MetricStat.", *q.MetricStat)
}

func checkMetricStat(at string, m types.MetricStat) error {
	switch {
	case m.Metric == nil:
		return missing(at + "Metric")
	case m.Period == nil:
		return missing(at + "Period")
	case !validPeriod(*m.Period):
		return badPeriod(at)
	case m.Stat == nil:
		return missing(at + "Stat")
	}
	if _, err := metric.ParseStatistic(*m.Stat); err != nil {
		return validation("The value %s for parameter %sStat is not supported: SampleCount, Average, Sum, Minimum, Maximum and p0.0 to p100 are.", *m.Stat, at)
	}
	if err := checkUnit(at+"Unit", m.Unit); err != nil {
		return err
	}
	return checkMetric(at+"Metric.", m.Metric.Namespace, m.Metric.MetricName, m.Metric.Dimensions)
}

func badPeriod(at string) error {
	return validation("The parameter %sPeriod must be a value in the set [ 1, 5, 10, 20, 30 ] or a multiple of 60.", at)
}

// result gives the time series that a query returns.
func (r *dataRequest) result(q types.MetricDataQuery) ([]expression.Series, error) {
	v, err := r.value(*q.Id)
	if err != nil {
		return nil, err
	}
	if v.Kind == expression.Number {
		return nil, validation("Error in expression '%s': the result of the expression is a number, not a time series.", *q.Id)
	}
	return v.Series, nil
}

// value gives what an id stands for.
func (r *dataRequest) value(id string) (expression.Value, error) {
	if v, ok := r.values[id]; ok {
		return v, nil
	}
	q, ok := r.byID[id]
	switch {
	case !ok:
		return expression.Value{}, validation("Error in expression: the id '%s' is not in MetricDataQueries.", id)
	case r.open[id]:
		return expression.Value{}, validation("Error in expression '%s': expressions refer to each other in a circle.", id)
	}
	r.open[id] = true
	defer delete(r.open, id)
	var v expression.Value
	var err error
	if q.MetricStat != nil {
		v, err = r.read(*q.MetricStat)
	} else {
		v, err = r.evaluate(q)
	}
	if err == nil {
		r.values[id] = v
	}
	return v, err
}

// read gives a metric's series.
func (r *dataRequest) read(m types.MetricStat) (expression.Value, error) {
	period := time.Duration(*m.Period) * time.Second
	start := roundStart(r.start, r.now, period)
	stat, err := metric.ParseStatistic(*m.Stat)
	if err != nil {
		return expression.Value{}, err
	}
	points, err := r.s.data.Query(metric.Query{
		ID: metricID(m.Metric.Namespace, m.Metric.MetricName, m.Metric.Dimensions), Unit: string(m.Unit),
		Start: start, End: r.end, Period: period, Percentiles: stat.Percentile(),
	})
	if err != nil {
		return expression.Value{}, err
	}
	s := expression.Series{Label: *m.Metric.MetricName, Start: start.Unix(), End: r.end.Unix(), Period: int64(*m.Period)}
	for _, p := range points {
		v, ok := p.Value(stat)
		if n := len(s.At); !ok || n > 0 && s.At[n-1] == p.At.Unix() { // one unit of those that share a time
			continue
		}
		s.At, s.V = append(s.At, p.At.Unix()), append(s.V, v)
	}
	return expression.OneSeries(s), nil
}

// evaluate gives the value of an expression. Its label is its id; the series
// of an array keep their metrics' names.
func (r *dataRequest) evaluate(q types.MetricDataQuery) (expression.Value, error) {
	fail := func(err error) (expression.Value, error) {
		if e, ok := errors.AsType[*model.Error](err); ok { // of what it refers to
			return expression.Value{}, e
		}
		return expression.Value{}, validation("Error in expression '%s': %v", *q.Id, err)
	}
	e, err := expression.Parse(*q.Expression)
	if err != nil {
		return fail(err)
	}
	period := r.framePeriod(q)
	frame := expression.Series{Start: roundStart(r.start, r.now, time.Duration(period)*time.Second).Unix(), End: r.end.Unix(), Period: period}
	r.metricsErr = nil
	v, err := e.Eval(expression.Env{Lookup: r.value, Metrics: r.metrics, Frame: frame})
	if err == nil {
		err = r.metricsErr
	}
	if err != nil {
		return fail(err)
	}
	if v.Kind == expression.One {
		one := v.Series[0] // may be shared with the metric it came from
		one.Label = ""
		v = expression.OneSeries(one)
	}
	return v, nil
}

// framePeriod is the period of an expression that has no series of its own:
// the one it was given, or the longest of the request.
func (r *dataRequest) framePeriod(q types.MetricDataQuery) int64 {
	if q.Period != nil {
		return int64(*q.Period)
	}
	longest := int64(0)
	for _, other := range r.queries {
		if other.MetricStat != nil {
			longest = max(longest, int64(*other.MetricStat.Period))
		}
	}
	if longest == 0 {
		return int64(finest(r.start, r.now).Seconds())
	}
	return longest
}

// metrics gives the series of all metrics whose id contains part.
func (r *dataRequest) metrics(part string) []expression.Series {
	var out []expression.Series
	for _, q := range r.queries {
		if q.MetricStat == nil || !strings.Contains(*q.Id, part) {
			continue
		}
		v, err := r.value(*q.Id)
		if err != nil {
			r.metricsErr = err
			return nil
		}
		out = append(out, v.Series...)
	}
	return out
}
