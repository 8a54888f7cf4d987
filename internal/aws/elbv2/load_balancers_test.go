package elbv2_test

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/google/go-cmp/cmp"
)

func TestLoadBalancerLife(t *testing.T) {
	c, ctx := dial(t), t.Context()
	made := must[*elb.CreateLoadBalancerOutput](t)(c.CreateLoadBalancer(ctx, loadBalancerInput("web"))).LoadBalancers[0]
	arn := aws.ToString(made.LoadBalancerArn)
	if !regexp.MustCompile(`^arn:aws:elasticloadbalancing:us-east-1:000000000000:loadbalancer/app/web/[0-9a-f]{16}$`).MatchString(arn) {
		t.Errorf("ARN %s", arn)
	}
	if !regexp.MustCompile(`^web-\d+\.us-east-1\.elb\.localhost$`).MatchString(aws.ToString(made.DNSName)) {
		t.Errorf("DNSName %s", aws.ToString(made.DNSName))
	}
	if made.State.Code != types.LoadBalancerStateEnumActive {
		t.Errorf("state %s", made.State.Code)
	}
	if got := aws.ToString(made.AvailabilityZones[1].LoadBalancerAddresses[0].IpAddress); !strings.HasPrefix(got, "127.") {
		t.Errorf("address %s", got)
	}
	if got := aws.ToString(made.AvailabilityZones[1].ZoneName); got != "us-east-1b" {
		t.Errorf("zone %s", got)
	}

	again := must[*elb.CreateLoadBalancerOutput](t)(c.CreateLoadBalancer(ctx, loadBalancerInput("web"))).LoadBalancers[0]
	if aws.ToString(again.LoadBalancerArn) != arn {
		t.Error("the same settings made another load balancer")
	}
	other := loadBalancerInput("web")
	other.Scheme = types.LoadBalancerSchemeEnumInternal
	if _, err := c.CreateLoadBalancer(ctx, other); code(err) != "DuplicateLoadBalancerName" {
		t.Errorf("other settings: %v", err)
	}

	out := must[*elb.ModifyLoadBalancerAttributesOutput](t)(c.ModifyLoadBalancerAttributes(ctx, &elb.ModifyLoadBalancerAttributesInput{
		LoadBalancerArn: &arn, Attributes: []types.LoadBalancerAttribute{{Key: aws.String("idle_timeout.timeout_seconds"), Value: aws.String("30")}},
	}))
	if len(out.Attributes) < 20 {
		t.Errorf("%d attributes", len(out.Attributes))
	}
	read := must[*elb.DescribeLoadBalancerAttributesOutput](t)(c.DescribeLoadBalancerAttributes(ctx, &elb.DescribeLoadBalancerAttributesInput{LoadBalancerArn: &arn}))
	for _, a := range read.Attributes {
		if strings.HasPrefix(aws.ToString(a.Key), "neargate:") {
			t.Errorf("%s is shown though nobody has set it", aws.ToString(a.Key))
		}
		if aws.ToString(a.Key) == "idle_timeout.timeout_seconds" && aws.ToString(a.Value) != "30" {
			t.Errorf("idle timeout %s", aws.ToString(a.Value))
		}
	}
	strict := must[*elb.ModifyLoadBalancerAttributesOutput](t)(c.ModifyLoadBalancerAttributes(ctx, &elb.ModifyLoadBalancerAttributesInput{
		LoadBalancerArn: &arn, Attributes: []types.LoadBalancerAttribute{{Key: aws.String("neargate:strict"), Value: aws.String("true")}},
	}))
	if !slices.ContainsFunc(strict.Attributes, func(a types.LoadBalancerAttribute) bool {
		return aws.ToString(a.Key) == "neargate:strict" && aws.ToString(a.Value) == "true"
	}) {
		t.Error("neargate:strict is not shown though it was set")
	}
	must[*elb.DescribeCapacityReservationOutput](t)(c.DescribeCapacityReservation(ctx, &elb.DescribeCapacityReservationInput{LoadBalancerArn: &arn}))
	sg := must[*elb.SetSecurityGroupsOutput](t)(c.SetSecurityGroups(ctx, &elb.SetSecurityGroupsInput{LoadBalancerArn: &arn, SecurityGroups: []string{"sg-2"}}))
	if d := cmp.Diff(sg.SecurityGroupIds, []string{"sg-2"}); d != "" {
		t.Errorf("security groups: got -, want +:\n%s", d)
	}
	sn := must[*elb.SetSubnetsOutput](t)(c.SetSubnets(ctx, &elb.SetSubnetsInput{LoadBalancerArn: &arn, Subnets: []string{"subnet-3", "subnet-4", "subnet-5"}}))
	if len(sn.AvailabilityZones) != 3 {
		t.Errorf("%d zones", len(sn.AvailabilityZones))
	}
	must[*elb.SetIpAddressTypeOutput](t)(c.SetIpAddressType(ctx, &elb.SetIpAddressTypeInput{LoadBalancerArn: &arn, IpAddressType: types.IpAddressTypeIpv4}))

	must[*elb.DeleteLoadBalancerOutput](t)(c.DeleteLoadBalancer(ctx, &elb.DeleteLoadBalancerInput{LoadBalancerArn: &arn}))
	must[*elb.DeleteLoadBalancerOutput](t)(c.DeleteLoadBalancer(ctx, &elb.DeleteLoadBalancerInput{LoadBalancerArn: &arn}))
	if _, err := c.DescribeLoadBalancers(ctx, &elb.DescribeLoadBalancersInput{Names: []string{"web"}}); code(err) != "LoadBalancerNotFound" {
		t.Errorf("describing it afterwards: %v", err)
	}
}

func TestDescribeLoadBalancersInPages(t *testing.T) {
	c, ctx := dial(t), t.Context()
	for i := range 5 {
		must[*elb.CreateLoadBalancerOutput](t)(c.CreateLoadBalancer(ctx, loadBalancerInput(fmt.Sprintf("lb-%d", i))))
	}
	var names []string
	pages := elb.NewDescribeLoadBalancersPaginator(c, &elb.DescribeLoadBalancersInput{PageSize: aws.Int32(2)})
	for pages.HasMorePages() {
		p, err := pages.NextPage(ctx)
		if err != nil {
			t.Fatal(err)
		}
		for _, lb := range p.LoadBalancers {
			names = append(names, aws.ToString(lb.LoadBalancerName))
		}
	}
	if d := cmp.Diff(names, []string{"lb-0", "lb-1", "lb-2", "lb-3", "lb-4"}); d != "" {
		t.Errorf("got -, want +:\n%s", d)
	}
	if _, err := c.DescribeLoadBalancers(ctx, &elb.DescribeLoadBalancersInput{Marker: aws.String("%")}); code(err) != "ValidationError" {
		t.Errorf("bad marker: %v", err)
	}
}

func TestLoadBalancerBadInput(t *testing.T) {
	c, ctx := dial(t), t.Context()
	lb := must[*elb.CreateLoadBalancerOutput](t)(c.CreateLoadBalancer(ctx, loadBalancerInput("web"))).LoadBalancers[0]
	create := func(change func(*elb.CreateLoadBalancerInput)) func() error {
		return func() error {
			in := loadBalancerInput("other")
			change(in)
			_, err := c.CreateLoadBalancer(ctx, in)
			return err
		}
	}
	attribute := func(key, value string) func() error {
		return func() error {
			_, err := c.ModifyLoadBalancerAttributes(ctx, &elb.ModifyLoadBalancerAttributesInput{
				LoadBalancerArn: lb.LoadBalancerArn, Attributes: []types.LoadBalancerAttribute{{Key: &key, Value: &value}},
			})
			return err
		}
	}
	rows := []struct {
		name string
		do   func() error
		code string
	}{
		{"name too long", create(func(in *elb.CreateLoadBalancerInput) { in.Name = aws.String(strings.Repeat("a", 33)) }), "ValidationError"},
		{"name with a dot", create(func(in *elb.CreateLoadBalancerInput) { in.Name = aws.String("a.b") }), "ValidationError"},
		{"name ends in a hyphen", create(func(in *elb.CreateLoadBalancerInput) { in.Name = aws.String("a-") }), "ValidationError"},
		{"name is internal", create(func(in *elb.CreateLoadBalancerInput) { in.Name = aws.String("internal-a") }), "ValidationError"},
		{"name is empty", create(func(in *elb.CreateLoadBalancerInput) { in.Name = aws.String("") }), "ValidationError"},
		{"one subnet", create(func(in *elb.CreateLoadBalancerInput) { in.Subnets = in.Subnets[:1] }), "ValidationError"},
		{"network load balancer", create(func(in *elb.CreateLoadBalancerInput) { in.Type = types.LoadBalancerTypeEnumNetwork }), "InvalidConfigurationRequest"},
		{"strange scheme", create(func(in *elb.CreateLoadBalancerInput) { in.Scheme = "public" }), "InvalidScheme"},
		{"strange address type", create(func(in *elb.CreateLoadBalancerInput) { in.IpAddressType = "ipv6" }), "ValidationError"},
		{"internal without public IPv4", create(func(in *elb.CreateLoadBalancerInput) {
			in.Scheme, in.IpAddressType = types.LoadBalancerSchemeEnumInternal, types.IpAddressTypeDualstackWithoutPublicIpv4
		}), "InvalidConfigurationRequest"},
		{"tag key twice", create(func(in *elb.CreateLoadBalancerInput) { in.Tags = append(in.Tags, in.Tags[0]) }), "DuplicateTagKeys"},
		{"unknown attribute", attribute("idle_timeout", "1"), "ValidationError"},
		{"idle timeout too long", attribute("idle_timeout.timeout_seconds", "4001"), "ValidationError"},
		{"strict or not", attribute("neargate:strict", "very"), "ValidationError"},
		{"access logs without a bucket", attribute("access_logs.s3.enabled", "true"), "ValidationError"},
		{"connection logs without a bucket", attribute("connection_logs.s3.enabled", "true"), "ValidationError"},
		{"health check logs without a bucket", attribute("health_check_logs.s3.enabled", "true"), "ValidationError"},
		{"unknown load balancer", func() error {
			_, err := c.DescribeLoadBalancerAttributes(ctx, &elb.DescribeLoadBalancerAttributesInput{LoadBalancerArn: aws.String("arn")})
			return err
		}, "LoadBalancerNotFound"},
		{"page too large", func() error {
			_, err := c.DescribeLoadBalancers(ctx, &elb.DescribeLoadBalancersInput{PageSize: aws.Int32(401)})
			return err
		}, "ValidationError"},
	}
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			if err := r.do(); code(err) != r.code {
				t.Errorf("got %v, want %s", err, r.code)
			}
		})
	}
	if got := must[*elb.DescribeLoadBalancersOutput](t)(c.DescribeLoadBalancers(ctx, &elb.DescribeLoadBalancersInput{})); len(got.LoadBalancers) != 1 {
		t.Errorf("%d load balancers after refused inputs", len(got.LoadBalancers))
	}
}
