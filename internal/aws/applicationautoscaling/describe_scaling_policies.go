package applicationautoscaling

import (
	"context"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/applicationautoscaling"
	"github.com/aws/aws-sdk-go-v2/service/applicationautoscaling/types"

	"neargate/internal/aws/wire"
	"neargate/internal/model"
)

// largestPolicyPage is the most policies of a page.
const largestPolicyPage = 10

// describeScalingPolicies: codes ValidationException, InvalidNextTokenException.
func (s *service) describeScalingPolicies(_ context.Context, in *sdk.DescribeScalingPoliciesInput) (*sdk.DescribeScalingPoliciesOutput, error) {
	var c wire.Checks
	namespaces(&c, in.ServiceNamespace)
	dimensions(&c, in.ScalableDimension)
	c.OptionalText("resourceId", in.ResourceId, 1, 1600)
	limit := c.Range("maxResults", in.MaxResults, 1, largestPage, largestPolicyPage)
	if err := c.Err(validation); err != nil {
		return nil, err
	}
	if err := picks(in.ScalableDimension, len(aws.ToString(in.ResourceId))); err != nil {
		return nil, err
	}
	all := slices.DeleteFunc(s.scaler.Policies(), func(p model.ScalingPolicy) bool {
		return p.Namespace != string(in.ServiceNamespace) ||
			in.ScalableDimension != "" && p.Dimension != string(in.ScalableDimension) ||
			in.ResourceId != nil && p.ResourceID != *in.ResourceId ||
			len(in.PolicyNames) > 0 && !slices.Contains(in.PolicyNames, p.Name)
	})
	key := func(p model.ScalingPolicy) string { return p.ResourceID + "\n" + p.Name }
	cut, next, err := page(all, key, in.NextToken, min(limit, largestPolicyPage))
	if err != nil {
		return nil, err
	}
	out := &sdk.DescribeScalingPoliciesOutput{NextToken: next, ScalingPolicies: []types.ScalingPolicy{}}
	for _, p := range cut {
		one := types.ScalingPolicy{
			PolicyARN: &p.ARN, PolicyName: &p.Name, PolicyType: types.PolicyType(p.Type), CreationTime: &p.CreatedAt,
			ServiceNamespace: types.ServiceNamespace(p.Namespace), ResourceId: &p.ResourceID,
			ScalableDimension: types.ScalableDimension(p.Dimension), Alarms: s.alarmsOf(p),
		}
		switch {
		case p.Step != nil:
			one.StepScalingPolicyConfiguration = stepOf(*p.Step)
		case p.Predictive != nil:
			one.PredictiveScalingPolicyConfiguration = predictiveOf(*p.Predictive)
		default:
			one.TargetTrackingScalingPolicyConfiguration = trackingOf(*p.Tracking)
		}
		out.ScalingPolicies = append(out.ScalingPolicies, one)
	}
	return out, nil
}

// trackingOf returns a configuration; cooldowns only as they were given.
func trackingOf(t model.TargetTracking) *types.TargetTrackingScalingPolicyConfiguration {
	out := &types.TargetTrackingScalingPolicyConfiguration{
		TargetValue: &t.Target, DisableScaleIn: &t.DisableScaleIn,
	}
	if t.Customized != nil {
		out.CustomizedMetricSpecification = customizedOf(*t.Customized)
	} else {
		out.PredefinedMetricSpecification = &types.PredefinedMetricSpecification{
			PredefinedMetricType: types.MetricType(t.Predefined), ResourceLabel: some(t.ResourceLabel),
		}
	}
	if t.ScaleOutDefined {
		out.ScaleOutCooldown = aws.Int32(int32(t.ScaleOut / time.Second))
	}
	if t.ScaleInDefined {
		out.ScaleInCooldown = aws.Int32(int32(t.ScaleIn / time.Second))
	}
	return out
}

func (s *service) alarmsOf(p model.ScalingPolicy) []types.Alarm {
	alarms := []types.Alarm{}
	for _, name := range s.scaler.AlarmsOf(p) {
		alarms = append(alarms, types.Alarm{AlarmName: aws.String(name), AlarmARN: aws.String(s.place.AlarmARN(name))})
	}
	return alarms
}
