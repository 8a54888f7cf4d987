package cloudwatch

import (
	"context"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"neargate/internal/aws/wire"
	"neargate/internal/metric"
	"neargate/internal/metric/alarms"
	"neargate/internal/model"
)

// maxNames is how many alarms an operation may name, and alarmsAPage how many
// are described at once.
const (
	maxNames    = 100
	alarmsAPage = 100
)

// describeAlarms: codes ValidationError, InvalidParameterCombinationException,
// InvalidNextToken. An unknown name is no error. There are metric alarms only.
func (s *service) describeAlarms(_ context.Context, in *cloudwatch.DescribeAlarmsInput) (*cloudwatch.DescribeAlarmsOutput, error) {
	var c wire.Checks
	if len(in.AlarmNames) > maxNames {
		c.Fail("alarmNames", "'[...]'", "Member must have length less than or equal to %d", maxNames)
	}
	c.OneOf("stateValue", string(in.StateValue), "OK", "ALARM", "INSUFFICIENT_DATA")
	limit := c.Range("maxRecords", in.MaxRecords, 1, alarmsAPage, alarmsAPage)
	if err := c.Err(codeValidation); err != nil {
		return nil, err
	}
	if len(in.AlarmNames) > 0 && in.AlarmNamePrefix != nil {
		return nil, combination("The parameters AlarmNames and AlarmNamePrefix are mutually exclusive and you have specified both.")
	}
	out := &cloudwatch.DescribeAlarmsOutput{MetricAlarms: []types.MetricAlarm{}, CompositeAlarms: []types.CompositeAlarm{}}
	family := in.ChildrenOfAlarmName != nil || in.ParentsOfAlarmName != nil // of composite alarms
	if family || len(in.AlarmTypes) > 0 && !slices.Contains(in.AlarmTypes, types.AlarmTypeMetricAlarm) {
		return out, nil
	}
	list := s.alarms.Alarms(alarms.Filter{
		Names: in.AlarmNames, NamePrefix: aws.ToString(in.AlarmNamePrefix),
		State: string(in.StateValue), ActionPrefix: aws.ToString(in.ActionPrefix),
	})
	page, next, ok := wire.Page(list, func(al model.Alarm) string { return al.Name }, aws.ToString(in.NextToken), int(limit))
	if !ok {
		return nil, badToken()
	}
	for _, al := range page {
		out.MetricAlarms = append(out.MetricAlarms, describe(al))
	}
	out.NextToken = token(next)
	return out, nil
}

// describeAlarmsForMetric: codes InvalidParameterValueException,
// MissingRequiredParameterException.
func (s *service) describeAlarmsForMetric(_ context.Context, in *cloudwatch.DescribeAlarmsForMetricInput) (*cloudwatch.DescribeAlarmsForMetricOutput, error) {
	if err := checkMetric("", in.Namespace, in.MetricName, in.Dimensions); err != nil {
		return nil, err
	}
	key := metric.Key(metricID(in.Namespace, in.MetricName, in.Dimensions))
	out := &cloudwatch.DescribeAlarmsForMetricOutput{MetricAlarms: []types.MetricAlarm{}}
	for _, al := range s.alarms.Alarms(alarms.Filter{}) {
		switch {
		case metric.Key(al.Metric) != key,
			in.Period != nil && time.Duration(*in.Period)*time.Second != al.Period,
			in.Statistic != "" && string(in.Statistic) != al.Statistic,
			in.ExtendedStatistic != nil && *in.ExtendedStatistic != al.Statistic,
			in.Unit != "" && string(in.Unit) != al.Unit:
			continue
		}
		out.MetricAlarms = append(out.MetricAlarms, describe(al))
	}
	return out, nil
}

// describe returns an alarm in the form in which it was put; what was not given
// is not there.
func describe(al model.Alarm) types.MetricAlarm {
	out := types.MetricAlarm{
		AlarmArn: aws.String(al.ARN), AlarmName: aws.String(al.Name), AlarmDescription: text(al.Description),
		ActionsEnabled: aws.Bool(al.ActionsEnabled),
		OKActions:      list(al.OKActions), AlarmActions: list(al.AlarmActions), InsufficientDataActions: list(al.InsufficientActions),
		EvaluationPeriods: aws.Int32(int32(al.EvaluationPeriods)), Threshold: aws.Float64(al.Threshold),
		ComparisonOperator: types.ComparisonOperator(al.Comparison), TreatMissingData: text(al.MissingData),
		EvaluateLowSampleCountPercentile: text(al.LowSample),
		StateValue:                       types.StateValue(al.State), StateReason: aws.String(al.StateReason), StateReasonData: text(al.StateReasonData),
		StateUpdatedTimestamp: aws.Time(al.StateUpdatedAt), StateTransitionedTimestamp: aws.Time(al.StateTransitioned),
		AlarmConfigurationUpdatedTimestamp: aws.Time(al.ConfigUpdatedAt),
	}
	if al.DatapointsToAlarm != 0 {
		out.DatapointsToAlarm = aws.Int32(int32(al.DatapointsToAlarm))
	}
	if len(al.Queries) > 0 {
		out.Dimensions = []types.Dimension{}
		for _, q := range al.Queries {
			out.Metrics = append(out.Metrics, queryOf(q))
		}
		return out
	}
	period := aws.Int32(int32(al.Period / time.Second))
	if al.QueryID != "" {
		out.Dimensions = []types.Dimension{}
		out.Metrics = []types.MetricDataQuery{{
			Id: aws.String(al.QueryID), Label: text(al.QueryLabel), ReturnData: aws.Bool(true),
			MetricStat: &types.MetricStat{
				Metric: &types.Metric{Namespace: aws.String(al.Metric.Namespace), MetricName: aws.String(al.Metric.Name), Dimensions: dimensions(al.Metric)},
				Period: period, Stat: aws.String(al.Statistic), Unit: types.StandardUnit(al.Unit),
			},
		}}
		return out
	}
	out.Namespace, out.MetricName, out.Dimensions = aws.String(al.Metric.Namespace), aws.String(al.Metric.Name), dimensions(al.Metric)
	out.Period, out.Unit = period, types.StandardUnit(al.Unit)
	if st, err := metric.ParseStatistic(al.Statistic); err == nil && st.Percentile() {
		out.ExtendedStatistic = aws.String(al.Statistic)
	} else {
		out.Statistic = types.Statistic(al.Statistic)
	}
	return out
}

// queryOf returns an entry of Metrics as it was put.
func queryOf(q model.MetricQuery) types.MetricDataQuery {
	out := types.MetricDataQuery{Id: aws.String(q.ID), Label: text(q.Label), Expression: text(q.Expression), ReturnData: aws.Bool(q.Returns())}
	if q.Expression == "" {
		out.MetricStat = &types.MetricStat{
			Metric: &types.Metric{Namespace: aws.String(q.Metric.Namespace), MetricName: aws.String(q.Metric.Name), Dimensions: dimensions(q.Metric)},
			Period: aws.Int32(int32(q.Period / time.Second)), Stat: aws.String(q.Statistic), Unit: types.StandardUnit(q.Unit),
		}
	} else if q.Period != 0 {
		out.Period = aws.Int32(int32(q.Period / time.Second))
	}
	return out
}

func text(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

func list(s []string) []string {
	if s == nil {
		return []string{}
	}
	return s
}
