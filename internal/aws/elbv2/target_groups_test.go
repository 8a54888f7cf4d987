package elbv2_test

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func TestTargetGroupDefaultsAndChanges(t *testing.T) {
	c, ctx := dial(t), t.Context()
	if _, err := c.DescribeTargetGroups(ctx, &elb.DescribeTargetGroupsInput{Names: []string{"web"}}); code(err) != "TargetGroupNotFound" {
		t.Errorf("describing an unknown name: %v", err)
	}
	tg := must[*elb.CreateTargetGroupOutput](t)(c.CreateTargetGroup(ctx, targetGroupInput("web"))).TargetGroups[0]
	want := types.TargetGroup{
		HealthCheckEnabled: aws.Bool(true), HealthCheckIntervalSeconds: aws.Int32(30), HealthCheckPath: aws.String("/"),
		HealthCheckPort: aws.String("traffic-port"), HealthCheckProtocol: "HTTP", HealthCheckTimeoutSeconds: aws.Int32(5),
		HealthyThresholdCount: aws.Int32(5), IpAddressType: "ipv4", Matcher: &types.Matcher{HttpCode: aws.String("200")},
		Port: aws.Int32(8080), Protocol: "HTTP", ProtocolVersion: aws.String("HTTP1"), TargetGroupArn: tg.TargetGroupArn,
		TargetGroupName: aws.String("web"), TargetType: "ip", UnhealthyThresholdCount: aws.Int32(2), VpcId: aws.String("vpc-00000001"),
	}
	ignore := cmpopts.IgnoreUnexported(types.TargetGroup{}, types.Matcher{})
	if d := cmp.Diff(tg, want, ignore, cmpopts.EquateEmpty()); d != "" {
		t.Errorf("got -, want +:\n%s", d)
	}
	again := must[*elb.CreateTargetGroupOutput](t)(c.CreateTargetGroup(ctx, targetGroupInput("web")))
	if *again.TargetGroups[0].TargetGroupArn != *tg.TargetGroupArn {
		t.Error("the same settings made another target group")
	}
	other := targetGroupInput("web")
	other.Port = aws.Int32(80)
	if _, err := c.CreateTargetGroup(ctx, other); code(err) != "DuplicateTargetGroupName" {
		t.Errorf("other settings: %v", err)
	}
	got := must[*elb.ModifyTargetGroupOutput](t)(c.ModifyTargetGroup(ctx, &elb.ModifyTargetGroupInput{
		TargetGroupArn: tg.TargetGroupArn, HealthCheckPath: aws.String("/ok"), HealthCheckIntervalSeconds: aws.Int32(10),
		Matcher: &types.Matcher{HttpCode: aws.String("200-299,301")},
	})).TargetGroups[0]
	want.HealthCheckPath, want.HealthCheckIntervalSeconds, want.Matcher.HttpCode = aws.String("/ok"), aws.Int32(10), aws.String("200-299,301")
	if d := cmp.Diff(got, want, ignore, cmpopts.EquateEmpty()); d != "" {
		t.Errorf("changed: got -, want +:\n%s", d)
	}
	out := must[*elb.ModifyTargetGroupAttributesOutput](t)(c.ModifyTargetGroupAttributes(ctx, &elb.ModifyTargetGroupAttributesInput{
		TargetGroupArn: tg.TargetGroupArn, Attributes: []types.TargetGroupAttribute{{Key: aws.String("deregistration_delay.timeout_seconds"), Value: aws.String("5")}},
	}))
	read := must[*elb.DescribeTargetGroupAttributesOutput](t)(c.DescribeTargetGroupAttributes(ctx, &elb.DescribeTargetGroupAttributesInput{TargetGroupArn: tg.TargetGroupArn}))
	if d := cmp.Diff(out.Attributes, read.Attributes, cmpopts.IgnoreUnexported(types.TargetGroupAttribute{})); d != "" || aws.ToString(read.Attributes[0].Value) != "5" {
		t.Errorf("attributes: got -, want +:\n%s", d)
	}
	must[*elb.DeleteTargetGroupOutput](t)(c.DeleteTargetGroup(ctx, &elb.DeleteTargetGroupInput{TargetGroupArn: tg.TargetGroupArn}))
}

// TestTargetGroupOfEmptyVersion creates one as Terraform's provider does where
// no protocol version is configured.
func TestTargetGroupOfEmptyVersion(t *testing.T) {
	c := dial(t)
	in := targetGroupInput("web")
	in.ProtocolVersion = aws.String("")
	out := must[*elb.CreateTargetGroupOutput](t)(c.CreateTargetGroup(t.Context(), in))
	if got := aws.ToString(out.TargetGroups[0].ProtocolVersion); got != "HTTP1" {
		t.Errorf("protocol version %q, want HTTP1", got)
	}
}

// A target group has the protocol, the version and the codes of its health check
// as they were asked for.
func TestTargetGroupVersions(t *testing.T) {
	c := dial(t)
	for name, r := range map[string]struct {
		protocol      types.ProtocolEnum
		version, path string
		matcher       *types.Matcher
	}{
		"HTTP2": {types.ProtocolEnumHttp, "HTTP2", "/", &types.Matcher{HttpCode: aws.String("200")}},
		"GRPC":  {types.ProtocolEnumHttp, "GRPC", "/AWS.ALB/healthcheck", &types.Matcher{GrpcCode: aws.String("12")}},
		"HTTPS": {types.ProtocolEnumHttps, "HTTP1", "/", &types.Matcher{HttpCode: aws.String("200")}},
	} {
		t.Run(name, func(t *testing.T) {
			in := targetGroupInput(name)
			in.Protocol, in.ProtocolVersion = r.protocol, &r.version
			got := must[*elb.CreateTargetGroupOutput](t)(c.CreateTargetGroup(t.Context(), in)).TargetGroups[0]
			if got.Protocol != r.protocol || *got.ProtocolVersion != r.version || *got.HealthCheckPath != r.path {
				t.Errorf("got %s, %s, path %s", got.Protocol, *got.ProtocolVersion, *got.HealthCheckPath)
			}
			if d := cmp.Diff(r.matcher, got.Matcher, cmpopts.IgnoreUnexported(types.Matcher{})); d != "" {
				t.Error(d)
			}
		})
	}
	listed := must[*elb.DescribeTargetGroupsOutput](t)(c.DescribeTargetGroups(t.Context(), &elb.DescribeTargetGroupsInput{Names: []string{"GRPC"}}))
	changed := must[*elb.ModifyTargetGroupOutput](t)(c.ModifyTargetGroup(t.Context(), &elb.ModifyTargetGroupInput{
		TargetGroupArn: listed.TargetGroups[0].TargetGroupArn, Matcher: &types.Matcher{GrpcCode: aws.String("0-5,12")},
	}))
	if got := aws.ToString(changed.TargetGroups[0].Matcher.GrpcCode); got != "0-5,12" {
		t.Errorf("got codes %q", got)
	}
}

func TestTargetGroupBadInput(t *testing.T) {
	c, ctx := dial(t), t.Context()
	tg := must[*elb.CreateTargetGroupOutput](t)(c.CreateTargetGroup(ctx, targetGroupInput("web"))).TargetGroups[0]
	create := func(change func(*elb.CreateTargetGroupInput)) func() error {
		return func() error {
			in := targetGroupInput("other")
			change(in)
			_, err := c.CreateTargetGroup(ctx, in)
			return err
		}
	}
	attribute := func(key, value string) func() error {
		return func() error {
			_, err := c.ModifyTargetGroupAttributes(ctx, &elb.ModifyTargetGroupAttributesInput{
				TargetGroupArn: tg.TargetGroupArn, Attributes: []types.TargetGroupAttribute{{Key: &key, Value: &value}},
			})
			return err
		}
	}
	register := func(id string) func() error {
		return func() error {
			_, err := c.RegisterTargets(ctx, &elb.RegisterTargetsInput{TargetGroupArn: tg.TargetGroupArn, Targets: []types.TargetDescription{{Id: &id}}})
			return err
		}
	}
	rows := []struct {
		name string
		do   func() error
		code string
	}{
		{"name too long", create(func(in *elb.CreateTargetGroupInput) { in.Name = aws.String(strings.Repeat("a", 33)) }), "ValidationError"},
		{"a function", func() error {
			_, err := c.CreateTargetGroup(ctx, &elb.CreateTargetGroupInput{Name: aws.String("function"), TargetType: types.TargetTypeEnumLambda})
			return err
		}, "InvalidConfigurationRequest"},
		{"instance targets", create(func(in *elb.CreateTargetGroupInput) { in.TargetType = types.TargetTypeEnumInstance }), "InvalidConfigurationRequest"},
		{"no port", create(func(in *elb.CreateTargetGroupInput) { in.Port = nil }), "ValidationError"},
		{"no VPC", create(func(in *elb.CreateTargetGroupInput) { in.VpcId = nil }), "ValidationError"},
		{"TCP", create(func(in *elb.CreateTargetGroupInput) { in.Protocol = types.ProtocolEnumTcp }), "InvalidConfigurationRequest"},
		{"HTTP/3", create(func(in *elb.CreateTargetGroupInput) { in.ProtocolVersion = aws.String("HTTP3") }), "ValidationError"},
		{"codes of HTTP in gRPC", create(func(in *elb.CreateTargetGroupInput) {
			in.ProtocolVersion, in.Matcher = aws.String("GRPC"), &types.Matcher{HttpCode: aws.String("200")}
		}), "ValidationError"},
		{"codes of gRPC in HTTP", create(func(in *elb.CreateTargetGroupInput) { in.Matcher = &types.Matcher{GrpcCode: aws.String("0")} }), "ValidationError"},
		{"code of gRPC too high", create(func(in *elb.CreateTargetGroupInput) {
			in.ProtocolVersion, in.Matcher = aws.String("GRPC"), &types.Matcher{GrpcCode: aws.String("0-100")}
		}), "ValidationError"},
		{"interval too short", create(func(in *elb.CreateTargetGroupInput) { in.HealthCheckIntervalSeconds = aws.Int32(4) }), "ValidationError"},
		{"timeout not under the interval", create(func(in *elb.CreateTargetGroupInput) {
			in.HealthCheckIntervalSeconds, in.HealthCheckTimeoutSeconds = aws.Int32(5), aws.Int32(5)
		}), "ValidationError"},
		{"threshold too low", create(func(in *elb.CreateTargetGroupInput) { in.HealthyThresholdCount = aws.Int32(1) }), "ValidationError"},
		{"path without slash", create(func(in *elb.CreateTargetGroupInput) { in.HealthCheckPath = aws.String("ok") }), "ValidationError"},
		{"path that would break the probe", create(func(in *elb.CreateTargetGroupInput) { in.HealthCheckPath = aws.String("/a b\r\nX: y") }), "ValidationError"},
		{"matcher of nothing", create(func(in *elb.CreateTargetGroupInput) { in.Matcher = &types.Matcher{HttpCode: aws.String("ok")} }), "ValidationError"},
		{"health check port", create(func(in *elb.CreateTargetGroupInput) { in.HealthCheckPort = aws.String("0") }), "ValidationError"},
		{"cookie of ELB's", attribute("stickiness.app_cookie.cookie_name", "AWSALBAPP-9"), "ValidationError"},
		{"cookie that is no name", attribute("stickiness.app_cookie.cookie_name", "a b"), "ValidationError"},
		{"slow start of 10 s", attribute("slow_start.duration_seconds", "10"), "ValidationError"},
		{"mitigation in turn", attribute("load_balancing.algorithm.anomaly_mitigation", "on"), "InvalidConfigurationRequest"},
		{"DNS failover after routing failover", attribute("target_group_health.unhealthy_state_routing.minimum_healthy_targets.count", "2"), "InvalidConfigurationRequest"},
		{"delay too long", attribute("deregistration_delay.timeout_seconds", "3601"), "ValidationError"},
		{"unknown attribute", attribute("x", "y"), "ValidationError"},
		{"target is no address", register("web.example.com"), "ValidationError"},
		{"target is public", register("8.8.8.8"), "ValidationError"},
	}
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			if err := r.do(); code(err) != r.code {
				t.Errorf("got %v, want %s", err, r.code)
			}
		})
	}
	if got := must[*elb.DescribeTargetGroupsOutput](t)(c.DescribeTargetGroups(ctx, &elb.DescribeTargetGroupsInput{})); len(got.TargetGroups) != 1 {
		t.Errorf("%d target groups after refused inputs", len(got.TargetGroups))
	}
}

func TestTargetHealthAsClientsSeeIt(t *testing.T) {
	c, ctx := dial(t), t.Context()
	backend := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer backend.Close()
	at := netip.MustParseAddrPort(backend.Listener.Addr().String())
	target := []types.TargetDescription{{Id: aws.String(at.Addr().String()), Port: aws.Int32(int32(at.Port()))}}

	tg := must[*elb.CreateTargetGroupOutput](t)(c.CreateTargetGroup(ctx, targetGroupInput("web"))).TargetGroups[0].TargetGroupArn
	must[*elb.RegisterTargetsOutput](t)(c.RegisterTargets(ctx, &elb.RegisterTargetsInput{TargetGroupArn: tg, Targets: target}))
	ask := &elb.DescribeTargetHealthInput{TargetGroupArn: tg, Targets: target}
	health := func() string {
		h := must[*elb.DescribeTargetHealthOutput](t)(c.DescribeTargetHealth(ctx, ask)).TargetHealthDescriptions[0].TargetHealth
		return strings.TrimSpace(string(h.State) + " " + string(h.Reason))
	}
	if got := health(); got != "unused Target.NotInUse" {
		t.Errorf("without listener: %s", got)
	}
	lb := must[*elb.CreateLoadBalancerOutput](t)(c.CreateLoadBalancer(ctx, loadBalancerInput("web"))).LoadBalancers[0].LoadBalancerArn
	l := must[*elb.CreateListenerOutput](t)(c.CreateListener(ctx, &elb.CreateListenerInput{
		LoadBalancerArn: lb, Protocol: types.ProtocolEnumHttp, Port: freePort(t), DefaultActions: to(tg),
	})).Listeners[0].ListenerArn
	if err := elb.NewTargetInServiceWaiter(c, func(o *elb.TargetInServiceWaiterOptions) { o.MinDelay = 10 * time.Millisecond }).Wait(ctx, ask, 10*time.Second); err != nil {
		t.Fatal(err)
	}
	if got := must[*elb.DescribeTargetGroupsOutput](t)(c.DescribeTargetGroups(ctx, &elb.DescribeTargetGroupsInput{LoadBalancerArn: lb})).TargetGroups; len(got) != 1 || got[0].LoadBalancerArns[0] != *lb {
		t.Errorf("target groups of the load balancer: %v", got)
	}
	if _, err := c.DeleteTargetGroup(ctx, &elb.DeleteTargetGroupInput{TargetGroupArn: tg}); code(err) != "ResourceInUse" {
		t.Errorf("deleting it in use: %v", err)
	}
	must[*elb.DeregisterTargetsOutput](t)(c.DeregisterTargets(ctx, &elb.DeregisterTargetsInput{TargetGroupArn: tg, Targets: target}))
	if err := elb.NewTargetDeregisteredWaiter(c, func(o *elb.TargetDeregisteredWaiterOptions) { o.MinDelay = 10 * time.Millisecond }).Wait(ctx, ask, 10*time.Second); err != nil {
		t.Fatal(err)
	}
	if got := health(); got != "unused Target.NotRegistered" {
		t.Errorf("in the end: %s", got)
	}
	must[*elb.DeleteListenerOutput](t)(c.DeleteListener(ctx, &elb.DeleteListenerInput{ListenerArn: l}))
	must[*elb.DeleteTargetGroupOutput](t)(c.DeleteTargetGroup(ctx, &elb.DeleteTargetGroupInput{TargetGroupArn: tg}))
}

func TestAttributesThatExcludeEachOther(t *testing.T) {
	c, ctx := dial(t), t.Context()
	tg := must[*elb.CreateTargetGroupOutput](t)(c.CreateTargetGroup(ctx, targetGroupInput("web"))).TargetGroups[0].TargetGroupArn
	modify := func(kv ...string) error {
		in := &elb.ModifyTargetGroupAttributesInput{TargetGroupArn: tg}
		for i := 0; i < len(kv); i += 2 {
			in.Attributes = append(in.Attributes, types.TargetGroupAttribute{Key: &kv[i], Value: &kv[i+1]})
		}
		_, err := c.ModifyTargetGroupAttributes(ctx, in)
		return err
	}
	const kind, mitigation, slow = "load_balancing.algorithm.type", "load_balancing.algorithm.anomaly_mitigation", "slow_start.duration_seconds"
	for _, step := range []struct {
		set  []string
		code string
	}{
		{[]string{slow, "30"}, ""},
		{[]string{kind, "least_outstanding_requests"}, "InvalidConfigurationRequest"},
		{[]string{kind, "weighted_random"}, "InvalidConfigurationRequest"},
		{[]string{kind, "weighted_random", slow, "0", mitigation, "on"}, ""},
		{[]string{kind, "round_robin"}, "InvalidConfigurationRequest"},
		{[]string{mitigation, "off", kind, "round_robin", slow, "900"}, ""},
	} {
		if err := modify(step.set...); code(err) != step.code {
			t.Errorf("setting %v: got %v, want %q", step.set, err, step.code)
		}
	}
}
