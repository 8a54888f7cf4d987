package applicationautoscaling_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/applicationautoscaling"
	"github.com/aws/aws-sdk-go-v2/service/applicationautoscaling/types"
	"github.com/aws/smithy-go"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func customizedPolicy(name string, spec types.CustomizedMetricSpecification) *sdk.PutScalingPolicyInput {
	in := policy("service/c/web", name)
	in.TargetTrackingScalingPolicyConfiguration.PredefinedMetricSpecification = nil
	in.TargetTrackingScalingPolicyConfiguration.CustomizedMetricSpecification = &spec
	return in
}

func metricMath() types.CustomizedMetricSpecification {
	stat := func(name string) *types.TargetTrackingMetricStat {
		return &types.TargetTrackingMetricStat{Stat: aws.String("Average"), Unit: aws.String("Count"), Metric: &types.TargetTrackingMetric{
			Namespace: aws.String("Shop"), MetricName: aws.String(name),
			Dimensions: []types.TargetTrackingMetricDimension{{Name: aws.String("Zone"), Value: aws.String("1")}},
		}}
	}
	return types.CustomizedMetricSpecification{Metrics: []types.TargetTrackingMetricDataQuery{
		{Id: aws.String("m1"), MetricStat: stat("Orders"), ReturnData: aws.Bool(false)},
		{Id: aws.String("m2"), MetricStat: stat("Tasks"), ReturnData: aws.Bool(false)},
		{Id: aws.String("e1"), Expression: aws.String("m1 / m2"), Label: aws.String("orders per task"), ReturnData: aws.Bool(true)},
	}}
}

func TestCustomizedMetricsReadBackAsTheyWerePut(t *testing.T) {
	c, _ := newClient(t)
	if _, err := c.RegisterScalableTarget(t.Context(), registration("service/c/web")); err != nil {
		t.Fatal(err)
	}
	specs := map[string]types.CustomizedMetricSpecification{
		"math": metricMath(),
		"single": {
			Namespace: aws.String("Shop"), MetricName: aws.String("Depth"), Statistic: types.MetricStatisticMaximum, Unit: aws.String("Count"),
			Dimensions: []types.MetricDimension{{Name: aws.String("Zone"), Value: aws.String("1")}},
		},
		"slo": {
			Namespace: aws.String("AWS/ApplicationELB"), MetricName: aws.String("TargetResponseTime"), Statistic: "p99",
			Dimensions: []types.MetricDimension{{Name: aws.String("LoadBalancer"), Value: aws.String("app/web/1")}},
		},
	}
	for name, spec := range specs {
		if _, err := c.PutScalingPolicy(t.Context(), customizedPolicy(name, spec)); err != nil {
			t.Fatal(err)
		}
		found, err := c.DescribeScalingPolicies(t.Context(), &sdk.DescribeScalingPoliciesInput{ServiceNamespace: ecs, PolicyNames: []string{name}})
		if err != nil || len(found.ScalingPolicies) != 1 {
			t.Fatalf("DescribeScalingPolicies = %+v, %v", found, err)
		}
		conf := found.ScalingPolicies[0].TargetTrackingScalingPolicyConfiguration
		if diff := cmp.Diff(spec, *conf.CustomizedMetricSpecification, cmpopts.IgnoreUnexported(
			types.CustomizedMetricSpecification{}, types.MetricDimension{}, types.TargetTrackingMetricDataQuery{}, types.TargetTrackingMetricStat{},
			types.TargetTrackingMetric{}, types.TargetTrackingMetricDimension{}), cmpopts.EquateEmpty()); diff != "" || conf.PredefinedMetricSpecification != nil {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestCustomizedMetricErrors(t *testing.T) {
	c, _ := newClient(t)
	if _, err := c.RegisterScalableTarget(t.Context(), registration("service/c/web")); err != nil {
		t.Fatal(err)
	}
	if _, err := c.PutScalingPolicy(t.Context(), customizedPolicy("first", metricMath())); err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct {
		change func(*types.TargetTrackingScalingPolicyConfiguration)
		msg    string
	}{
		"the same metric twice": {func(*types.TargetTrackingScalingPolicyConfiguration) {}, "Only one TargetTrackingScaling policy for a given metric specification is allowed."},
		"both specifications": {func(t *types.TargetTrackingScalingPolicyConfiguration) {
			t.PredefinedMetricSpecification = &types.PredefinedMetricSpecification{PredefinedMetricType: types.MetricTypeECSServiceAverageCPUUtilization}
		}, "Only one of PredefinedMetricSpecification or CustomizedMetricSpecification can be set for target tracking scaling."},
		"mathematics and a metric": {func(t *types.TargetTrackingScalingPolicyConfiguration) {
			t.CustomizedMetricSpecification.MetricName = aws.String("Orders")
		}, "The customized metric specification is not valid."},
		"no entry returns data": {func(t *types.TargetTrackingScalingPolicyConfiguration) {
			t.CustomizedMetricSpecification.Metrics[2].ReturnData = aws.Bool(false)
		}, "Exactly one element of the metrics list should return data."},
		"an unknown statistic": {func(t *types.TargetTrackingScalingPolicyConfiguration) {
			t.CustomizedMetricSpecification.Metrics, t.CustomizedMetricSpecification.Statistic = nil, "Luck"
		}, "1 validation error detected: Value 'Luck' at 'targetTrackingScalingPolicyConfiguration.customizedMetricSpecification.statistic'"},
		"an entry without a metric": {func(t *types.TargetTrackingScalingPolicyConfiguration) {
			t.CustomizedMetricSpecification.Metrics[0].MetricStat = nil
		}, "Either Expression or MetricStat must be specified for the metric m1, but not both."},
		"a target beyond all metrics":               {func(t *types.TargetTrackingScalingPolicyConfiguration) { t.TargetValue = aws.Float64(1e308) }, "Target value must be at most 2^360."},
		"a target that is not a number of any size": {func(t *types.TargetTrackingScalingPolicyConfiguration) { t.TargetValue = aws.Float64(-1) }, "Target value must be greater than 0."},
	} {
		t.Run(name, func(t *testing.T) {
			in := customizedPolicy("second", metricMath())
			tc.change(in.TargetTrackingScalingPolicyConfiguration)
			_, err := c.PutScalingPolicy(t.Context(), in)
			e, ok := errors.AsType[smithy.APIError](err)
			if !ok || e.ErrorCode() != "ValidationException" || !strings.HasPrefix(e.ErrorMessage(), tc.msg) {
				t.Errorf("error = %v, want ValidationException: %s", err, tc.msg)
			}
		})
	}
}

func TestHighResolutionPolicy(t *testing.T) {
	c, _ := newClient(t)
	for id, want := range map[string]string{"service/c/fine": "", "service/c/web": "High-resolution metrics are not fully enabled on the ECS service."} {
		if _, err := c.RegisterScalableTarget(t.Context(), registration(id)); err != nil {
			t.Fatal(err)
		}
		in := policy(id, "cpu")
		in.TargetTrackingScalingPolicyConfiguration.PredefinedMetricSpecification.PredefinedMetricType = types.MetricTypeECSServiceAverageCPUUtilizationHighResolution
		_, err := c.PutScalingPolicy(t.Context(), in)
		got := ""
		if e, ok := errors.AsType[smithy.APIError](err); ok {
			got = e.ErrorMessage()
		}
		if got != want {
			t.Errorf("%s: error %v, want %q", id, err, want)
		}
	}
	found, err := c.DescribeScalingPolicies(t.Context(), &sdk.DescribeScalingPoliciesInput{ServiceNamespace: ecs})
	if err != nil || len(found.ScalingPolicies) != 1 || found.ScalingPolicies[0].TargetTrackingScalingPolicyConfiguration.PredefinedMetricSpecification.PredefinedMetricType != types.MetricTypeECSServiceAverageCPUUtilizationHighResolution {
		t.Errorf("policies: %+v, %v", found, err)
	}
}
