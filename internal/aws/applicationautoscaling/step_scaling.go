package applicationautoscaling

import (
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/applicationautoscaling/types"

	"neargate/internal/aws/wire"
	"neargate/internal/model"
)

// checkStepScaling notes what is missing or malformed in a configuration.
func checkStepScaling(c *wire.Checks, in *types.StepScalingPolicyConfiguration) {
	if in == nil {
		return
	}
	const at = "stepScalingPolicyConfiguration."
	c.OneOf(at+"adjustmentType", string(in.AdjustmentType), texts(in.AdjustmentType.Values())...)
	c.OneOf(at+"metricAggregationType", string(in.MetricAggregationType), texts(in.MetricAggregationType.Values())...)
	for i, s := range in.StepAdjustments {
		c.Required(at+"stepAdjustments."+strconv.Itoa(i+1)+".member.scalingAdjustment", s.ScalingAdjustment != nil)
	}
}

// stepFrom translates a configuration.
func stepFrom(in *types.StepScalingPolicyConfiguration) *model.StepScaling {
	s := &model.StepScaling{
		AdjustmentType: string(in.AdjustmentType), Aggregation: string(in.MetricAggregationType),
		Cooldown: defaultCooldown, CooldownDefined: in.Cooldown != nil,
	}
	if s.CooldownDefined {
		s.Cooldown = time.Duration(*in.Cooldown) * time.Second
	}
	if in.MinAdjustmentMagnitude != nil {
		least := int(*in.MinAdjustmentMagnitude)
		s.MinMagnitude = &least
	}
	for _, a := range in.StepAdjustments {
		s.Steps = append(s.Steps, model.StepAdjustment{
			Lower: a.MetricIntervalLowerBound, Upper: a.MetricIntervalUpperBound, Adjustment: int(*a.ScalingAdjustment),
		})
	}
	return s
}

// stepOf returns a configuration as it was given.
func stepOf(s model.StepScaling) *types.StepScalingPolicyConfiguration {
	out := &types.StepScalingPolicyConfiguration{
		AdjustmentType: types.AdjustmentType(s.AdjustmentType), MetricAggregationType: types.MetricAggregationType(s.Aggregation),
		StepAdjustments: []types.StepAdjustment{},
	}
	if s.CooldownDefined {
		out.Cooldown = aws.Int32(int32(s.Cooldown / time.Second))
	}
	if s.MinMagnitude != nil {
		out.MinAdjustmentMagnitude = aws.Int32(int32(*s.MinMagnitude))
	}
	for _, a := range s.Steps {
		out.StepAdjustments = append(out.StepAdjustments, types.StepAdjustment{
			MetricIntervalLowerBound: a.Lower, MetricIntervalUpperBound: a.Upper, ScalingAdjustment: aws.Int32(int32(a.Adjustment)),
		})
	}
	return out
}
