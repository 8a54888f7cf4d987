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

// defaultCooldown is ECS's, in both directions [API_TargetTrackingScalingPolicyConfiguration].
const defaultCooldown = 300 * time.Second

// putScalingPolicy: codes ValidationException, ObjectNotFoundException,
// LimitExceededException.
func (s *service) putScalingPolicy(ctx context.Context, in *sdk.PutScalingPolicyInput) (*sdk.PutScalingPolicyOutput, error) {
	p, err := Policy(in, func() bool {
		return slices.ContainsFunc(s.scaler.Policies(), func(p model.ScalingPolicy) bool {
			return p.ResourceID == *in.ResourceId && p.Name == *in.PolicyName
		})
	})
	if err != nil {
		return nil, err
	}
	p, err = s.scaler.PutPolicy(ctx, p)
	if err != nil {
		return nil, err
	}
	return &sdk.PutScalingPolicyOutput{PolicyARN: &p.ARN, Alarms: s.alarmsOf(p)}, nil
}

// Policy reads a PutScalingPolicy request as far as it can be judged without
// the service that it is for; the simulator reads policies by it. known says
// whether the policy is there already: only then may its type be left out.
// ValidationException.
func Policy(in *sdk.PutScalingPolicyInput, known func() bool) (model.ScalingPolicy, error) {
	who := subject{in.ServiceNamespace, in.ResourceId, in.ScalableDimension}
	var c wire.Checks
	c.Text("policyName", in.PolicyName, 1, 256)
	who.check(&c)
	c.OneOf("policyType", string(in.PolicyType), texts(in.PolicyType.Values())...)
	if t := in.TargetTrackingScalingPolicyConfiguration; t != nil {
		c.Required("targetTrackingScalingPolicyConfiguration.targetValue", t.TargetValue != nil)
		if m := t.PredefinedMetricSpecification; m != nil {
			c.Required("targetTrackingScalingPolicyConfiguration.predefinedMetricSpecification.predefinedMetricType", m.PredefinedMetricType != "")
			c.OneOf("targetTrackingScalingPolicyConfiguration.predefinedMetricSpecification.predefinedMetricType",
				string(m.PredefinedMetricType), texts(m.PredefinedMetricType.Values())...)
		}
		checkCustomized(&c, t.CustomizedMetricSpecification)
	}
	checkStepScaling(&c, in.StepScalingPolicyConfiguration)
	checkPredictiveScaling(&c, in.PredictiveScalingPolicyConfiguration)
	if err := c.Err(validation); err != nil {
		return model.ScalingPolicy{}, err
	}
	if err := who.scales(); err != nil {
		return model.ScalingPolicy{}, err
	}
	kind, err := typeOf(in, known)
	p := model.ScalingPolicy{Name: *in.PolicyName, ResourceID: *in.ResourceId, Type: string(kind)}
	switch {
	case err != nil:
	case kind == types.PolicyTypeStepScaling:
		p.Step = stepFrom(in.StepScalingPolicyConfiguration)
	case kind == types.PolicyTypePredictiveScaling:
		p.Predictive, err = predictiveFrom(in.PredictiveScalingPolicyConfiguration)
	default:
		p.Tracking, err = trackingFrom(in.TargetTrackingScalingPolicyConfiguration)
	}
	return p, err
}

// typeOf returns the type of the policy, which has to have a configuration of
// that type and no other. The type may be left out of an update.
func typeOf(in *sdk.PutScalingPolicyInput, known func() bool) (types.PolicyType, error) {
	var given []types.PolicyType
	if in.TargetTrackingScalingPolicyConfiguration != nil {
		given = append(given, types.PolicyTypeTargetTrackingScaling)
	}
	if in.StepScalingPolicyConfiguration != nil {
		given = append(given, types.PolicyTypeStepScaling)
	}
	if in.PredictiveScalingPolicyConfiguration != nil {
		given = append(given, types.PolicyTypePredictiveScaling)
	}
	kind := in.PolicyType
	switch {
	case kind == "" && !known():
		return "", invalid("PolicyType must be specified when creating a scaling policy.")
	case kind == "" && len(given) == 1:
		kind = given[0]
	}
	switch {
	case kind != "" && !slices.Contains(given, kind):
		return "", invalid("%s policy configuration must be specified", kind)
	case len(given) != 1:
		return "", invalid("You must only provide a single scaling policy configuration, which must match the scaling policy type specified.")
	}
	return kind, nil
}

// trackingFrom translates a configuration.
func trackingFrom(in *types.TargetTrackingScalingPolicyConfiguration) (*model.TargetTracking, error) {
	t := &model.TargetTracking{
		Target: *in.TargetValue, DisableScaleIn: aws.ToBool(in.DisableScaleIn),
		ScaleOut: defaultCooldown, ScaleIn: defaultCooldown,
		ScaleOutDefined: in.ScaleOutCooldown != nil, ScaleInDefined: in.ScaleInCooldown != nil,
	}
	if t.ScaleOutDefined {
		t.ScaleOut = time.Duration(*in.ScaleOutCooldown) * time.Second
	}
	if t.ScaleInDefined {
		t.ScaleIn = time.Duration(*in.ScaleInCooldown) * time.Second
	}
	m := in.PredefinedMetricSpecification
	switch {
	case m != nil && in.CustomizedMetricSpecification != nil:
		return nil, invalid("Only one of PredefinedMetricSpecification or CustomizedMetricSpecification can be set for target tracking scaling.")
	case in.CustomizedMetricSpecification != nil:
		t.Customized = customizedFrom(*in.CustomizedMetricSpecification)
		return t, nil
	case m == nil:
		return nil, invalid("PredefinedMetricSpecification or CustomizedMetricSpecification must be set for target tracking scaling.")
	}
	t.Predefined, t.ResourceLabel = string(m.PredefinedMetricType), aws.ToString(m.ResourceLabel)
	return t, nil
}

// deleteScalingPolicy: codes ValidationException, ObjectNotFoundException.
func (s *service) deleteScalingPolicy(ctx context.Context, in *sdk.DeleteScalingPolicyInput) (*sdk.DeleteScalingPolicyOutput, error) {
	who := subject{in.ServiceNamespace, in.ResourceId, in.ScalableDimension}
	var c wire.Checks
	c.Text("policyName", in.PolicyName, 1, 1600)
	who.check(&c)
	if err := c.Err(validation); err != nil {
		return nil, err
	}
	if err := who.scales(); err != nil {
		return nil, err
	}
	if err := s.scaler.DeletePolicy(ctx, *in.ResourceId, *in.PolicyName); err != nil {
		return nil, err
	}
	return &sdk.DeleteScalingPolicyOutput{}, nil
}
