package cloudwatch

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"

	"neargate/internal/aws/wire"
	"neargate/internal/decide/expression"
	"neargate/internal/metric"
	"neargate/internal/model"
)

// maxActions is how many actions each state may have.
const maxActions = 5

// putMetricAlarm: codes ValidationError, InvalidParameterValueException,
// InvalidParameterCombinationException, MissingRequiredParameterException.
func (s *service) putMetricAlarm(ctx context.Context, in *cloudwatch.PutMetricAlarmInput) (*cloudwatch.PutMetricAlarmOutput, error) {
	al, err := Alarm(in)
	if err != nil {
		return nil, err
	}
	if err := s.alarms.PutAlarm(ctx, al); err != nil {
		return nil, err
	}
	return &cloudwatch.PutMetricAlarmOutput{}, nil
}

// Alarm reads a PutMetricAlarm request; the simulator reads alarms by it. The
// codes are those of the operation.
func Alarm(in *cloudwatch.PutMetricAlarmInput) (model.Alarm, error) {
	if err := checkAlarmInput(in); err != nil {
		return model.Alarm{}, err
	}
	al := model.Alarm{
		Name: *in.AlarmName, Description: aws.ToString(in.AlarmDescription),
		ActionsEnabled: in.ActionsEnabled == nil || *in.ActionsEnabled,
		OKActions:      in.OKActions, AlarmActions: in.AlarmActions, InsufficientActions: in.InsufficientDataActions,
		EvaluationPeriods: int(*in.EvaluationPeriods), DatapointsToAlarm: int(aws.ToInt32(in.DatapointsToAlarm)),
		Threshold: *in.Threshold, Comparison: string(in.ComparisonOperator),
		MissingData: aws.ToString(in.TreatMissingData), LowSample: aws.ToString(in.EvaluateLowSampleCountPercentile),
	}
	for _, t := range in.Tags {
		al.Tags = append(al.Tags, model.Tag{Key: aws.ToString(t.Key), Value: aws.ToString(t.Value)})
	}
	watch := setMetric
	switch {
	case len(in.Metrics) == 1 && in.Metrics[0].MetricStat != nil:
		watch = setMetricQuery
	case len(in.Metrics) > 0:
		watch = setMath
	}
	if err := watch(&al, in); err != nil {
		return model.Alarm{}, err
	}
	return al, checkRange(al)
}

func checkAlarmInput(in *cloudwatch.PutMetricAlarmInput) error {
	if err := refuseKinds(in); err != nil {
		return err
	}
	var c wire.Checks
	c.Text("alarmName", in.AlarmName, 1, 255)
	c.OptionalText("alarmDescription", in.AlarmDescription, 0, 1024)
	c.Required("comparisonOperator", in.ComparisonOperator != "")
	c.OneOf("comparisonOperator", string(in.ComparisonOperator),
		"GreaterThanOrEqualToThreshold", "GreaterThanThreshold", "LessThanThreshold", "LessThanOrEqualToThreshold")
	c.Required("evaluationPeriods", in.EvaluationPeriods != nil)
	c.Range("evaluationPeriods", in.EvaluationPeriods, 1, math.MaxInt32, 1)
	c.Range("datapointsToAlarm", in.DatapointsToAlarm, 1, math.MaxInt32, 1)
	c.OneOf("treatMissingData", aws.ToString(in.TreatMissingData), "breaching", "notBreaching", "ignore", "missing")
	c.OneOf("evaluateLowSampleCountPercentile", aws.ToString(in.EvaluateLowSampleCountPercentile), "evaluate", "ignore")
	for member, actions := range map[string][]string{"alarmActions": in.AlarmActions, "OKActions": in.OKActions, "insufficientDataActions": in.InsufficientDataActions} {
		if len(actions) > maxActions {
			c.Fail(member, "'["+actions[0]+", ...]'", "Member must have length less than or equal to %d", maxActions)
		}
	}
	if len(in.Tags) > maxTags {
		c.Fail("tags", "'[...]'", "Member must have length less than or equal to %d", maxTags)
	}
	if err := c.Err(codeValidation); err != nil {
		return err
	}
	switch {
	case in.Threshold == nil:
		return missing("Threshold")
	case math.IsNaN(*in.Threshold) || math.IsInf(*in.Threshold, 0):
		return invalid("The value %v for parameter Threshold is invalid.", *in.Threshold)
	case in.DatapointsToAlarm != nil && *in.DatapointsToAlarm > *in.EvaluationPeriods:
		return validation("DatapointsToAlarm must be less than or equal to EvaluationPeriods")
	}
	return nil
}

// refuseKinds refuses the kinds of alarms that are not there.
func refuseKinds(in *cloudwatch.PutMetricAlarmInput) error {
	switch {
	case in.ThresholdMetricId != nil:
		return invalid("Alarms on anomaly detection (ThresholdMetricId) are not supported.")
	case in.EvaluationCriteria != nil || in.EvaluationInterval != nil:
		return invalid("Alarms on PromQL queries (EvaluationCriteria, EvaluationInterval) are not supported.")
	case in.EvaluationWindow != nil:
		return invalid("The parameter EvaluationWindow is not supported.")
	case in.WarmUpConfiguration != nil:
		return invalid("The parameter WarmUpConfiguration is not supported.")
	case in.ActionConfiguration != nil:
		return invalid("The parameter ActionConfiguration is not supported.")
	}
	return nil
}

// setMetric takes the form with MetricName.
func setMetric(al *model.Alarm, in *cloudwatch.PutMetricAlarmInput) error {
	if err := checkMetric("", in.Namespace, in.MetricName, in.Dimensions); err != nil {
		return err
	}
	switch {
	case in.Period == nil:
		return missing("Period")
	case in.Statistic == "" && in.ExtendedStatistic == nil:
		return combination("At least one of the parameters Statistic and ExtendedStatistic must be specified.")
	case in.Statistic != "" && in.ExtendedStatistic != nil:
		return combination("The parameters Statistic and ExtendedStatistic are mutually exclusive and you have specified both.")
	case in.Statistic != "" && !slices.Contains(in.Statistic.Values(), in.Statistic):
		return invalid("The parameter Statistic must be a value in the set [ SampleCount, Average, Sum, Minimum, Maximum ].")
	}
	if name := aws.ToString(in.ExtendedStatistic); in.ExtendedStatistic != nil {
		if st, err := metric.ParseStatistic(name); err != nil || !st.Percentile() {
			return invalid("The value %s for parameter ExtendedStatistic is invalid: percentiles p0.0 to p100 are supported.", name)
		}
	}
	al.Metric = metricID(in.Namespace, in.MetricName, in.Dimensions)
	al.Statistic = cmp.Or(string(in.Statistic), aws.ToString(in.ExtendedStatistic))
	al.Unit, al.Period = string(in.Unit), time.Duration(*in.Period)*time.Second
	return checkUnit("Unit", in.Unit)
}

// setMetricQuery takes the form with Metrics[]; it has one element.
func setMetricQuery(al *model.Alarm, in *cloudwatch.PutMetricAlarmInput) error {
	if err := checkAlone(in); err != nil {
		return err
	}
	q := in.Metrics[0]
	if err := checkQuery("Metrics.member.1.", q); err != nil {
		return err
	}
	if q.ReturnData != nil && !*q.ReturnData {
		return validation("Exactly one element of the metrics list should return data.")
	}
	m := q.MetricStat
	al.Metric = metricID(m.Metric.Namespace, m.Metric.MetricName, m.Metric.Dimensions)
	al.Statistic, al.Unit, al.Period = *m.Stat, string(m.Unit), time.Duration(*m.Period)*time.Second
	al.QueryID, al.QueryLabel = *q.Id, aws.ToString(q.Label)
	return nil
}

// setMath takes the form with Metrics[] of several elements, or an expression.
func setMath(al *model.Alarm, in *cloudwatch.PutMetricAlarmInput) error {
	if err := checkAlone(in); err != nil {
		return err
	}
	if len(in.Metrics) > maxAlarmQueries {
		return validation("The collection Metrics must not have a size greater than %d.", maxAlarmQueries)
	}
	seen := map[string]bool{}
	for i, q := range in.Metrics {
		if err := checkQuery(fmt.Sprintf("Metrics.member.%d.", i+1), q); err != nil {
			return err
		}
		one := queryFrom(q)
		switch {
		case seen[one.ID]:
			return validation("The values for parameter id in Metrics are not unique.")
		case one.Period != 0 && al.Period != 0 && one.Period != al.Period:
			return validation("Period must not be different across the metrics of an alarm.")
		}
		seen[one.ID] = true
		al.Period = cmp.Or(al.Period, one.Period)
		al.Queries = append(al.Queries, one)
	}
	if al.Period == 0 {
		return validation("Period must be specified for at least one element of the metrics list.")
	}
	return expression.Check(al.Queries)
}

// maxAlarmQueries is how many elements Metrics may have [API_PutMetricAlarm].
const maxAlarmQueries = 10

// checkAlone wants nothing of the other form beside Metrics.
func checkAlone(in *cloudwatch.PutMetricAlarmInput) error {
	if in.MetricName != nil || in.Namespace != nil || len(in.Dimensions) > 0 || in.Period != nil || in.Unit != "" || in.Statistic != "" || in.ExtendedStatistic != nil {
		return combination("The parameters MetricName and Metrics are mutually exclusive and you have specified both.")
	}
	return nil
}

// checkRange wants a period that alarms may have, and an evaluation range of at
// most a day, or a week for periods of an hour and more.
func checkRange(al model.Alarm) error {
	p := int32(al.Period / time.Second)
	if p < 10 || !validPeriod(p) {
		return invalid("The parameter Period must be a value in the set [ 10, 20, 30 ] or a multiple of 60.")
	}
	watched := time.Duration(al.EvaluationPeriods) * al.Period
	tooLong := watched/al.Period != time.Duration(al.EvaluationPeriods) // overflow
	switch {
	case al.Period < time.Hour && (tooLong || watched > 24*time.Hour):
		return validation("Metrics cannot be checked across more than a day (EvaluationPeriods * Period must be <= 86400).")
	case tooLong || watched > 7*24*time.Hour:
		return validation("Metrics cannot be checked across more than a week (EvaluationPeriods * Period must be <= 604800).")
	}
	return nil
}
