package elbv2_test

import (
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"neargate/internal/aws/elbv2"
	"neargate/internal/decide/handshake"
)

func arns(list ...string) (out []types.Certificate) {
	for _, arn := range list {
		out = append(out, types.Certificate{CertificateArn: aws.String(arn)})
	}
	return out
}

func TestHTTPSListeners(t *testing.T) {
	c, ctx := dialWith(t, elbv2.Config{Place: place}, shelf(t, "one", "two", "three")), t.Context()
	lb := must[*elb.CreateLoadBalancerOutput](t)(c.CreateLoadBalancer(ctx, loadBalancerInput("web"))).LoadBalancers[0]
	input := func(change func(*elb.CreateListenerInput)) *elb.CreateListenerInput {
		in := &elb.CreateListenerInput{
			LoadBalancerArn: lb.LoadBalancerArn, Protocol: types.ProtocolEnumHttps, Port: freePort(t), Certificates: arns("one"), DefaultActions: fixed("200", "x"),
		}
		change(in)
		return in
	}
	for name, row := range map[string]struct {
		change func(*elb.CreateListenerInput)
		code   string
	}{
		"no certificate":      {func(in *elb.CreateListenerInput) { in.Certificates = nil }, "ValidationError"},
		"two certificates":    {func(in *elb.CreateListenerInput) { in.Certificates = arns("one", "two") }, "ValidationError"},
		"a default said":      {func(in *elb.CreateListenerInput) { in.Certificates[0].IsDefault = aws.Bool(true) }, "ValidationError"},
		"unknown certificate": {func(in *elb.CreateListenerInput) { in.Certificates = arns("four") }, "CertificateNotFound"},
		"of IAM": {func(in *elb.CreateListenerInput) {
			in.Certificates = arns("arn:aws:iam::000000000000:server-certificate/x")
		}, "UnsupportedCertificate"},
		"unknown policy": {func(in *elb.CreateListenerInput) { in.SslPolicy = aws.String("ELBSecurityPolicy-1999") }, "SSLPolicyNotFound"},
		"ALPN":           {func(in *elb.CreateListenerInput) { in.AlpnPolicy = []string{"HTTP2Preferred"} }, "InvalidConfigurationRequest"},
		"redirect to HTTP": {func(in *elb.CreateListenerInput) {
			in.DefaultActions = []types.Action{{Type: types.ActionTypeEnumRedirect, RedirectConfig: &types.RedirectActionConfig{
				Protocol: aws.String("HTTP"), Port: aws.String("80"), StatusCode: types.RedirectActionStatusCodeEnumHttp301,
			}}}
		}, "InvalidLoadBalancerAction"},
		"HTTP with them": {func(in *elb.CreateListenerInput) { in.Protocol = types.ProtocolEnumHttp }, "ValidationError"},
		"TLS":            {func(in *elb.CreateListenerInput) { in.Protocol = types.ProtocolEnumTls }, "UnsupportedProtocol"},
	} {
		if _, err := c.CreateListener(ctx, input(row.change)); code(err) != row.code {
			t.Errorf("%s: got %v, want %s", name, err, row.code)
		}
	}
	l := must[*elb.CreateListenerOutput](t)(c.CreateListener(ctx, input(func(*elb.CreateListenerInput) {}))).Listeners[0]
	if *l.SslPolicy != handshake.DefaultPolicy || len(l.Certificates) != 1 || *l.Certificates[0].CertificateArn != "one" || *l.MutualAuthentication.Mode != "off" {
		t.Errorf("created %+v", l)
	}
	if _, err := c.CreateListener(ctx, input(func(in *elb.CreateListenerInput) {
		in.SslPolicy = aws.String("ELBSecurityPolicy-TLS13-1-2-FIPS-2023-04")
	})); code(err) != "InvalidConfigurationRequest" {
		t.Errorf("FIPS beside others: %v", err)
	}
	shown := func() (all []string) {
		t.Helper()
		for _, c := range must[*elb.DescribeListenerCertificatesOutput](t)(c.DescribeListenerCertificates(ctx, &elb.DescribeListenerCertificatesInput{ListenerArn: l.ListenerArn})).Certificates {
			name := *c.CertificateArn
			if *c.IsDefault {
				name += "*"
			}
			all = append(all, name)
		}
		return all
	}
	added := must[*elb.AddListenerCertificatesOutput](t)(c.AddListenerCertificates(ctx, &elb.AddListenerCertificatesInput{ListenerArn: l.ListenerArn, Certificates: arns("two", "three", "two")}))
	if got := shown(); len(added.Certificates) != 2 || !slices.Equal(got, []string{"one*", "two", "three"}) {
		t.Errorf("added %v, there are %v", added.Certificates, got)
	}
	for name, err := range map[string]error{
		"CertificateNotFound": func() error {
			_, err := c.AddListenerCertificates(ctx, &elb.AddListenerCertificatesInput{ListenerArn: l.ListenerArn, Certificates: arns("four")})
			return err
		}(),
		"OperationNotPermitted": func() error {
			_, err := c.RemoveListenerCertificates(ctx, &elb.RemoveListenerCertificatesInput{ListenerArn: l.ListenerArn, Certificates: arns("one")})
			return err
		}(),
	} {
		if code(err) != name {
			t.Errorf("got %v, want %s", err, name)
		}
	}
	must[*elb.RemoveListenerCertificatesOutput](t)(c.RemoveListenerCertificates(ctx, &elb.RemoveListenerCertificatesInput{ListenerArn: l.ListenerArn, Certificates: arns("two")}))
	changed := must[*elb.ModifyListenerOutput](t)(c.ModifyListener(ctx, &elb.ModifyListenerInput{
		ListenerArn: l.ListenerArn, Certificates: arns("two"), SslPolicy: aws.String("ELBSecurityPolicy-TLS13-1-3-2021-06"),
	})).Listeners[0]
	if got := shown(); *changed.SslPolicy != "ELBSecurityPolicy-TLS13-1-3-2021-06" || !slices.Equal(got, []string{"two*", "three"}) {
		t.Errorf("changed to %+v with %v", changed, got)
	}
	plain := must[*elb.ModifyListenerOutput](t)(c.ModifyListener(ctx, &elb.ModifyListenerInput{ListenerArn: l.ListenerArn, Protocol: types.ProtocolEnumHttp})).Listeners[0]
	if plain.SslPolicy != nil || len(plain.Certificates) > 0 || plain.Protocol != types.ProtocolEnumHttp {
		t.Errorf("changed to %+v", plain)
	}
	if _, err := c.ModifyListener(ctx, &elb.ModifyListenerInput{ListenerArn: l.ListenerArn, Protocol: types.ProtocolEnumHttps}); code(err) != "ValidationError" {
		t.Errorf("HTTPS without a certificate: %v", err)
	}
}

func TestDescribeSSLPolicies(t *testing.T) {
	c, ctx := dial(t), t.Context()
	all := must[*elb.DescribeSSLPoliciesOutput](t)(c.DescribeSSLPolicies(ctx, &elb.DescribeSSLPoliciesInput{LoadBalancerType: types.LoadBalancerTypeEnumApplication})).SslPolicies
	if len(all) != len(handshake.Policies()) {
		t.Errorf("there are %d", len(all))
	}
	one := must[*elb.DescribeSSLPoliciesOutput](t)(c.DescribeSSLPolicies(ctx, &elb.DescribeSSLPoliciesInput{Names: []string{"ELBSecurityPolicy-TLS13-1-2-Res-2021-06"}})).SslPolicies[0]
	if !slices.Equal(one.SslProtocols, []string{"TLSv1.3", "TLSv1.2"}) || *one.Ciphers[3].Name != "ECDHE-ECDSA-AES128-GCM-SHA256" || *one.Ciphers[3].Priority != 4 {
		t.Errorf("got %+v", one)
	}
	if _, err := c.DescribeSSLPolicies(ctx, &elb.DescribeSSLPoliciesInput{Names: []string{"x"}}); code(err) != "SSLPolicyNotFound" {
		t.Errorf("got %v", err)
	}
}
