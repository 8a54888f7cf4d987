package elbv2_test

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
)

func TestStickinessOfGroupsAndTargets(t *testing.T) {
	c, ctx := dial(t), t.Context()
	_, blue, l := front(t, c)
	green := must[*elb.CreateTargetGroupOutput](t)(c.CreateTargetGroup(ctx, targetGroupInput("green"))).TargetGroups[0].TargetGroupArn
	both := func(sticky *types.TargetGroupStickinessConfig) []types.Action {
		return []types.Action{{Type: types.ActionTypeEnumForward, ForwardConfig: &types.ForwardActionConfig{
			TargetGroups:                []types.TargetGroupTuple{{TargetGroupArn: blue}, {TargetGroupArn: green}},
			TargetGroupStickinessConfig: sticky,
		}}}
	}
	lead := func(sticky *types.TargetGroupStickinessConfig) error {
		_, err := c.ModifyListener(ctx, &elb.ModifyListenerInput{ListenerArn: l, DefaultActions: both(sticky)})
		return err
	}
	stick := func(kv ...string) error {
		in := &elb.ModifyTargetGroupAttributesInput{TargetGroupArn: green}
		for i := 0; i < len(kv); i += 2 {
			in.Attributes = append(in.Attributes, types.TargetGroupAttribute{Key: &kv[i], Value: &kv[i+1]})
		}
		_, err := c.ModifyTargetGroupAttributes(ctx, in)
		return err
	}
	config := func(seconds int32) *types.TargetGroupStickinessConfig {
		return &types.TargetGroupStickinessConfig{Enabled: aws.Bool(true), DurationSeconds: &seconds}
	}
	for _, step := range []struct {
		name    string
		do      error
		code    string
		message string
	}{
		{"app_cookie without a name", stick("stickiness.enabled", "true", "stickiness.type", "app_cookie"), "ValidationError", "stickiness.app_cookie.cookie_name"},
		{"no duration", lead(&types.TargetGroupStickinessConfig{Enabled: aws.Bool(true)}), "ValidationError", "duration"},
		{"duration too long", lead(config(604801)), "ValidationError", ""},
		{"no group stickiness", lead(nil), "", ""},
		{"targets behind it", stick("stickiness.enabled", "true"), "InvalidConfigurationRequest", "You must enable group stickiness before enabling target stickiness"},
		{"group stickiness", lead(config(60)), "", ""},
		{"targets behind that", stick("stickiness.enabled", "true"), "", ""},
		{"group stickiness off", lead(nil), "InvalidLoadBalancerAction", "You must enable group stickiness on a rule if you enabled target stickiness on one of its target groups"},
	} {
		if code(step.do) != step.code || step.code != "" && !strings.Contains(step.do.Error(), step.message) {
			t.Errorf("%s: got %v, want %q with %q", step.name, step.do, step.code, step.message)
		}
	}
	got := must[*elb.DescribeListenersOutput](t)(c.DescribeListeners(ctx, &elb.DescribeListenersInput{ListenerArns: []string{*l}})).Listeners[0]
	if s := got.DefaultActions[0].ForwardConfig.TargetGroupStickinessConfig; !aws.ToBool(s.Enabled) || aws.ToInt32(s.DurationSeconds) != 60 {
		t.Errorf("stickiness of the action %+v", s)
	}
}
