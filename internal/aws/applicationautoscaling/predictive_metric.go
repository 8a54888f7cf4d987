package applicationautoscaling

import (
	"github.com/aws/aws-sdk-go-v2/service/applicationautoscaling/types"

	"neargate/internal/model"
)

// The customized metrics of predictive policies have the form of those of
// target tracking under types of their own.

// queriesOf returns them as those of target tracking.
func queriesOf(in *types.PredictiveScalingCustomizedMetricSpecification) []types.TargetTrackingMetricDataQuery {
	var out []types.TargetTrackingMetricDataQuery
	for _, q := range in.MetricDataQueries {
		one := types.TargetTrackingMetricDataQuery{Id: q.Id, Label: q.Label, Expression: q.Expression, ReturnData: q.ReturnData}
		if m := q.MetricStat; m != nil {
			one.MetricStat = &types.TargetTrackingMetricStat{Stat: m.Stat, Unit: m.Unit}
			if m.Metric != nil {
				one.MetricStat.Metric = &types.TargetTrackingMetric{Namespace: m.Metric.Namespace, MetricName: m.Metric.MetricName}
				for _, d := range m.Metric.Dimensions {
					one.MetricStat.Metric.Dimensions = append(one.MetricStat.Metric.Dimensions, types.TargetTrackingMetricDimension(d))
				}
			}
		}
		out = append(out, one)
	}
	return out
}

// queriesFrom translates a specification; nil gives nil, and only that.
func queriesFrom(in *types.PredictiveScalingCustomizedMetricSpecification) []model.MetricQuery {
	if in == nil {
		return nil
	}
	return append([]model.MetricQuery{}, customizedFrom(types.CustomizedMetricSpecification{Metrics: queriesOf(in)}).Queries...)
}

// customizedPast returns a specification back.
func customizedPast(queries []model.MetricQuery) *types.PredictiveScalingCustomizedMetricSpecification {
	if queries == nil {
		return nil
	}
	out := &types.PredictiveScalingCustomizedMetricSpecification{}
	for _, q := range customizedOf(model.CustomizedMetric{Queries: queries}).Metrics {
		one := types.PredictiveScalingMetricDataQuery{Id: q.Id, Label: q.Label, Expression: q.Expression, ReturnData: q.ReturnData}
		if m := q.MetricStat; m != nil {
			one.MetricStat = &types.PredictiveScalingMetricStat{
				Stat: m.Stat, Unit: m.Unit,
				Metric: &types.PredictiveScalingMetric{Namespace: m.Metric.Namespace, MetricName: m.Metric.MetricName},
			}
			for _, d := range m.Metric.Dimensions {
				one.MetricStat.Metric.Dimensions = append(one.MetricStat.Metric.Dimensions, types.PredictiveScalingMetricDimension(d))
			}
		}
		out.MetricDataQueries = append(out.MetricDataQueries, one)
	}
	return out
}
