package elbv2

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"neargate/internal/balancer/accesslog"
	"neargate/internal/model"
)

// loadBalancerAttributes are those of an application load balancer
// (API_LoadBalancerAttribute). Those of what is not here are taken for the sake of
// clients that set all.
func loadBalancerAttributes() []attribute {
	return []attribute{
		{key: "access_logs.s3.enabled", initial: "false", allows: boolean},
		{key: "access_logs.s3.bucket", allows: anything},
		{key: "access_logs.s3.prefix", allows: anything},
		{key: "client_keep_alive.seconds", initial: "3600", allows: within(60, 604800)},
		{key: "connection_logs.s3.enabled", initial: "false", allows: boolean},
		{key: "connection_logs.s3.bucket", allows: anything},
		{key: "connection_logs.s3.prefix", allows: anything},
		{key: "deletion_protection.enabled", initial: "false", allows: boolean},
		{key: "health_check_logs.s3.enabled", initial: "false", allows: boolean},
		{key: "health_check_logs.s3.bucket", allows: anything},
		{key: "health_check_logs.s3.prefix", allows: anything},
		{key: "idle_timeout.timeout_seconds", initial: "60", allows: within(1, 4000)},
		{key: "ipv6.deny_all_igw_traffic", initial: "false", allows: boolean, idle: "--public says who reaches load balancers by IPv6"},
		{key: "load_balancing.cross_zone.enabled", initial: "true", allows: oneOf("true")},
		{key: model.StrictAttribute, allows: boolean, ours: true},
		{key: "routing.http.desync_mitigation_mode", initial: "defensive", allows: oneOf("monitor", "defensive", "strictest")},
		{key: "routing.http.drop_invalid_header_fields.enabled", initial: "false", allows: boolean},
		{key: "routing.http.preserve_host_header.enabled", initial: "false", allows: boolean},
		{key: "routing.http.x_amzn_tls_version_and_cipher_suite.enabled", initial: "false", allows: boolean},
		{key: "routing.http.xff_client_port.enabled", initial: "false", allows: boolean},
		{key: "routing.http.xff_header_processing.mode", initial: "append", allows: oneOf("append", "preserve", "remove")},
		{key: "routing.http2.enabled", initial: "true", allows: boolean},
		{key: "waf.fail_open.enabled", initial: "false", allows: boolean, idle: "no web ACL can be associated"},
		{key: "zonal_shift.config.enabled", initial: "false", allows: boolean, idle: "there is one zone, and no shift away from it"},
	}
}

// describeLoadBalancerAttributes: codes ValidationError, LoadBalancerNotFound.
func (s *service) describeLoadBalancerAttributes(_ context.Context, in *elb.DescribeLoadBalancerAttributesInput) (*elb.DescribeLoadBalancerAttributesOutput, error) {
	lb, err := s.loadBalancer(in.LoadBalancerArn)
	if err != nil {
		return nil, err
	}
	return &elb.DescribeLoadBalancerAttributesOutput{Attributes: inOrder(loadBalancerAttributes(), lb.Attributes, showLBAttribute)}, nil
}

func showLBAttribute(key, value string) types.LoadBalancerAttribute {
	return types.LoadBalancerAttribute{Key: aws.String(key), Value: aws.String(value)}
}

// modifyLoadBalancerAttributes: codes ValidationError, LoadBalancerNotFound,
// InvalidConfigurationRequest.
func (s *service) modifyLoadBalancerAttributes(ctx context.Context, in *elb.ModifyLoadBalancerAttributesInput) (*elb.ModifyLoadBalancerAttributesOutput, error) {
	current, err := s.loadBalancer(in.LoadBalancerArn)
	if err != nil {
		return nil, err
	}
	pairs := make([]pair, len(in.Attributes))
	for i, a := range in.Attributes {
		pairs[i] = pair{aws.ToString(a.Key), aws.ToString(a.Value)}
	}
	next, err := changed("Load balancer", loadBalancerAttributes(), current.Attributes, pairs)
	if err == nil {
		err = s.checkLogs(ctx, next)
	}
	if err != nil {
		return nil, err
	}
	lb, err := s.lb.UpdateLoadBalancer(ctx, *in.LoadBalancerArn, func(lb *model.LoadBalancer) (err error) {
		lb.Attributes, err = changed("Load balancer", loadBalancerAttributes(), lb.Attributes, pairs)
		return err
	})
	if err != nil {
		return nil, err
	}
	return &elb.ModifyLoadBalancerAttributesOutput{Attributes: inOrder(loadBalancerAttributes(), lb.Attributes, showLBAttribute)}, nil
}

// checkLogs tries whether logs can be written where they are to go, as AWS does.
// ValidationError, InvalidConfigurationRequest.
func (s *service) checkLogs(ctx context.Context, attributes map[string]string) error {
	for kind := range accesslog.Kinds {
		of := kind.Attribute()
		if attributes[of+"enabled"] != "true" {
			continue
		}
		bucket := attributes[of+"bucket"]
		if bucket == "" {
			return invalid("The attribute '%sbucket' must be set when '%senabled' is 'true'", of, of)
		}
		if s.lb.TryLog(ctx, kind, bucket, attributes[of+"prefix"]) != nil {
			return model.Errorf(model.Invalid, "InvalidConfigurationRequest", "Access Denied for bucket: %s. Please check S3bucket permission", bucket)
		}
	}
	return nil
}
