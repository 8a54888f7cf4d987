package autoscaler

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"neargate/internal/decide/scaling"
	"neargate/internal/model"
)

func TestPolicyMakesAndDropsItsAlarms(t *testing.T) {
	r := fresh(t)
	target := r.register(2, 8)
	p := r.put(tracking("cpu"))
	if want := place.PolicyARN(target.PolicyUUID, "ecs", web, "cpu"); p.ARN != want {
		t.Errorf("ARN = %s, want %s", p.ARN, want)
	}
	high, low := r.book.all[p.AlarmNames[0]], r.book.all[p.AlarmNames[1]]
	want := model.Alarm{
		Name: p.AlarmNames[0], ActionsEnabled: true, Statistic: "Average", Unit: "Percent",
		Metric: model.MetricID{Namespace: "AWS/ECS", Name: "CPUUtilization", Dimensions: []model.Dimension{
			{Name: "ClusterName", Value: "c"}, {Name: "ServiceName", Value: "web"},
		}},
		Period: time.Minute, EvaluationPeriods: 3, Threshold: 50, Comparison: "GreaterThanThreshold",
	}
	texts := cmpopts.IgnoreFields(model.Alarm{}, "Description", "AlarmActions")
	if diff := cmp.Diff(want, high, texts); diff != "" {
		t.Errorf("high alarm (-want +got):\n%s", diff)
	}
	want.Name, want.EvaluationPeriods, want.Threshold, want.Comparison = p.AlarmNames[1], 15, 45, "LessThanThreshold"
	if diff := cmp.Diff(want, low, texts); diff != "" {
		t.Errorf("low alarm (-want +got):\n%s", diff)
	}
	if !strings.HasPrefix(high.Name, "TargetTracking-service/c/web-AlarmHigh-") || !strings.HasPrefix(low.Name, "TargetTracking-service/c/web-AlarmLow-") {
		t.Errorf("names = %q", p.AlarmNames)
	}
	action := high.AlarmActions[0]
	if !strings.HasPrefix(action, p.ARN+":createdBy/") || low.AlarmActions[0] != action {
		t.Errorf("actions = %q and %q", action, low.AlarmActions)
	}
	if want := "DO NOT EDIT OR DELETE. For TargetTrackingScaling policy " + action + "."; high.Description != want {
		t.Errorf("description = %q, want %q", high.Description, want)
	}

	again := r.put(tracking("cpu"))
	if again.ARN != p.ARN || !again.CreatedAt.Equal(p.CreatedAt) {
		t.Errorf("an update changed the ARN or the creation time: %+v", again)
	}
	if len(r.book.all) != 2 || again.AlarmNames[0] == p.AlarmNames[0] {
		t.Errorf("alarms after an update = %v, want two new ones", r.book.all)
	}

	fine := []model.Tag{{Key: TimingTag, Value: "aws-20"}}
	if err := r.ChangeTags(t.Context(), target.ARN, func([]model.Tag) []model.Tag { return fine }); err != nil {
		t.Fatal(err)
	}
	if low := r.book.all[again.AlarmNames[1]]; low.Period != 20*time.Second || low.EvaluationPeriods != 30 {
		t.Errorf("low alarm in aws-20 = %v × %d, want 20 s × 30", low.Period, low.EvaluationPeriods)
	}
	if err := r.DeregisterTarget(t.Context(), web); err != nil {
		t.Fatal(err)
	}
	if len(r.book.all) != 0 || len(r.Policies()) != 0 || len(r.Targets()) != 0 {
		t.Errorf("left after deregistering: alarms %v, policies %v", r.book.all, r.Policies())
	}
}

func TestRequestCountPolicy(t *testing.T) {
	r := fresh(t)
	r.register(2, 8)
	p := tracking("requests")
	p.Tracking.Predefined = string(scaling.RequestsPerTarget)
	p.Tracking.ResourceLabel = "app/lb/50dc6c495c0c9188/targetgroup/tg/73e2d6bc24d8a067"
	p.Tracking.DisableScaleIn = true
	p = r.put(p)
	if len(p.AlarmNames) != 1 {
		t.Fatalf("alarms = %q, want the high one only", p.AlarmNames)
	}
	al := r.book.all[p.AlarmNames[0]]
	want := model.MetricID{Namespace: "AWS/ApplicationELB", Name: "RequestCountPerTarget", Dimensions: []model.Dimension{
		{Name: "LoadBalancer", Value: "app/lb/50dc6c495c0c9188"}, {Name: "TargetGroup", Value: "targetgroup/tg/73e2d6bc24d8a067"},
	}}
	if diff := cmp.Diff(want, al.Metric); diff != "" || al.Statistic != "Sum" || al.Unit != "None" {
		t.Errorf("alarm = %+v (-want +got):\n%s", al, diff)
	}
}

func TestBadInputIsRefusedAndChangesNothing(t *testing.T) {
	label := func(p *model.ScalingPolicy, l string) {
		p.Tracking.Predefined, p.Tracking.ResourceLabel = string(scaling.RequestsPerTarget), l
	}
	num := func(n int) *int { return &n }
	cases := map[string]struct {
		do   func(r *rig) error
		code string
		msg  string
	}{
		"unknown service": {func(r *rig) error {
			_, err := r.RegisterTarget(r.t.Context(), Registration{ResourceID: "service/c/none", Min: num(1), Max: num(2)})
			return err
		}, "ValidationException", "ECS service doesn't exist: service/c/none"},
		"minimum above maximum": {func(r *rig) error {
			_, err := r.RegisterTarget(r.t.Context(), Registration{ResourceID: web, Min: num(9), Max: num(2)})
			return err
		}, "ValidationException", "Maximum capacity cannot be less than minimum capacity"},
		"update that puts the minimum above the maximum": {func(r *rig) error {
			_, err := r.RegisterTarget(r.t.Context(), Registration{ResourceID: web, Min: num(9)})
			return err
		}, "ValidationException", "Maximum capacity cannot be less than minimum capacity"},
		"tags on an existing target": {func(r *rig) error {
			_, err := r.RegisterTarget(r.t.Context(), Registration{ResourceID: web, Tags: []model.Tag{{Key: "a", Value: "b"}}})
			return err
		}, "ValidationException", "The scalable target that you tried to tag already exists."},
		"policy without a target": {func(r *rig) error {
			p := tracking("x")
			p.ResourceID = "service/c/none"
			_, err := r.PutPolicy(r.t.Context(), p)
			return err
		}, "ObjectNotFoundException", "No scalable target registered for service namespace: ecs, resource ID: service/c/none, scalable dimension: ecs:service:DesiredCount"},
		"second policy for a metric": {func(r *rig) error {
			_, err := r.PutPolicy(r.t.Context(), tracking("second"))
			return err
		}, "ValidationException", "Only one TargetTrackingScaling policy for a given metric specification is allowed."},
		"requests without a label": {func(r *rig) error {
			p := tracking("x")
			label(&p, "")
			_, err := r.PutPolicy(r.t.Context(), p)
			return err
		}, "ValidationException", "Resource label should be specified for predefined metric type ALBRequestCountPerTarget"},
		"target group of another service": {func(r *rig) error {
			p := tracking("x")
			label(&p, "app/lb/1/targetgroup/other/2")
			_, err := r.PutPolicy(r.t.Context(), p)
			return err
		}, "ValidationException", "Target group targetgroup/other/2 is not attached to resource service/c/web"},
		"high resolution": {func(r *rig) error {
			p := tracking("x")
			p.Tracking.Predefined = "ECSServiceAverageCPUUtilizationHighResolution"
			_, err := r.PutPolicy(r.t.Context(), p)
			return err
		}, "ValidationException", "High-resolution metrics are not fully enabled on the ECS service."},
		"target of zero": {func(r *rig) error {
			p := tracking("cpu")
			p.Tracking.Target = 0
			_, err := r.PutPolicy(r.t.Context(), p)
			return err
		}, "ValidationException", "Target value must be greater than 0."},
		"unknown policy": {
			func(r *rig) error { return r.DeletePolicy(r.t.Context(), web, "none") },
			"ObjectNotFoundException", "No scaling policy found",
		},
		"unknown timing": {func(r *rig) error {
			return r.ChangeTags(r.t.Context(), r.Targets()[0].ARN, func([]model.Tag) []model.Tag {
				return []model.Tag{{Key: TimingTag, Value: "fast"}}
			})
		}, "ValidationException", "Tag neargate:timing"},
		"tags of an unknown resource": {func(r *rig) error { _, err := r.Tags("arn:x"); return err }, "ResourceNotFoundException", "Resource not found"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			r := fresh(t)
			r.register(2, 8)
			r.put(tracking("cpu"))
			targets, policies, alarms := r.Targets(), r.Policies(), len(r.book.all)
			err := c.do(r)
			e, ok := errors.AsType[*model.Error](err)
			if !ok || e.Code != c.code || !strings.HasPrefix(e.Msg, c.msg) {
				t.Errorf("error = %v, want %s: %s", err, c.code, c.msg)
			}
			if diff := cmp.Diff(targets, r.Targets()) + cmp.Diff(policies, r.Policies()); diff != "" || len(r.book.all) != alarms {
				t.Errorf("state changed:\n%s", diff)
			}
		})
	}
}
