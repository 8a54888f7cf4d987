package applicationautoscaling_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/applicationautoscaling"
	"github.com/aws/aws-sdk-go-v2/service/applicationautoscaling/types"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func stepPolicy(name string) *sdk.PutScalingPolicyInput {
	in := policy("service/c/web", name)
	in.PolicyType, in.TargetTrackingScalingPolicyConfiguration = types.PolicyTypeStepScaling, nil
	in.StepScalingPolicyConfiguration = &types.StepScalingPolicyConfiguration{
		AdjustmentType: types.AdjustmentTypePercentChangeInCapacity, MinAdjustmentMagnitude: aws.Int32(2),
		MetricAggregationType: types.MetricAggregationTypeMaximum, Cooldown: aws.Int32(60),
		StepAdjustments: []types.StepAdjustment{
			{MetricIntervalLowerBound: aws.Float64(0), MetricIntervalUpperBound: aws.Float64(10.5), ScalingAdjustment: aws.Int32(10)},
			{MetricIntervalLowerBound: aws.Float64(10.5), ScalingAdjustment: aws.Int32(30)},
		},
	}
	return in
}

func TestStepPolicyReadsBackAsItWasPut(t *testing.T) {
	c, _ := newClient(t)
	if _, err := c.RegisterScalableTarget(t.Context(), registration("service/c/web")); err != nil {
		t.Fatal(err)
	}
	in := stepPolicy("step")
	put, err := c.PutScalingPolicy(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	in.PolicyType = "" // of an update it may be left out
	if again, err := c.PutScalingPolicy(t.Context(), in); err != nil || *again.PolicyARN != *put.PolicyARN {
		t.Errorf("update without a type: %+v, %v", again, err)
	}
	found, err := c.DescribeScalingPolicies(t.Context(), &sdk.DescribeScalingPoliciesInput{ServiceNamespace: ecs})
	if err != nil || len(found.ScalingPolicies) != 1 {
		t.Fatalf("DescribeScalingPolicies = %+v, %v", found, err)
	}
	p := found.ScalingPolicies[0]
	plain := cmpopts.IgnoreUnexported(types.StepScalingPolicyConfiguration{}, types.StepAdjustment{})
	if diff := cmp.Diff(in.StepScalingPolicyConfiguration, p.StepScalingPolicyConfiguration, plain); diff != "" {
		t.Errorf("configuration (-want +got):\n%s", diff)
	}
	if p.PolicyType != types.PolicyTypeStepScaling || p.TargetTrackingScalingPolicyConfiguration != nil {
		t.Errorf("policy: %+v", p)
	}
	if len(p.Alarms) != 1 || *p.Alarms[0].AlarmName != "busy" || *p.Alarms[0].AlarmARN != "arn:aws:cloudwatch:us-east-1:000000000000:alarm:busy" {
		t.Errorf("alarms: %+v", p.Alarms)
	}
}
