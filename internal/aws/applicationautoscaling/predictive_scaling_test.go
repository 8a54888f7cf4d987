package applicationautoscaling_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/applicationautoscaling"
	"github.com/aws/aws-sdk-go-v2/service/applicationautoscaling/types"
	"github.com/aws/smithy-go"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"neargate/internal/autoscaler"
	"neargate/internal/decide/forecast"
	"neargate/internal/model"
)

// steady is a history with one value in each minute of its last days.
type steady struct {
	days  int
	value float64
}

func (s steady) Minutes(_ []model.MetricQuery, from, to time.Time) (out []forecast.Minute, err error) {
	if begin := to.AddDate(0, 0, -s.days); from.Before(begin) {
		from = begin
	}
	for ; from.Before(to); from = from.Add(time.Minute) {
		out = append(out, forecast.Minute{At: from, Value: s.value})
	}
	return out, nil
}

func predictive(name string) *sdk.PutScalingPolicyInput {
	return &sdk.PutScalingPolicyInput{
		ServiceNamespace: ecs, ResourceId: aws.String("service/c/web"), ScalableDimension: desired,
		PolicyName: &name, PolicyType: types.PolicyTypePredictiveScaling,
		PredictiveScalingPolicyConfiguration: &types.PredictiveScalingPolicyConfiguration{
			Mode: types.PredictiveScalingModeForecastAndScale, SchedulingBufferTime: aws.Int32(600),
			MaxCapacityBreachBehavior: types.PredictiveScalingMaxCapacityBreachBehaviorIncreaseMaxCapacity, MaxCapacityBuffer: aws.Int32(10),
			MetricSpecifications: []types.PredictiveScalingMetricSpecification{{
				TargetValue:                          aws.Float64(40),
				PredefinedScalingMetricSpecification: &types.PredictiveScalingPredefinedScalingMetricSpecification{PredefinedMetricType: aws.String("ECSServiceAverageCPUUtilization")},
				PredefinedLoadMetricSpecification:    &types.PredictiveScalingPredefinedLoadMetricSpecification{PredefinedMetricType: aws.String("ECSServiceTotalCPUUtilization")},
			}},
		},
	}
}

// foreseeing has a target and a predictive policy on a history.
func foreseeing(t *testing.T, h steady) *sdk.Client {
	t.Helper()
	c, _ := newClientOf(t, autoscaler.Config{Place: place, History: h})
	if _, err := c.RegisterScalableTarget(t.Context(), registration("service/c/web")); err != nil {
		t.Fatal(err)
	}
	out, err := c.PutScalingPolicy(t.Context(), predictive("forecast"))
	if err != nil {
		t.Fatal(err)
	}
	if len(out.Alarms) > 0 || !strings.HasSuffix(*out.PolicyARN, ":resource/ecs/service/c/web:policyName/forecast") {
		t.Errorf("PutScalingPolicy = %+v", out)
	}
	return c
}

func ask(from, to time.Time) *sdk.GetPredictiveScalingForecastInput {
	return &sdk.GetPredictiveScalingForecastInput{
		ServiceNamespace: ecs, ResourceId: aws.String("service/c/web"), ScalableDimension: desired,
		PolicyName: aws.String("forecast"), StartTime: &from, EndTime: &to,
	}
}

func TestPredictivePolicyReadsBackAsItWasPut(t *testing.T) {
	c := foreseeing(t, steady{14, 200})
	out, err := c.DescribeScalingPolicies(t.Context(), &sdk.DescribeScalingPoliciesInput{ServiceNamespace: ecs})
	if err != nil || len(out.ScalingPolicies) != 1 {
		t.Fatalf("DescribeScalingPolicies = %+v, %v", out, err)
	}
	got := out.ScalingPolicies[0]
	want := predictive("forecast").PredictiveScalingPolicyConfiguration
	opts := cmpopts.IgnoreUnexported(types.PredictiveScalingPolicyConfiguration{}, types.PredictiveScalingMetricSpecification{},
		types.PredictiveScalingPredefinedScalingMetricSpecification{}, types.PredictiveScalingPredefinedLoadMetricSpecification{})
	if diff := cmp.Diff(want, got.PredictiveScalingPolicyConfiguration, opts); diff != "" || got.PolicyType != types.PolicyTypePredictiveScaling {
		t.Errorf("type %s (-want +got):\n%s", got.PolicyType, diff)
	}
}

func TestCustomizedPredictivePolicyReadsBackAsItWasPut(t *testing.T) {
	c := foreseeing(t, steady{14, 200})
	in := predictive("customized")
	m := &in.PredictiveScalingPolicyConfiguration.MetricSpecifications[0]
	m.PredefinedLoadMetricSpecification, m.PredefinedScalingMetricSpecification = nil, nil
	stat := func(id, name, statistic string, returns *bool) types.PredictiveScalingMetricDataQuery {
		return types.PredictiveScalingMetricDataQuery{Id: &id, ReturnData: returns, MetricStat: &types.PredictiveScalingMetricStat{
			Stat: &statistic, Unit: aws.String("Count"), Metric: &types.PredictiveScalingMetric{
				Namespace: aws.String("Shop"), MetricName: &name, Dimensions: []types.PredictiveScalingMetricDimension{{Name: aws.String("Till"), Value: aws.String("1")}},
			},
		}}
	}
	specification := func(queries ...types.PredictiveScalingMetricDataQuery) *types.PredictiveScalingCustomizedMetricSpecification {
		return &types.PredictiveScalingCustomizedMetricSpecification{MetricDataQueries: queries}
	}
	m.CustomizedLoadMetricSpecification = specification(stat("a", "Orders", "Sum", aws.Bool(false)), stat("b", "Returns", "Sum", aws.Bool(false)),
		types.PredictiveScalingMetricDataQuery{Id: aws.String("both"), Expression: aws.String("a + b"), Label: aws.String("Work"), ReturnData: aws.Bool(true)})
	m.CustomizedScalingMetricSpecification = specification(stat("c", "Queue", "Average", nil))
	m.CustomizedCapacityMetricSpecification = specification(stat("d", "Tills", "Average", nil))
	if _, err := c.PutScalingPolicy(t.Context(), in); err != nil {
		t.Fatal(err)
	}
	out, err := c.DescribeScalingPolicies(t.Context(), &sdk.DescribeScalingPoliciesInput{ServiceNamespace: ecs, PolicyNames: []string{"customized"}})
	if err != nil || len(out.ScalingPolicies) != 1 {
		t.Fatalf("DescribeScalingPolicies = %+v, %v", out, err)
	}
	opts := cmpopts.IgnoreUnexported(types.PredictiveScalingPolicyConfiguration{}, types.PredictiveScalingMetricSpecification{},
		types.PredictiveScalingCustomizedMetricSpecification{}, types.PredictiveScalingMetricDataQuery{}, types.PredictiveScalingMetricStat{},
		types.PredictiveScalingMetric{}, types.PredictiveScalingMetricDimension{})
	if diff := cmp.Diff(in.PredictiveScalingPolicyConfiguration, out.ScalingPolicies[0].PredictiveScalingPolicyConfiguration, opts); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestForecastOfASteadyLoad(t *testing.T) {
	c := foreseeing(t, steady{14, 200}) // 200 % in each minute: at 40 % 5 tasks
	now := time.Now().Truncate(time.Hour)
	out, err := c.GetPredictiveScalingForecast(t.Context(), ask(now, now.Add(6*time.Hour)))
	if err != nil {
		t.Fatal(err)
	}
	if len(out.LoadForecast) != 1 || out.UpdateTime == nil || out.CapacityForecast == nil {
		t.Fatalf("forecast %+v", out)
	}
	load, capacity := out.LoadForecast[0], out.CapacityForecast
	if *load.MetricSpecification.TargetValue != 40 || len(load.Values) != 6 || len(load.Timestamps) != 6 || len(capacity.Values) != 6 || len(capacity.Timestamps) != 6 {
		t.Fatalf("load %+v, capacity %+v", load, capacity)
	}
	for i := range load.Values {
		if load.Values[i] != 12000 || capacity.Values[i] != 5 || !load.Timestamps[i].Equal(now.Add(time.Duration(i)*time.Hour)) {
			t.Errorf("hour %d at %s: load %v, capacity %v", i, load.Timestamps[i], load.Values[i], capacity.Values[i])
		}
	}
	targets, err := c.DescribeScalableTargets(t.Context(), &sdk.DescribeScalableTargetsInput{ServiceNamespace: ecs})
	if err != nil || aws.ToInt32(targets.ScalableTargets[0].PredictedCapacity) != 5 {
		t.Errorf("targets %+v, %v; want a predicted capacity of 5", targets, err)
	}
}

func TestForecastRefusals(t *testing.T) {
	now := time.Now()
	soon := now.Add(time.Hour)
	for name, row := range map[string]struct {
		days      int
		in        *sdk.GetPredictiveScalingForecastInput
		code, msg string
	}{
		"less than a day of data": {0, ask(now, soon), "ValidationException", "No forecast is available for policy forecast. A minimum of 24 hours of data"},
		"backwards":               {14, ask(soon, now), "ValidationException", "StartTime must be before EndTime."},
		"more than 30 days":       {14, ask(now, now.AddDate(0, 0, 31)), "ValidationException", "The time range"},
		"more than a year ago":    {14, ask(now.AddDate(-1, 0, -2), now.AddDate(-1, 0, 1)), "ValidationException", "StartTime must be at most one year ago."},
		"unknown policy": {14, func() *sdk.GetPredictiveScalingForecastInput {
			in := ask(now, soon)
			in.PolicyName = aws.String("none")
			return in
		}(), "ObjectNotFoundException", "No scaling policy found"},
	} {
		t.Run(name, func(t *testing.T) {
			c := foreseeing(t, steady{row.days, 100})
			_, err := c.GetPredictiveScalingForecast(t.Context(), row.in)
			e, ok := errors.AsType[smithy.APIError](err)
			if !ok || e.ErrorCode() != row.code || !strings.HasPrefix(e.ErrorMessage(), row.msg) {
				t.Errorf("error = %v, want %s: %s", err, row.code, row.msg)
			}
		})
	}
}

func TestPredictivePolicyRefusals(t *testing.T) {
	customized := &types.PredictiveScalingCustomizedMetricSpecification{MetricDataQueries: []types.PredictiveScalingMetricDataQuery{{Id: aws.String("m")}}}
	nameless := &types.PredictiveScalingCustomizedMetricSpecification{MetricDataQueries: []types.PredictiveScalingMetricDataQuery{{Id: aws.String("")}}}
	for name, row := range map[string]struct {
		change func(*types.PredictiveScalingPolicyConfiguration)
		msg    string
	}{
		"no specification": {func(p *types.PredictiveScalingPolicyConfiguration) {
			p.MetricSpecifications = []types.PredictiveScalingMetricSpecification{}
		}, "Exactly one metric specification"},
		"two specifications": {func(p *types.PredictiveScalingPolicyConfiguration) {
			p.MetricSpecifications = append(p.MetricSpecifications, p.MetricSpecifications[0])
		}, "Exactly one metric specification"},
		"customized without a metric": {func(p *types.PredictiveScalingPolicyConfiguration) {
			p.MetricSpecifications[0].PredefinedLoadMetricSpecification, p.MetricSpecifications[0].CustomizedLoadMetricSpecification = nil, customized
		}, "Either Expression or MetricStat must be specified for the metric m"},
		"customized without an ID": {func(p *types.PredictiveScalingPolicyConfiguration) {
			p.MetricSpecifications[0].CustomizedLoadMetricSpecification = nameless
		}, "1 validation error detected: Value '' at 'predictiveScalingPolicyConfiguration.metricSpecifications.1.member.customizedLoadMetricSpecification.metricDataQueries.1.member.id'"},
		"another mode":      {func(p *types.PredictiveScalingPolicyConfiguration) { p.Mode = "Guess" }, "1 validation error detected: Value 'Guess' at 'predictiveScalingPolicyConfiguration.mode'"},
		"buffer of an hour": {func(p *types.PredictiveScalingPolicyConfiguration) { p.SchedulingBufferTime = aws.Int32(3600) }, "SchedulingBufferTime must be"},
		"empty metric type": {func(p *types.PredictiveScalingPolicyConfiguration) {
			p.MetricSpecifications[0].PredefinedLoadMetricSpecification.PredefinedMetricType = aws.String("")
		}, "1 validation error detected: Value '' at 'predictiveScalingPolicyConfiguration.metricSpecifications.1.member.predefinedLoadMetricSpecification.predefinedMetricType'"},
	} {
		t.Run(name, func(t *testing.T) {
			c := foreseeing(t, steady{14, 100})
			in := predictive("other")
			row.change(in.PredictiveScalingPolicyConfiguration)
			_, err := c.PutScalingPolicy(t.Context(), in)
			e, ok := errors.AsType[smithy.APIError](err)
			if !ok || e.ErrorCode() != "ValidationException" || !strings.HasPrefix(e.ErrorMessage(), row.msg) {
				t.Errorf("error = %v, want ValidationException: %s", err, row.msg)
			}
		})
	}
}
