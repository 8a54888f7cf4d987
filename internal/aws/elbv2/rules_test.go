package elbv2_test

import (
	"fmt"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"neargate/internal/aws/elbv2"
)

// front creates a load balancer with a target group and a listener.
func front(t *testing.T, c *elb.Client) (lb, tg, listener *string) {
	t.Helper()
	tg = must[*elb.CreateTargetGroupOutput](t)(c.CreateTargetGroup(t.Context(), targetGroupInput("web"))).TargetGroups[0].TargetGroupArn
	lb = must[*elb.CreateLoadBalancerOutput](t)(c.CreateLoadBalancer(t.Context(), loadBalancerInput("web"))).LoadBalancers[0].LoadBalancerArn
	l := must[*elb.CreateListenerOutput](t)(c.CreateListener(t.Context(), &elb.CreateListenerInput{
		LoadBalancerArn: lb, Protocol: types.ProtocolEnumHttp, Port: freePort(t), DefaultActions: to(tg),
	}))
	return lb, tg, l.Listeners[0].ListenerArn
}

func TestRulesAreReadBackAsGiven(t *testing.T) {
	c, ctx := dial(t), t.Context()
	_, tg, l := front(t, c)
	kinds := []types.RuleCondition{
		{Field: aws.String("host-header"), HostHeaderConfig: &types.HostHeaderConditionConfig{Values: []string{"*.example.com"}}},
		{Field: aws.String("path-pattern"), Values: []string{"/a/*"}},
		{Field: aws.String("http-request-method"), HttpRequestMethodConfig: &types.HttpRequestMethodConditionConfig{Values: []string{"GET"}}},
		{Field: aws.String("source-ip"), SourceIpConfig: &types.SourceIpConditionConfig{Values: []string{"10.0.0.0/8"}}},
		{Field: aws.String("http-header"), HttpHeaderConfig: &types.HttpHeaderConditionConfig{HttpHeaderName: aws.String("X-A"), Values: []string{"b"}}},
		{Field: aws.String("query-string"), QueryStringConfig: &types.QueryStringConditionConfig{Values: []types.QueryStringKeyValuePair{{Key: aws.String("k"), Value: aws.String("v")}}}},
	}
	for i, k := range kinds {
		must[*elb.CreateRuleOutput](t)(c.CreateRule(ctx, &elb.CreateRuleInput{
			ListenerArn: l, Priority: aws.Int32(int32(10 * (i + 1))), Conditions: []types.RuleCondition{k}, Actions: to(tg),
		}))
	}
	rules := must[*elb.DescribeRulesOutput](t)(c.DescribeRules(ctx, &elb.DescribeRulesInput{ListenerArn: l})).Rules
	var got []string
	for _, r := range rules {
		line := aws.ToString(r.Priority)
		for _, c := range r.Conditions {
			line += " " + aws.ToString(c.Field)
		}
		got = append(got, fmt.Sprintf("%s default=%v", line, aws.ToBool(r.IsDefault)))
	}
	want := []string{
		"10 host-header default=false", "20 path-pattern default=false", "30 http-request-method default=false", "40 source-ip default=false",
		"50 http-header default=false", "60 query-string default=false", "default default=true",
	}
	if d := cmp.Diff(got, want); d != "" {
		t.Errorf("got -, want +:\n%s", d)
	}
	if got := rules[1].Conditions[0].PathPatternConfig.Values; len(got) != 1 || got[0] != "/a/*" {
		t.Errorf("path condition %v", got)
	}
	if got := rules[6].Actions[0]; aws.ToString(got.TargetGroupArn) != *tg || len(got.ForwardConfig.TargetGroups) != 1 {
		t.Errorf("default action %+v", got)
	}
	var paged int
	pages := elb.NewDescribeRulesPaginator(c, &elb.DescribeRulesInput{ListenerArn: l, PageSize: aws.Int32(3)})
	for pages.HasMorePages() {
		p, err := pages.NextPage(ctx)
		if err != nil {
			t.Fatal(err)
		}
		paged += len(p.Rules)
	}
	if paged != len(rules) {
		t.Errorf("%d rules in pages, %d at once", paged, len(rules))
	}
	moved := must[*elb.SetRulePrioritiesOutput](t)(c.SetRulePriorities(ctx, &elb.SetRulePrioritiesInput{RulePriorities: []types.RulePriorityPair{
		{RuleArn: rules[0].RuleArn, Priority: aws.Int32(20)}, {RuleArn: rules[1].RuleArn, Priority: aws.Int32(10)},
	}}))
	if len(moved.Rules) != 2 {
		t.Errorf("%d rules moved", len(moved.Rules))
	}
	must[*elb.ModifyRuleOutput](t)(c.ModifyRule(ctx, &elb.ModifyRuleInput{RuleArn: rules[0].RuleArn, Conditions: kinds[1:2]}))
	must[*elb.DeleteRuleOutput](t)(c.DeleteRule(ctx, &elb.DeleteRuleInput{RuleArn: rules[1].RuleArn}))
	rules = must[*elb.DescribeRulesOutput](t)(c.DescribeRules(ctx, &elb.DescribeRulesInput{RuleArns: []string{*rules[0].RuleArn}})).Rules
	if got := rules[0]; aws.ToString(got.Priority) != "20" || aws.ToString(got.Conditions[0].Field) != "path-pattern" {
		t.Errorf("changed rule %+v", got)
	}
}

// fixed is an action that answers.
func fixed(status, body string) []types.Action {
	return []types.Action{{Type: types.ActionTypeEnumFixedResponse, FixedResponseConfig: &types.FixedResponseActionConfig{
		StatusCode: &status, ContentType: aws.String("text/plain"), MessageBody: &body,
	}}}
}

func TestListenerLifeAndBadInput(t *testing.T) {
	c, ctx := dial(t), t.Context()
	lb, tg, l := front(t, c)
	port := freePort(t)
	got := must[*elb.ModifyListenerOutput](t)(c.ModifyListener(ctx, &elb.ModifyListenerInput{ListenerArn: l, Port: port, DefaultActions: fixed("404", "none")})).Listeners[0]
	if *got.Port != *port || aws.ToString(got.DefaultActions[0].FixedResponseConfig.StatusCode) != "404" {
		t.Errorf("changed listener %+v", got)
	}
	must[*elb.DescribeListenerAttributesOutput](t)(c.DescribeListenerAttributes(ctx, &elb.DescribeListenerAttributesInput{ListenerArn: l}))
	create := func(change func(*elb.CreateListenerInput)) func() error {
		return func() error {
			in := &elb.CreateListenerInput{LoadBalancerArn: lb, Protocol: types.ProtocolEnumHttp, Port: aws.Int32(1), DefaultActions: to(tg)}
			change(in)
			_, err := c.CreateListener(ctx, in)
			return err
		}
	}
	rule := func(change func(*elb.CreateRuleInput)) func() error {
		return func() error {
			in := &elb.CreateRuleInput{
				ListenerArn: l, Priority: aws.Int32(7), Actions: to(tg),
				Conditions: []types.RuleCondition{{Field: aws.String("path-pattern"), Values: []string{"/x"}}},
			}
			change(in)
			_, err := c.CreateRule(ctx, in)
			return err
		}
	}
	redirect := func(r types.RedirectActionConfig) []types.Action {
		return []types.Action{{Type: types.ActionTypeEnumRedirect, RedirectConfig: &r}}
	}
	rows := []struct {
		name string
		do   func() error
		code string
	}{
		{"HTTPS", create(func(in *elb.CreateListenerInput) { in.Protocol = types.ProtocolEnumHttps }), "ValidationError"},
		{"TCP", create(func(in *elb.CreateListenerInput) { in.Protocol = types.ProtocolEnumTcp }), "UnsupportedProtocol"},
		{"no port", create(func(in *elb.CreateListenerInput) { in.Port = nil }), "ValidationError"},
		{"port 0", create(func(in *elb.CreateListenerInput) { in.Port = aws.Int32(0) }), "ValidationError"},
		{"port of another listener", create(func(in *elb.CreateListenerInput) { in.Port = port }), "DuplicateListener"},
		{"unknown load balancer", create(func(in *elb.CreateListenerInput) { in.LoadBalancerArn = aws.String("arn") }), "LoadBalancerNotFound"},
		{"unknown target group", create(func(in *elb.CreateListenerInput) { in.DefaultActions = to(aws.String("arn")) }), "TargetGroupNotFound"},
		{"no target group", create(func(in *elb.CreateListenerInput) { in.DefaultActions = to(nil) }), "ValidationError"},
		{"two actions", create(func(in *elb.CreateListenerInput) {
			in.DefaultActions = append(to(tg), fixed("200", "")...)
		}), "InvalidLoadBalancerAction"},
		{"fixed response 302", create(func(in *elb.CreateListenerInput) { in.DefaultActions = fixed("302", "") }), "ValidationError"},
		{"redirect to itself", create(func(in *elb.CreateListenerInput) {
			in.DefaultActions = redirect(types.RedirectActionConfig{StatusCode: types.RedirectActionStatusCodeEnumHttp301})
		}), "InvalidLoadBalancerAction"},
		{"redirect with 307", create(func(in *elb.CreateListenerInput) {
			in.DefaultActions = redirect(types.RedirectActionConfig{StatusCode: "HTTP_307", Host: aws.String("x")})
		}), "ValidationError"},
		{"priority 0", rule(func(in *elb.CreateRuleInput) { in.Priority = aws.Int32(0) }), "ValidationError"},
		{"no conditions", rule(func(in *elb.CreateRuleInput) { in.Conditions = []types.RuleCondition{} }), "ValidationError"},
		{"six values", rule(func(in *elb.CreateRuleInput) { in.Conditions[0].Values = []string{"/1", "/2", "/3", "/4", "/5", "/6"} }), "ValidationError"},
		{"six wildcards", rule(func(in *elb.CreateRuleInput) { in.Conditions[0].Values = []string{"/******"} }), "ValidationError"},
		{"two path conditions", rule(func(in *elb.CreateRuleInput) { in.Conditions = append(in.Conditions, in.Conditions[0]) }), "ValidationError"},
		{"source is no block", rule(func(in *elb.CreateRuleInput) {
			in.Conditions = []types.RuleCondition{{Field: aws.String("source-ip"), SourceIpConfig: &types.SourceIpConditionConfig{Values: []string{"10.0.0.1"}}}}
		}), "ValidationError"},
		{"good rule", rule(func(*elb.CreateRuleInput) {}), ""},
		{"the same priority", rule(func(*elb.CreateRuleInput) {}), "PriorityInUse"},
		{"unknown listener", func() error {
			_, err := c.DeleteListener(ctx, &elb.DeleteListenerInput{ListenerArn: aws.String("arn")})
			return err
		}, "ListenerNotFound"},
	}
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			if err := r.do(); code(err) != r.code {
				t.Errorf("got %v, want %q", err, r.code)
			}
		})
	}
	must[*elb.DeleteListenerOutput](t)(c.DeleteListener(ctx, &elb.DeleteListenerInput{ListenerArn: l}))
	if got := must[*elb.DescribeListenersOutput](t)(c.DescribeListeners(ctx, &elb.DescribeListenersInput{LoadBalancerArn: lb})); len(got.Listeners) != 0 {
		t.Errorf("%d listeners left", len(got.Listeners))
	}
}

func TestTags(t *testing.T) {
	c, ctx := dial(t), t.Context()
	lb, tg, l := front(t, c)
	r := must[*elb.CreateRuleOutput](t)(c.CreateRule(ctx, &elb.CreateRuleInput{
		ListenerArn: l, Priority: aws.Int32(1), Actions: to(tg), Conditions: []types.RuleCondition{{Field: aws.String("path-pattern"), Values: []string{"/x"}}},
	})).Rules[0].RuleArn
	arns := []string{*lb, *tg, *l, *r}
	tags := func(kv ...string) (out []types.Tag) {
		for i := 0; i < len(kv); i += 2 {
			out = append(out, types.Tag{Key: &kv[i], Value: &kv[i+1]})
		}
		return out
	}
	must[*elb.AddTagsOutput](t)(c.AddTags(ctx, &elb.AddTagsInput{ResourceArns: arns, Tags: tags("a", "1", "b", "2")}))
	must[*elb.AddTagsOutput](t)(c.AddTags(ctx, &elb.AddTagsInput{ResourceArns: arns, Tags: tags("a", "3")}))
	must[*elb.RemoveTagsOutput](t)(c.RemoveTags(ctx, &elb.RemoveTagsInput{ResourceArns: arns, TagKeys: []string{"b", "team"}}))
	for _, d := range must[*elb.DescribeTagsOutput](t)(c.DescribeTags(ctx, &elb.DescribeTagsInput{ResourceArns: arns})).TagDescriptions {
		if len(d.Tags) != 1 || *d.Tags[0].Key != "a" || *d.Tags[0].Value != "3" {
			t.Errorf("%s has tags %v", *d.ResourceArn, d.Tags)
		}
	}
	_, err := c.AddTags(ctx, &elb.AddTagsInput{ResourceArns: []string{*lb, "arn:aws:elasticloadbalancing:us-east-1:000000000000:targetgroup/x/0"}, Tags: tags("c", "4")})
	if code(err) != "TargetGroupNotFound" {
		t.Errorf("tagging something unknown: %v", err)
	}
	if got := must[*elb.DescribeTagsOutput](t)(c.DescribeTags(ctx, &elb.DescribeTagsInput{ResourceArns: arns[:1]})).TagDescriptions[0].Tags; len(got) != 1 {
		t.Errorf("tags %v after a refused call", got)
	}
	must[*elb.DescribeAccountLimitsOutput](t)(c.DescribeAccountLimits(ctx, &elb.DescribeAccountLimitsInput{}))
}

// TestActionsBeforeTheLast wants tokens of an issuer before a request is forwarded.
func TestActionsBeforeTheLast(t *testing.T) {
	client := dialWith(t, elbv2.Config{Place: place}, shelf(t, "cert"))
	ctx := t.Context()
	lb := must[*elb.CreateLoadBalancerOutput](t)(client.CreateLoadBalancer(ctx, loadBalancerInput("web"))).LoadBalancers[0]
	tg := must[*elb.CreateTargetGroupOutput](t)(client.CreateTargetGroup(ctx, targetGroupInput("web"))).TargetGroups[0]
	jwt := func(order int32, change func(*types.JwtValidationActionConfig)) types.Action {
		cfg := &types.JwtValidationActionConfig{
			JwksEndpoint: aws.String("https://id.test/keys"), Issuer: aws.String("https://id.test"),
			AdditionalClaims: []types.JwtValidationActionAdditionalClaim{
				{Format: types.JwtValidationActionAdditionalClaimFormatEnumSpaceSeparatedValues, Name: aws.String("scope"), Values: []string{"read", "write"}},
			},
		}
		if change != nil {
			change(cfg)
		}
		return types.Action{Type: types.ActionTypeEnumJwtValidation, Order: aws.Int32(order), JwtValidationConfig: cfg}
	}
	last := types.Action{Type: types.ActionTypeEnumForward, Order: aws.Int32(2), TargetGroupArn: tg.TargetGroupArn}
	create := func(protocol types.ProtocolEnum, actions ...types.Action) (*elb.CreateListenerOutput, error) {
		in := &elb.CreateListenerInput{LoadBalancerArn: lb.LoadBalancerArn, Port: freePort(t), Protocol: protocol, DefaultActions: actions}
		if protocol == types.ProtocolEnumHttps {
			in.Certificates = []types.Certificate{{CertificateArn: aws.String("cert")}}
		}
		return client.CreateListener(ctx, in)
	}
	for name, tc := range map[string]struct {
		protocol types.ProtocolEnum
		actions  []types.Action
		code     string
	}{
		"over HTTP":           {types.ProtocolEnumHttp, []types.Action{jwt(1, nil), last}, "InvalidLoadBalancerAction"},
		"alone":               {types.ProtocolEnumHttps, []types.Action{jwt(1, nil)}, "InvalidLoadBalancerAction"},
		"behind the last":     {types.ProtocolEnumHttps, []types.Action{last, jwt(3, nil)}, "InvalidLoadBalancerAction"},
		"in one order":        {types.ProtocolEnumHttps, []types.Action{last, jwt(2, nil)}, "InvalidLoadBalancerAction"},
		"twice":               {types.ProtocolEnumHttps, []types.Action{jwt(1, nil), last, jwt(1, nil)}, "InvalidLoadBalancerAction"},
		"two that end a rule": {types.ProtocolEnumHttps, []types.Action{last, last}, "InvalidLoadBalancerAction"},
		"keys without TLS": {types.ProtocolEnumHttps, []types.Action{jwt(1, func(c *types.JwtValidationActionConfig) {
			c.JwksEndpoint = aws.String("http://id.test/keys")
		}), last}, "ValidationError"},
		"a claim of our own": {types.ProtocolEnumHttps, []types.Action{jwt(1, func(c *types.JwtValidationActionConfig) {
			c.AdditionalClaims[0].Name = aws.String("exp")
		}), last}, "ValidationError"},
		"a space among values": {types.ProtocolEnumHttps, []types.Action{jwt(1, func(c *types.JwtValidationActionConfig) {
			c.AdditionalClaims[0].Values = []string{"read write"}
		}), last}, "ValidationError"},
	} {
		if _, err := create(tc.protocol, tc.actions...); code(err) != tc.code {
			t.Errorf("%s: got %v, want %s", name, err, tc.code)
		}
	}
	l := must[*elb.CreateListenerOutput](t)(create(types.ProtocolEnumHttps, last, jwt(1, nil))).Listeners[0]
	shown := must[*elb.DescribeListenersOutput](t)(client.DescribeListeners(ctx, &elb.DescribeListenersInput{ListenerArns: []string{*l.ListenerArn}})).Listeners[0]
	if len(shown.DefaultActions) != 2 {
		t.Fatalf("got %d actions", len(shown.DefaultActions))
	}
	if diff := cmp.Diff(jwt(1, nil), shown.DefaultActions[0], cmpopts.IgnoreUnexported(types.Action{}, types.JwtValidationActionConfig{}, types.JwtValidationActionAdditionalClaim{})); diff != "" {
		t.Errorf("the first action (-want +got):\n%s", diff)
	}
}
