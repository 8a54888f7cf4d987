package cloudwatch

import (
	"fmt"
	"regexp"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"neargate/internal/decide/expression"
	"neargate/internal/metric"
	"neargate/internal/model"
)

var queryID = regexp.MustCompile(`^[a-z][A-Za-z0-9_]{0,254}$`)

// newRequest prepares to answer the queries of a GetMetricData.
func (s *service) newRequest(in *cloudwatch.GetMetricDataInput) (*expression.Queries, error) {
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
	var queries []model.MetricQuery
	seen, returned := map[string]bool{}, false
	for i, q := range in.MetricDataQueries {
		if err := checkQuery(fmt.Sprintf("MetricDataQueries.member.%d.", i+1), q); err != nil {
			return nil, err
		}
		if seen[*q.Id] {
			return nil, validation("The values for parameter id in MetricDataQueries are not unique.")
		}
		seen[*q.Id] = true
		one := queryFrom(q)
		queries, returned = append(queries, one), returned || one.Returns()
	}
	if !returned {
		return nil, validation("At least one MetricDataQuery must have ReturnData set to true.")
	}
	return expression.NewQueries(queries, s.dataOf(*in.StartTime, *in.EndTime)), nil
}

// dataOf is what queries of a span of time are about, its start rounded as
// CloudWatch rounds it.
func (s *service) dataOf(start, end time.Time) expression.Data {
	now := s.now()
	frame := func(period int64) expression.Series {
		from := roundStart(start, now, time.Duration(period)*time.Second)
		return expression.Series{Start: from.Unix(), End: end.Unix(), Period: period}
	}
	return expression.Data{
		Read: func(q model.MetricQuery) (expression.Series, error) {
			return metric.ReadSeries(s.data, q, roundStart(start, now, q.Period), end)
		},
		Frame: frame, Period: int64(finest(start, now).Seconds()),
	}
}

// queryFrom translates an entry that has been checked.
func queryFrom(q types.MetricDataQuery) model.MetricQuery {
	out := model.MetricQuery{
		ID: *q.Id, Label: aws.ToString(q.Label), Expression: aws.ToString(q.Expression), ReturnData: q.ReturnData,
		Period: time.Duration(aws.ToInt32(q.Period)) * time.Second,
	}
	if m := q.MetricStat; m != nil {
		out.Metric = metricID(m.Metric.Namespace, m.Metric.MetricName, m.Metric.Dimensions)
		out.Statistic, out.Unit, out.Period = *m.Stat, string(m.Unit), time.Duration(*m.Period)*time.Second
	}
	return out
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
