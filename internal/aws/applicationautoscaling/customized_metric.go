package applicationautoscaling

import (
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/applicationautoscaling/types"

	"neargate/internal/aws/wire"
	"neargate/internal/model"
)

// checkCustomized notes what is missing or malformed in a specification.
func checkCustomized(c *wire.Checks, in *types.CustomizedMetricSpecification) {
	if in == nil {
		return
	}
	const at = "targetTrackingScalingPolicyConfiguration.customizedMetricSpecification."
	if !responsePercentile(in) {
		c.OneOf(at+"statistic", string(in.Statistic), texts(in.Statistic.Values())...)
	}
	for i, d := range in.Dimensions {
		c.Required(fmt.Sprintf("%sdimensions.%d.member.name", at, i+1), d.Name != nil)
		c.Required(fmt.Sprintf("%sdimensions.%d.member.value", at, i+1), d.Value != nil)
	}
	checkQueries(c, at+"metrics", in.Metrics)
}

// responsePercentile reports that a specification asks for a percentile of the
// response time. AWS has percentiles in Metrics alone, which older clients do
// not know.
func responsePercentile(in *types.CustomizedMetricSpecification) bool {
	return aws.ToString(in.Namespace) == "AWS/ApplicationELB" && aws.ToString(in.MetricName) == "TargetResponseTime" &&
		strings.HasPrefix(string(in.Statistic), "p")
}

func checkQueries(c *wire.Checks, at string, queries []types.TargetTrackingMetricDataQuery) {
	for i, q := range queries {
		member := fmt.Sprintf("%s.%d.member.", at, i+1)
		c.Text(member+"id", q.Id, 1, 255)
		if q.MetricStat == nil {
			continue
		}
		c.Required(member+"metricStat.stat", q.MetricStat.Stat != nil)
		c.Required(member+"metricStat.metric", q.MetricStat.Metric != nil)
		if q.MetricStat.Metric != nil {
			for k, d := range q.MetricStat.Metric.Dimensions {
				c.Required(fmt.Sprintf("%smetricStat.metric.dimensions.%d.member.name", member, k+1), d.Name != nil)
				c.Required(fmt.Sprintf("%smetricStat.metric.dimensions.%d.member.value", member, k+1), d.Value != nil)
			}
		}
	}
}

// customizedFrom translates a specification.
func customizedFrom(in types.CustomizedMetricSpecification) *model.CustomizedMetric {
	out := &model.CustomizedMetric{Statistic: string(in.Statistic), Unit: aws.ToString(in.Unit)}
	out.Metric = model.MetricID{Namespace: aws.ToString(in.Namespace), Name: aws.ToString(in.MetricName)}
	for _, d := range in.Dimensions {
		out.Metric.Dimensions = append(out.Metric.Dimensions, model.Dimension{Name: *d.Name, Value: *d.Value})
	}
	sortDimensions(out.Metric.Dimensions)
	for _, q := range in.Metrics {
		one := model.MetricQuery{ID: *q.Id, Label: aws.ToString(q.Label), Expression: aws.ToString(q.Expression), ReturnData: q.ReturnData}
		if m := q.MetricStat; m != nil {
			one.Statistic, one.Unit = *m.Stat, aws.ToString(m.Unit)
			one.Metric = model.MetricID{Namespace: aws.ToString(m.Metric.Namespace), Name: aws.ToString(m.Metric.MetricName)}
			for _, d := range m.Metric.Dimensions {
				one.Metric.Dimensions = append(one.Metric.Dimensions, model.Dimension{Name: *d.Name, Value: *d.Value})
			}
			sortDimensions(one.Metric.Dimensions)
		}
		out.Queries = append(out.Queries, one)
	}
	return out
}

func sortDimensions(d []model.Dimension) {
	slices.SortStableFunc(d, func(a, b model.Dimension) int { return strings.Compare(a.Name, b.Name) })
}

// customizedOf returns a specification back.
func customizedOf(c model.CustomizedMetric) *types.CustomizedMetricSpecification {
	out := &types.CustomizedMetricSpecification{
		Namespace: some(c.Metric.Namespace), MetricName: some(c.Metric.Name),
		Statistic: types.MetricStatistic(c.Statistic), Unit: some(c.Unit),
	}
	for _, d := range c.Metric.Dimensions {
		out.Dimensions = append(out.Dimensions, types.MetricDimension{Name: &d.Name, Value: &d.Value})
	}
	for _, q := range c.Queries {
		one := types.TargetTrackingMetricDataQuery{Id: &q.ID, Label: some(q.Label), Expression: some(q.Expression), ReturnData: q.ReturnData}
		if q.Expression == "" {
			one.MetricStat = &types.TargetTrackingMetricStat{
				Metric: &types.TargetTrackingMetric{Namespace: some(q.Metric.Namespace), MetricName: some(q.Metric.Name)},
				Stat:   &q.Statistic, Unit: some(q.Unit),
			}
			for _, d := range q.Metric.Dimensions {
				one.MetricStat.Metric.Dimensions = append(one.MetricStat.Metric.Dimensions, types.TargetTrackingMetricDimension{Name: &d.Name, Value: &d.Value})
			}
		}
		out.Metrics = append(out.Metrics, one)
	}
	return out
}

// some returns a text, nil for an empty one.
func some(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
