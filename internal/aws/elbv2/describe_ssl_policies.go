package elbv2

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"neargate/internal/decide/handshake"
)

// describeSSLPolicies: codes ValidationError, SSLPolicyNotFound.
func (s *service) describeSSLPolicies(_ context.Context, in *elb.DescribeSSLPoliciesInput) (*elb.DescribeSSLPoliciesOutput, error) {
	all := handshake.Policies()
	switch in.LoadBalancerType {
	case "", types.LoadBalancerTypeEnumApplication, types.LoadBalancerTypeEnumNetwork:
	default:
		all = nil
	}
	if len(in.Names) > 0 {
		var named []handshake.Policy
		for _, name := range in.Names {
			p, ok := handshake.Lookup(name)
			if !ok {
				return nil, noPolicy(name)
			}
			named = append(named, p)
		}
		all = named
	}
	shown, next, err := page(all, func(p handshake.Policy) string { return p.Name }, in.Marker, in.PageSize)
	if err != nil {
		return nil, err
	}
	out := &elb.DescribeSSLPoliciesOutput{SslPolicies: []types.SslPolicy{}, NextMarker: next}
	for _, p := range shown {
		out.SslPolicies = append(out.SslPolicies, showPolicy(p))
	}
	return out, nil
}

func showPolicy(p handshake.Policy) types.SslPolicy {
	out := types.SslPolicy{
		Name: aws.String(p.Name), SslProtocols: p.Protocols,
		SupportedLoadBalancerTypes: []string{string(types.LoadBalancerTypeEnumApplication), string(types.LoadBalancerTypeEnumNetwork)},
	}
	for i, name := range p.Ciphers {
		out.Ciphers = append(out.Ciphers, types.Cipher{Name: aws.String(name), Priority: aws.Int32(int32(i + 1))})
	}
	return out
}
