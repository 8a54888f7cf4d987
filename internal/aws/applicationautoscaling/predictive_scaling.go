package applicationautoscaling

import (
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/applicationautoscaling"
	"github.com/aws/aws-sdk-go-v2/service/applicationautoscaling/types"

	"neargate/internal/aws/wire"
	"neargate/internal/model"
)

// checkPredictiveScaling notes what is missing or malformed.
func checkPredictiveScaling(c *wire.Checks, in *types.PredictiveScalingPolicyConfiguration) {
	if in == nil {
		return
	}
	const at = "predictiveScalingPolicyConfiguration."
	c.Required(at+"metricSpecifications", in.MetricSpecifications != nil)
	c.OneOf(at+"mode", string(in.Mode), texts(in.Mode.Values())...)
	c.OneOf(at+"maxCapacityBreachBehavior", string(in.MaxCapacityBreachBehavior), texts(in.MaxCapacityBreachBehavior.Values())...)
	for i, m := range in.MetricSpecifications {
		one := fmt.Sprintf("%smetricSpecifications.%d.member.", at, i+1)
		c.Required(one+"targetValue", m.TargetValue != nil)
		predefined := func(member string, given bool, kind *string) {
			if given {
				c.Text(one+member+".predefinedMetricType", kind, 1, 128)
			}
		}
		if p := m.PredefinedMetricPairSpecification; p != nil {
			predefined("predefinedMetricPairSpecification", true, p.PredefinedMetricType)
		}
		if p := m.PredefinedScalingMetricSpecification; p != nil {
			predefined("predefinedScalingMetricSpecification", true, p.PredefinedMetricType)
		}
		if p := m.PredefinedLoadMetricSpecification; p != nil {
			predefined("predefinedLoadMetricSpecification", true, p.PredefinedMetricType)
		}
		customized := func(member string, in *types.PredictiveScalingCustomizedMetricSpecification) {
			if in != nil {
				c.Required(one+member+".metricDataQueries", in.MetricDataQueries != nil)
				checkQueries(c, one+member+".metricDataQueries", queriesOf(in))
			}
		}
		customized("customizedScalingMetricSpecification", m.CustomizedScalingMetricSpecification)
		customized("customizedLoadMetricSpecification", m.CustomizedLoadMetricSpecification)
		customized("customizedCapacityMetricSpecification", m.CustomizedCapacityMetricSpecification)
	}
}

// predictiveFrom translates a configuration.
func predictiveFrom(in *types.PredictiveScalingPolicyConfiguration) (*model.Predictive, error) {
	if len(in.MetricSpecifications) != 1 {
		return nil, invalid("Exactly one metric specification must be specified for predictive scaling.")
	}
	m := in.MetricSpecifications[0]
	p := &model.Predictive{
		Metrics: model.PredictiveMetrics{Target: *m.TargetValue},
		Mode:    string(in.Mode), Buffer: number(in.SchedulingBufferTime),
		MaxBreach: string(in.MaxCapacityBreachBehavior), MaxBuffer: number(in.MaxCapacityBuffer),
	}
	if x := m.PredefinedMetricPairSpecification; x != nil {
		p.Metrics.Pair = model.PredictiveMetric{Type: *x.PredefinedMetricType, ResourceLabel: aws.ToString(x.ResourceLabel)}
	}
	if x := m.PredefinedScalingMetricSpecification; x != nil {
		p.Metrics.Scaling = model.PredictiveMetric{Type: *x.PredefinedMetricType, ResourceLabel: aws.ToString(x.ResourceLabel)}
	}
	if x := m.PredefinedLoadMetricSpecification; x != nil {
		p.Metrics.Load = model.PredictiveMetric{Type: *x.PredefinedMetricType, ResourceLabel: aws.ToString(x.ResourceLabel)}
	}
	p.Metrics.Scaling.Queries = queriesFrom(m.CustomizedScalingMetricSpecification)
	p.Metrics.Load.Queries = queriesFrom(m.CustomizedLoadMetricSpecification)
	p.Metrics.Capacity.Queries = queriesFrom(m.CustomizedCapacityMetricSpecification)
	return p, nil
}

// predictiveOf returns a configuration as it was given.
func predictiveOf(p model.Predictive) *types.PredictiveScalingPolicyConfiguration {
	return &types.PredictiveScalingPolicyConfiguration{
		Mode: types.PredictiveScalingMode(p.Mode), SchedulingBufferTime: number32(p.Buffer),
		MaxCapacityBreachBehavior: types.PredictiveScalingMaxCapacityBreachBehavior(p.MaxBreach), MaxCapacityBuffer: number32(p.MaxBuffer),
		MetricSpecifications: []types.PredictiveScalingMetricSpecification{specificationOf(p.Metrics)},
	}
}

func specificationOf(m model.PredictiveMetrics) types.PredictiveScalingMetricSpecification {
	out := types.PredictiveScalingMetricSpecification{TargetValue: &m.Target}
	if kind, label := predefinedOf(m.Pair); kind != nil {
		out.PredefinedMetricPairSpecification = &types.PredictiveScalingPredefinedMetricPairSpecification{PredefinedMetricType: kind, ResourceLabel: label}
	}
	if kind, label := predefinedOf(m.Scaling); kind != nil {
		out.PredefinedScalingMetricSpecification = &types.PredictiveScalingPredefinedScalingMetricSpecification{PredefinedMetricType: kind, ResourceLabel: label}
	}
	if kind, label := predefinedOf(m.Load); kind != nil {
		out.PredefinedLoadMetricSpecification = &types.PredictiveScalingPredefinedLoadMetricSpecification{PredefinedMetricType: kind, ResourceLabel: label}
	}
	out.CustomizedScalingMetricSpecification = customizedPast(m.Scaling.Queries)
	out.CustomizedLoadMetricSpecification = customizedPast(m.Load.Queries)
	out.CustomizedCapacityMetricSpecification = customizedPast(m.Capacity.Queries)
	return out
}

// predefinedOf returns nil for what there is not.
func predefinedOf(m model.PredictiveMetric) (kind, label *string) {
	if m.Type != "" {
		kind = &m.Type
	}
	if m.ResourceLabel != "" {
		label = &m.ResourceLabel
	}
	return kind, label
}

// The range that a forecast may be asked for [API_GetPredictiveScalingForecast].
const (
	longestForecast = 30 * 24 * time.Hour
	oldestForecast  = 366 * 24 * time.Hour
)

// getPredictiveScalingForecast returns what was and is foretold of each hour, the
// newest forecast of each. Codes ValidationException, ObjectNotFoundException.
func (s *service) getPredictiveScalingForecast(ctx context.Context, in *sdk.GetPredictiveScalingForecastInput) (*sdk.GetPredictiveScalingForecastOutput, error) {
	who := subject{in.ServiceNamespace, in.ResourceId, in.ScalableDimension}
	var c wire.Checks
	c.Text("policyName", in.PolicyName, 1, 256)
	who.check(&c)
	c.Required("startTime", in.StartTime != nil)
	c.Required("endTime", in.EndTime != nil)
	if err := c.Err(validation); err != nil {
		return nil, err
	}
	if err := who.scales(); err != nil {
		return nil, err
	}
	switch from, to := *in.StartTime, *in.EndTime; {
	case !from.Before(to):
		return nil, invalid("StartTime must be before EndTime.")
	case to.Sub(from) > longestForecast:
		return nil, invalid("The time range between StartTime and EndTime must be at most 30 days.")
	case time.Since(from) > oldestForecast:
		return nil, invalid("StartTime must be at most one year ago.")
	}
	p, f, err := s.scaler.Forecast(ctx, *in.ResourceId, *in.PolicyName)
	if err != nil {
		return nil, err
	}
	spec := specificationOf(p.Predictive.Metrics)
	load := types.LoadForecast{MetricSpecification: &spec, Timestamps: []time.Time{}, Values: []float64{}}
	capacity := &types.CapacityForecast{Timestamps: []time.Time{}, Values: []float64{}}
	for _, h := range f.Hours {
		if h.At.Before(*in.StartTime) || !h.At.Before(*in.EndTime) {
			continue
		}
		load.Timestamps, load.Values = append(load.Timestamps, h.At), append(load.Values, h.Load)
		capacity.Timestamps, capacity.Values = append(capacity.Timestamps, h.At), append(capacity.Values, float64(h.Tasks))
	}
	return &sdk.GetPredictiveScalingForecastOutput{LoadForecast: []types.LoadForecast{load}, CapacityForecast: capacity, UpdateTime: &f.MadeAt}, nil
}
