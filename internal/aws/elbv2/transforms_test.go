package elbv2_test

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
)

func urlRewrite(regex, replace string) types.RuleTransform {
	return types.RuleTransform{Type: types.TransformTypeEnumUrlRewrite, UrlRewriteConfig: &types.UrlRewriteConfig{
		Rewrites: []types.RewriteConfig{{Regex: &regex, Replace: &replace}},
	}}
}

func hostRewrite(regex, replace string) types.RuleTransform {
	return types.RuleTransform{Type: types.TransformTypeEnumHostHeaderRewrite, HostHeaderRewriteConfig: &types.HostHeaderRewriteConfig{
		Rewrites: []types.RewriteConfig{{Regex: &regex, Replace: &replace}},
	}}
}

func TestTransformsAreReadBackAndReset(t *testing.T) {
	c, ctx := dial(t), t.Context()
	_, tg, l := front(t, c)
	made := must[*elb.CreateRuleOutput](t)(c.CreateRule(ctx, &elb.CreateRuleInput{
		ListenerArn: l, Priority: aws.Int32(1), Actions: to(tg), Conditions: []types.RuleCondition{paths("/a")},
		Transforms: []types.RuleTransform{urlRewrite("^/a", "/b"), hostRewrite("^a", "b")},
	})).Rules[0]
	rule := func() types.Rule {
		return must[*elb.DescribeRulesOutput](t)(c.DescribeRules(ctx, &elb.DescribeRulesInput{RuleArns: []string{*made.RuleArn}})).Rules[0]
	}
	got := rule().Transforms
	if len(got) != 2 || aws.ToString(got[0].UrlRewriteConfig.Rewrites[0].Replace) != "/b" || aws.ToString(got[1].HostHeaderRewriteConfig.Rewrites[0].Regex) != "^a" {
		t.Errorf("transforms %+v", got)
	}
	must[*elb.ModifyRuleOutput](t)(c.ModifyRule(ctx, &elb.ModifyRuleInput{RuleArn: made.RuleArn, Conditions: []types.RuleCondition{paths("/c")}}))
	if got := rule().Transforms; len(got) != 2 {
		t.Errorf("%d transforms after a change of the conditions", len(got))
	}
	must[*elb.ModifyRuleOutput](t)(c.ModifyRule(ctx, &elb.ModifyRuleInput{RuleArn: made.RuleArn, ResetTransforms: aws.Bool(true)}))
	if got := rule().Transforms; len(got) != 0 {
		t.Errorf("%d transforms after their reset", len(got))
	}
}

func TestTransformsRefused(t *testing.T) {
	c, ctx := dial(t), t.Context()
	_, tg, l := front(t, c)
	rows := []struct {
		name       string
		transforms []types.RuleTransform
	}{
		{"lookahead", []types.RuleTransform{urlRewrite("^/(?=a)", "/")}},
		{"no regular expression", []types.RuleTransform{urlRewrite("", "/")}},
		{"a group that is not there", []types.RuleTransform{urlRewrite("^/(a)$", "/$2")}},
		{"1025 characters", []types.RuleTransform{urlRewrite("^/a", strings.Repeat("a", 1025))}},
		{"two of a kind", []types.RuleTransform{hostRewrite("a", "b"), hostRewrite("c", "d")}},
		{"no rewrite", []types.RuleTransform{{Type: types.TransformTypeEnumUrlRewrite}}},
		{"the other's config", []types.RuleTransform{{Type: types.TransformTypeEnumUrlRewrite, HostHeaderRewriteConfig: hostRewrite("a", "b").HostHeaderRewriteConfig}}},
		{"unknown type", []types.RuleTransform{{Type: "query-rewrite"}}},
	}
	for _, r := range rows {
		_, err := c.CreateRule(ctx, &elb.CreateRuleInput{
			ListenerArn: l, Priority: aws.Int32(1), Actions: to(tg), Conditions: []types.RuleCondition{paths("/a")}, Transforms: r.transforms,
		})
		if code(err) != "ValidationError" {
			t.Errorf("%s: got %v, want ValidationError", r.name, err)
		}
	}
}

func TestListenerAttributes(t *testing.T) {
	c, ctx := dial(t), t.Context()
	_, _, l := front(t, c)
	modify := func(key, value string) error {
		_, err := c.ModifyListenerAttributes(ctx, &elb.ModifyListenerAttributesInput{
			ListenerArn: l, Attributes: []types.ListenerAttribute{{Key: aws.String("routing.http.response." + key), Value: &value}},
		})
		return err
	}
	for _, row := range []struct{ key, value, code string }{
		{"server.enabled", "false", ""},
		{"strict_transport_security.header_value", "max-age=31536000; includeSubDomains; preload", ""},
		{"access_control_allow_methods.header_value", "GET, PUT,DELETE", ""},
		{"access_control_allow_origin.header_value", "*", ""},
		{"access_control_max_age.header_value", "86400", ""},
		{"access_control_max_age.header_value", "86401", "ValidationError"},
		{"access_control_allow_credentials.header_value", "false", "ValidationError"},
		{"x_content_type_options.header_value", "sniff", "ValidationError"},
		{"x_frame_options.header_value", "DENY\r\nX: y", "ValidationError"},
		{"content_security_policy.header_value", strings.Repeat("a", 1025), "ValidationError"},
		{"x_powered_by.header_value", "a", "ValidationError"},
	} {
		if err := modify(row.key, row.value); code(err) != row.code {
			t.Errorf("%s=%q: got %v, want %q", row.key, row.value, err, row.code)
		}
	}
	got := map[string]string{}
	for _, a := range must[*elb.DescribeListenerAttributesOutput](t)(c.DescribeListenerAttributes(ctx, &elb.DescribeListenerAttributesInput{ListenerArn: l})).Attributes {
		got[*a.Key] = *a.Value
	}
	if len(got) != 11 || got["routing.http.response.server.enabled"] != "false" || got["routing.http.response.access_control_max_age.header_value"] != "86400" {
		t.Errorf("attributes %v", got)
	}
}
