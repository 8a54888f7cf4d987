package applicationautoscaling_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	sdk "github.com/aws/aws-sdk-go-v2/service/applicationautoscaling"
	"github.com/aws/aws-sdk-go-v2/service/applicationautoscaling/types"
	"github.com/aws/smithy-go"
	"github.com/google/go-cmp/cmp"

	"neargate/internal/autoscaler"
	"neargate/internal/aws/applicationautoscaling"
	"neargate/internal/aws/wire"
	"neargate/internal/model"
	"neargate/internal/store"
)

// anyone lets every request in.
type anyone struct{}

func (anyone) Authenticate(*http.Request, string) (wire.Signature, error) {
	return func([]byte) (wire.Caller, error) { return wire.Caller{}, nil }, nil
}

// services is a scheduler with any number of services in cluster c; the metrics
// of the one called fine are published at high resolution.
type services struct{}

func (services) Service(cluster, name string) (model.Service, bool) {
	svc := model.Service{Cluster: cluster, Name: name, Status: "ACTIVE", DesiredCount: 2}
	if name == "fine" {
		svc.Monitoring = []model.MetricResolution{{Metrics: []string{"CPUUtilization"}, Resolution: 20 * time.Second}}
	}
	return svc, cluster == "c"
}

func (services) SetDesiredCount(context.Context, string, string, int) error { return nil }

// book takes alarms and keeps none; of each action, one alarm has it.
type book struct{}

func (book) AlarmsFor(string) []model.Alarm { return []model.Alarm{{Name: "busy"}} }
func (book) Recent(string) []float64        { return nil }

func (book) PutAlarm(context.Context, model.Alarm) error  { return nil }
func (book) DeleteAlarms(context.Context, []string) error { return nil }
func (book) Alarm(string) (al model.Alarm, ok bool)       { return al, false }

// readings has none.
type readings struct{}

func (readings) Returned([]model.MetricQuery, bool, time.Time) ([]model.Reading, error) {
	return nil, nil
}

var place = model.Place{Region: "us-east-1", Account: "000000000000"}

func newClient(t *testing.T) (*sdk.Client, *autoscaler.Autoscaler) {
	t.Helper()
	return newClientOf(t, autoscaler.Config{Place: place})
}

func newClientOf(t *testing.T, cfg autoscaler.Config) (*sdk.Client, *autoscaler.Autoscaler) {
	t.Helper()
	db, err := store.Open(filepath.Join(t.TempDir(), "state.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	log := slog.New(slog.DiscardHandler)
	scaler, err := autoscaler.New(db, services{}, book{}, readings{}, cfg, log)
	if err != nil {
		t.Fatal(err)
	}
	h := wire.NewHandler([]wire.Service{applicationautoscaling.New(scaler, place)}, anyone{}, wire.Config{Log: log})
	srv := httptest.NewServer(h)
	t.Cleanup(srv.Close)
	return sdk.New(sdk.Options{
		Region: "us-east-1", BaseEndpoint: aws.String(srv.URL),
		Credentials: credentials.NewStaticCredentialsProvider("test", "test", ""), HTTPClient: srv.Client(),
	}), scaler
}

const (
	ecs     = types.ServiceNamespaceEcs
	desired = types.ScalableDimensionECSServiceDesiredCount
)

func registration(id string) *sdk.RegisterScalableTargetInput {
	return &sdk.RegisterScalableTargetInput{
		ServiceNamespace: ecs, ResourceId: &id, ScalableDimension: desired,
		MinCapacity: aws.Int32(2), MaxCapacity: aws.Int32(20), Tags: map[string]string{"env": "dev"},
	}
}

func policy(id, name string) *sdk.PutScalingPolicyInput {
	return &sdk.PutScalingPolicyInput{
		ServiceNamespace: ecs, ResourceId: &id, ScalableDimension: desired,
		PolicyName: &name, PolicyType: types.PolicyTypeTargetTrackingScaling,
		TargetTrackingScalingPolicyConfiguration: &types.TargetTrackingScalingPolicyConfiguration{
			TargetValue: aws.Float64(50), ScaleOutCooldown: aws.Int32(30),
			PredefinedMetricSpecification: &types.PredefinedMetricSpecification{PredefinedMetricType: types.MetricTypeECSServiceAverageCPUUtilization},
		},
	}
}

func TestTargetAndPolicyReadBackAsTheyWerePut(t *testing.T) {
	c, _ := newClient(t)
	reg, err := c.RegisterScalableTarget(t.Context(), registration("service/c/web"))
	if err != nil {
		t.Fatal(err)
	}
	again := registration("service/c/web")
	again.MinCapacity, again.Tags = nil, nil
	again.SuspendedState = &types.SuspendedState{DynamicScalingInSuspended: aws.Bool(true)}
	if _, err := c.RegisterScalableTarget(t.Context(), again); err != nil {
		t.Fatal(err)
	}
	targets, err := c.DescribeScalableTargets(t.Context(), &sdk.DescribeScalableTargetsInput{
		ServiceNamespace: ecs, ResourceIds: []string{"service/c/web"}, ScalableDimension: desired,
	})
	if err != nil || len(targets.ScalableTargets) != 1 {
		t.Fatalf("DescribeScalableTargets = %+v, %v", targets, err)
	}
	target := targets.ScalableTargets[0]
	got := []any{
		*target.ScalableTargetARN == *reg.ScalableTargetARN, *target.MinCapacity, *target.MaxCapacity, *target.RoleARN,
		*target.SuspendedState.DynamicScalingInSuspended, *target.SuspendedState.DynamicScalingOutSuspended, target.CreationTime.IsZero(),
	}
	want := []any{
		true, int32(2), int32(20),
		"arn:aws:iam::000000000000:role/aws-service-role/ecs.application-autoscaling.amazonaws.com/AWSServiceRoleForApplicationAutoScaling_ECSService",
		true, false, false,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("target (-want +got):\n%s", diff)
	}

	put, err := c.PutScalingPolicy(t.Context(), policy("service/c/web", "cpu"))
	if err != nil {
		t.Fatal(err)
	}
	found, err := c.DescribeScalingPolicies(t.Context(), &sdk.DescribeScalingPoliciesInput{ServiceNamespace: ecs, PolicyNames: []string{"cpu"}})
	if err != nil || len(found.ScalingPolicies) != 1 {
		t.Fatalf("DescribeScalingPolicies = %+v, %v", found, err)
	}
	p := found.ScalingPolicies[0]
	conf := p.TargetTrackingScalingPolicyConfiguration
	got = []any{
		*p.PolicyARN == *put.PolicyARN, len(p.Alarms), len(put.Alarms), p.PolicyType, *conf.TargetValue,
		*conf.ScaleOutCooldown, conf.ScaleInCooldown == nil, conf.PredefinedMetricSpecification.PredefinedMetricType,
	}
	want = []any{true, 2, 2, types.PolicyTypeTargetTrackingScaling, 50.0, int32(30), true, types.MetricTypeECSServiceAverageCPUUtilization}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("policy (-want +got):\n%s", diff)
	}

	tags, err := c.ListTagsForResource(t.Context(), &sdk.ListTagsForResourceInput{ResourceARN: reg.ScalableTargetARN})
	if diff := cmp.Diff(map[string]string{"env": "dev"}, tags.Tags); err != nil || diff != "" {
		t.Errorf("tags (-want +got), %v:\n%s", err, diff)
	}
	longest := map[string]string{strings.Repeat("ä", 128): strings.Repeat("ö", 256)} // characters, not bytes
	if _, err := c.TagResource(t.Context(), &sdk.TagResourceInput{ResourceARN: reg.ScalableTargetARN, Tags: longest}); err != nil {
		t.Error(err)
	}
	if _, err := c.UntagResource(t.Context(), &sdk.UntagResourceInput{ResourceARN: reg.ScalableTargetARN, TagKeys: []string{strings.Repeat("ä", 128)}}); err != nil {
		t.Error(err)
	}
	if _, err := c.TagResource(t.Context(), &sdk.TagResourceInput{ResourceARN: reg.ScalableTargetARN, Tags: map[string]string{"neargate:timing": "aws-20"}}); err != nil {
		t.Error(err)
	}
	if _, err := c.UntagResource(t.Context(), &sdk.UntagResourceInput{ResourceARN: reg.ScalableTargetARN, TagKeys: []string{"env"}}); err != nil {
		t.Error(err)
	}
	tags, err = c.ListTagsForResource(t.Context(), &sdk.ListTagsForResourceInput{ResourceARN: reg.ScalableTargetARN})
	if diff := cmp.Diff(map[string]string{"neargate:timing": "aws-20"}, tags.Tags); err != nil || diff != "" {
		t.Errorf("tags after a change (-want +got), %v:\n%s", err, diff)
	}

	who := &sdk.DeregisterScalableTargetInput{ServiceNamespace: ecs, ResourceId: aws.String("service/c/web"), ScalableDimension: desired}
	if _, err := c.DeregisterScalableTarget(t.Context(), who); err != nil {
		t.Error(err)
	}
	found, err = c.DescribeScalingPolicies(t.Context(), &sdk.DescribeScalingPoliciesInput{ServiceNamespace: ecs})
	if err != nil || len(found.ScalingPolicies) != 0 {
		t.Errorf("policies after deregistering = %v, %v", found.ScalingPolicies, err)
	}
}

func TestActivitiesAndPages(t *testing.T) {
	c, scaler := newClient(t)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- scaler.Run(ctx) }()
	for i := range 12 {
		in := registration(fmt.Sprintf("service/c/s%02d", i))
		in.MinCapacity = aws.Int32(3)
		if _, err := c.RegisterScalableTarget(t.Context(), in); err != nil {
			t.Fatal(err)
		}
		if _, err := c.PutScalingPolicy(t.Context(), policy(*in.ResourceId, "cpu")); err != nil {
			t.Fatal(err)
		}
	}
	for deadline := time.Now().Add(10 * time.Second); len(scaler.Activities("")) < 12; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the counts were not moved")
		}
	}
	cancel()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	pages := sdk.NewDescribeScalingPoliciesPaginator(c, &sdk.DescribeScalingPoliciesInput{ServiceNamespace: ecs})
	var sizes []int
	for pages.HasMorePages() {
		out, err := pages.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		sizes = append(sizes, len(out.ScalingPolicies))
	}
	if diff := cmp.Diff([]int{10, 2}, sizes); diff != "" {
		t.Errorf("pages of policies (-want +got):\n%s", diff)
	}
	acts, err := c.DescribeScalingActivities(t.Context(), &sdk.DescribeScalingActivitiesInput{
		ServiceNamespace: ecs, ResourceId: aws.String("service/c/s03"),
	})
	if err != nil || len(acts.ScalingActivities) != 1 {
		t.Fatalf("activities = %+v, %v", acts, err)
	}
	a := acts.ScalingActivities[0]
	if *a.Description != "Setting desired count to 3." || *a.Cause != "minimum capacity was set to 3" || a.StatusCode != types.ScalingActivityStatusCodeInProgress {
		t.Errorf("activity = %+v", a)
	}
	all, err := c.DescribeScalingActivities(t.Context(), &sdk.DescribeScalingActivitiesInput{ServiceNamespace: ecs})
	if err != nil || len(all.ScalingActivities) != 12 {
		t.Fatalf("activities = %+v, %v", all, err)
	}
	for i, a := range all.ScalingActivities[1:] {
		if a.StartTime.After(*all.ScalingActivities[i].StartTime) {
			t.Errorf("activity %d is newer than the one before it", i+1)
		}
	}
}

func TestErrors(t *testing.T) {
	cases := map[string]struct {
		do   func(ctx context.Context, c *sdk.Client) error
		code string
		msg  string
	}{
		"unknown service": {func(ctx context.Context, c *sdk.Client) error {
			_, err := c.RegisterScalableTarget(ctx, registration("service/nowhere/web"))
			return err
		}, "ValidationException", "ECS service doesn't exist: service/nowhere/web"},
		"another namespace": {func(ctx context.Context, c *sdk.Client) error {
			in := registration("table/x")
			in.ServiceNamespace, in.ScalableDimension = types.ServiceNamespaceDynamodb, types.ScalableDimensionDynamoDBTableReadCapacityUnits
			_, err := c.RegisterScalableTarget(ctx, in)
			return err
		}, "ValidationException", "Unsupported service namespace, resource type or scalable dimension"},
		"no capacities": {func(ctx context.Context, c *sdk.Client) error {
			in := registration("service/c/new")
			in.MinCapacity = nil
			_, err := c.RegisterScalableTarget(ctx, in)
			return err
		}, "ValidationException", "MinCapacity and MaxCapacity must be specified"},
		"no target": {func(ctx context.Context, c *sdk.Client) error {
			_, err := c.PutScalingPolicy(ctx, policy("service/c/new", "cpu"))
			return err
		}, "ObjectNotFoundException", "No scalable target registered for service namespace: ecs, resource ID: service/c/new"},
		"another type's configuration": {func(ctx context.Context, c *sdk.Client) error {
			in := policy("service/c/web", "step")
			in.PolicyType = types.PolicyTypeStepScaling
			_, err := c.PutScalingPolicy(ctx, in)
			return err
		}, "ValidationException", "StepScaling policy configuration must be specified"},
		"two configurations": {func(ctx context.Context, c *sdk.Client) error {
			in := stepPolicy("step")
			in.TargetTrackingScalingPolicyConfiguration = policy("", "").TargetTrackingScalingPolicyConfiguration
			_, err := c.PutScalingPolicy(ctx, in)
			return err
		}, "ValidationException", "You must only provide a single scaling policy configuration, which must match the scaling policy type specified."},
		"steps with a gap": {func(ctx context.Context, c *sdk.Client) error {
			in := stepPolicy("step")
			in.StepScalingPolicyConfiguration.StepAdjustments[0].MetricIntervalUpperBound = aws.Float64(5)
			_, err := c.PutScalingPolicy(ctx, in)
			return err
		}, "ValidationException", "Step adjustment intervals cannot have gaps between them"},
		"unknown adjustment type": {func(ctx context.Context, c *sdk.Client) error {
			in := stepPolicy("step")
			in.StepScalingPolicyConfiguration.AdjustmentType = "Twice"
			_, err := c.PutScalingPolicy(ctx, in)
			return err
		}, "ValidationException", "1 validation error detected: Value 'Twice' at 'stepScalingPolicyConfiguration.adjustmentType'"},
		"no type on creation": {func(ctx context.Context, c *sdk.Client) error {
			in := policy("service/c/web", "cpu")
			in.PolicyType = ""
			_, err := c.PutScalingPolicy(ctx, in)
			return err
		}, "ValidationException", "PolicyType must be specified"},
		"no metric": {func(ctx context.Context, c *sdk.Client) error {
			in := policy("service/c/web", "cpu")
			in.TargetTrackingScalingPolicyConfiguration.PredefinedMetricSpecification = nil
			_, err := c.PutScalingPolicy(ctx, in)
			return err
		}, "ValidationException", "PredefinedMetricSpecification or CustomizedMetricSpecification must be set for target tracking scaling."},
		"unknown metric": {func(ctx context.Context, c *sdk.Client) error {
			in := policy("service/c/web", "cpu")
			in.TargetTrackingScalingPolicyConfiguration.PredefinedMetricSpecification.PredefinedMetricType = "Luck"
			_, err := c.PutScalingPolicy(ctx, in)
			return err
		}, "ValidationException", "1 validation error detected: Value 'Luck' at"},
		"bad token": {func(ctx context.Context, c *sdk.Client) error {
			_, err := c.DescribeScalableTargets(ctx, &sdk.DescribeScalableTargetsInput{ServiceNamespace: ecs, NextToken: aws.String("?")})
			return err
		}, "InvalidNextTokenException", "The next token supplied was invalid."},
		"dimension without a resource": {func(ctx context.Context, c *sdk.Client) error {
			_, err := c.DescribeScalingPolicies(ctx, &sdk.DescribeScalingPoliciesInput{ServiceNamespace: ecs, ScalableDimension: desired})
			return err
		}, "ValidationException", "A scalable dimension can only be specified together with a resource ID."},
		"tag that is AWS's": {func(ctx context.Context, c *sdk.Client) error {
			_, err := c.TagResource(ctx, &sdk.TagResourceInput{ResourceARN: aws.String("arn:aws:x"), Tags: map[string]string{"aws:x": "y"}})
			return err
		}, "ValidationException", "Tag keys must not begin with aws:."},
		"tags of what is not there": {func(ctx context.Context, c *sdk.Client) error {
			_, err := c.ListTagsForResource(ctx, &sdk.ListTagsForResourceInput{ResourceARN: aws.String("arn:aws:x")})
			return err
		}, "ResourceNotFoundException", "Resource not found: arn:aws:x"},
	}
	c, _ := newClient(t)
	if _, err := c.RegisterScalableTarget(t.Context(), registration("service/c/web")); err != nil {
		t.Fatal(err)
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			err := tc.do(t.Context(), c)
			e, ok := errors.AsType[smithy.APIError](err)
			if !ok || e.ErrorCode() != tc.code || !strings.HasPrefix(e.ErrorMessage(), tc.msg) {
				t.Errorf("error = %v, want %s: %s", err, tc.code, tc.msg)
			}
		})
	}
}
