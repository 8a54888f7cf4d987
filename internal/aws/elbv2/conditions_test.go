package elbv2_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/aws/smithy-go"
	"github.com/google/go-cmp/cmp"
)

func hosts(v ...string) types.RuleCondition {
	return types.RuleCondition{Field: aws.String("host-header"), HostHeaderConfig: &types.HostHeaderConditionConfig{Values: v}}
}

func paths(v ...string) types.RuleCondition {
	return types.RuleCondition{Field: aws.String("path-pattern"), PathPatternConfig: &types.PathPatternConditionConfig{Values: v}}
}

func headers(name string, v ...string) types.RuleCondition {
	return types.RuleCondition{Field: aws.String("http-header"), HttpHeaderConfig: &types.HttpHeaderConditionConfig{HttpHeaderName: &name, Values: v}}
}

func regexes(field string, v ...string) types.RuleCondition {
	return types.RuleCondition{Field: &field, RegexValues: v}
}

// What AWS refuses in conditions is refused before anything changes.
func TestConditionsRefused(t *testing.T) {
	c, ctx := dial(t), t.Context()
	_, tg, l := front(t, c)
	rows := []struct {
		name      string
		condition types.RuleCondition
		message   string // "" for one that is taken
	}{
		{"no field", types.RuleCondition{Values: []string{"/a"}}, "A condition field must be specified"},
		{"unknown field", types.RuleCondition{Field: aws.String("cookie"), Values: []string{"a"}}, "Condition field 'cookie' must be one of"},
		{"both forms", types.RuleCondition{Field: aws.String("host-header"), Values: []string{"a.test"}, HostHeaderConfig: hosts("a.test").HostHeaderConfig}, "You cannot provide both Values and 'HostHeaderConfig' for a condition of type 'host-header'"},
		{"values and regular expressions", types.RuleCondition{Field: aws.String("path-pattern"), Values: []string{"/a"}, RegexValues: []string{"/a"}}, "both Values and RegexValues"},
		{"values of a header beside the config", types.RuleCondition{Field: aws.String("http-header"), Values: []string{"a"}}, "You cannot specify Values"},
		{"host without dot", hosts("localhost"), "at least one '.'"},
		{"host with port", hosts("a.example:80"), "Condition value 'a.example:80' contains a character that is not valid"},
		{"host with underscore", hosts("a_b.example"), "contains a character that is not valid"},
		{"host that is an address", hosts("10.0.0.1"), "only alphabetical characters after the final '.'"},
		{"host that ends in a dot and digits", hosts("a.b2"), "only alphabetical characters after the final '.'"},
		{"host with wildcards", hosts("*.example.com", "v?.example.*"), ""},
		{"host of 129 characters", hosts(strings.Repeat("a", 124) + ".test"), "must have 1 to 128 characters"},
		{"header Host", headers("hOST", "a.test"), "use a 'host-header' condition"},
		{"header of no name", headers("", "a"), "must have 1 to 40 characters"},
		{"header with a blank", headers("X A", "a"), "contains a character that is not valid"},
		{"header", headers("X-A", "a*"), ""},
		{"empty value", paths(""), "must have 1 to 128 characters"},
		{"regular expression of a host with port", regexes("host-header", `^example\.com:8443$`), ""},
		{"regular expression of a path", regexes("path-pattern", `^/v[0-9]+/`), ""},
		{"regular expression that is none", regexes("path-pattern", "("), "is not a valid regular expression"},
		{"lookahead", regexes("path-pattern", "/(?!a)"), "is not a valid regular expression"},
		{"Unicode class", regexes("path-pattern", `/\p{L}`), "is not a valid regular expression"},
		{"regular expression of 129 characters", regexes("path-pattern", strings.Repeat("a", 129)), "must have 1 to 128 characters"},
		{"regular expression of a method", regexes("http-request-method", "GET"), "You cannot specify RegexValues"},
		{"six regular expressions", regexes("path-pattern", "1", "2", "3", "4", "5", "6"), "A rule can only have '5' condition values"},
	}
	for i, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			_, err := c.CreateRule(ctx, &elb.CreateRuleInput{
				ListenerArn: l, Priority: aws.Int32(int32(i + 1)), Actions: to(tg), Conditions: []types.RuleCondition{r.condition},
			})
			var e smithy.APIError
			switch {
			case r.message == "" && err != nil:
				t.Error(err)
			case r.message != "" && (!errors.As(err, &e) || e.ErrorCode() != "ValidationError" || !strings.Contains(e.ErrorMessage(), r.message)):
				t.Errorf("got %v, want ValidationError with %q", err, r.message)
			}
		})
	}
}

func TestRegexConditionsAreReadBack(t *testing.T) {
	c, ctx := dial(t), t.Context()
	_, tg, l := front(t, c)
	given := []types.RuleCondition{
		regexes("host-header", `^a\.test$`), regexes("path-pattern", "^/a"),
		{Field: aws.String("http-header"), HttpHeaderConfig: &types.HttpHeaderConditionConfig{HttpHeaderName: aws.String("X-A"), RegexValues: []string{"b|c"}}},
	}
	made := must[*elb.CreateRuleOutput](t)(c.CreateRule(ctx, &elb.CreateRuleInput{ListenerArn: l, Priority: aws.Int32(1), Actions: to(tg), Conditions: given}))
	got := made.Rules[0].Conditions
	if d := cmp.Diff([][]string{got[0].HostHeaderConfig.RegexValues, got[1].PathPatternConfig.RegexValues, got[2].HttpHeaderConfig.RegexValues},
		[][]string{{`^a\.test$`}, {"^/a"}, {"b|c"}}); d != "" {
		t.Errorf("got -, want +:\n%s", d)
	}
}

func TestRedirectKeywordsRefused(t *testing.T) {
	c, ctx := dial(t), t.Context()
	lb, _, _ := front(t, c)
	_, err := c.CreateListener(ctx, &elb.CreateListenerInput{
		LoadBalancerArn: lb, Protocol: types.ProtocolEnumHttp, Port: freePort(t),
		DefaultActions: []types.Action{{Type: types.ActionTypeEnumRedirect, RedirectConfig: &types.RedirectActionConfig{
			Path: aws.String("/#{bogus}"), StatusCode: types.RedirectActionStatusCodeEnumHttp301,
		}}},
	})
	if code(err) != "ValidationError" || !strings.Contains(err.Error(), "#{bogus}") {
		t.Errorf("got %v", err)
	}
}
