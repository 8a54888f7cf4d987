package elbv2

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"neargate/internal/decide/health"
	"neargate/internal/model"
)

// modifyTargetGroup changes the health check: codes ValidationError,
// TargetGroupNotFound, InvalidConfigurationRequest.
func (s *service) modifyTargetGroup(ctx context.Context, in *elb.ModifyTargetGroupInput) (*elb.ModifyTargetGroupOutput, error) {
	arn, err := required("targetGroupArn", in.TargetGroupArn)
	if err != nil {
		return nil, err
	}
	tg, err := s.lb.UpdateTargetGroup(ctx, arn, func(tg *model.TargetGroup) (err error) {
		tg.HealthCheck, err = changedHealthCheck(tg.HealthCheck, tg.ProtocolVersion, healthCheckInput{
			in.HealthCheckEnabled, in.HealthCheckProtocol, in.HealthCheckPort, in.HealthCheckPath,
			in.HealthCheckIntervalSeconds, in.HealthCheckTimeoutSeconds, in.HealthyThresholdCount, in.UnhealthyThresholdCount, in.Matcher,
		})
		return err
	})
	if err != nil {
		return nil, err
	}
	return &elb.ModifyTargetGroupOutput{TargetGroups: []types.TargetGroup{s.showTargetGroup(tg)}}, nil
}

// healthCheckInput is the part about the health check that two operations have.
type healthCheckInput struct {
	enabled            *bool
	protocol           types.ProtocolEnum
	port, path         *string
	interval, timeout  *int32
	healthy, unhealthy *int32
	matcher            *types.Matcher
}

// defaultHealthCheck is that of an ip target group (target-group-health-checks).
func defaultHealthCheck(version string) model.HealthCheck {
	hc := model.HealthCheck{
		Enabled: true, Protocol: "HTTP", Port: "traffic-port", Path: "/",
		Interval: 30 * time.Second, Timeout: 5 * time.Second,
		HealthyThreshold: 5, UnhealthyThreshold: 2, Matcher: "200",
	}
	if version == "GRPC" {
		hc.Path, hc.Matcher = "/AWS.ALB/healthcheck", "12"
	}
	return hc
}

// changedHealthCheck returns hc, of a target group of a protocol version, with what is
// set in an input.
func changedHealthCheck(hc model.HealthCheck, version string, in healthCheckInput) (model.HealthCheck, error) {
	if in.enabled != nil && !*in.enabled {
		return hc, invalid("Health check enabled must be true for target groups with target type 'ip'")
	}
	switch in.protocol {
	case "":
	case types.ProtocolEnumHttp, types.ProtocolEnumHttps:
		hc.Protocol = string(in.protocol)
	default:
		return hc, invalid("Health check protocol '%s' must be one of 'HTTP', 'HTTPS'", in.protocol)
	}
	var err error
	if in.matcher != nil {
		if hc.Matcher, err = matcherOf(in.matcher, version); err != nil {
			return hc, err
		}
	}
	if hc, err = probeAddress(hc, in); err != nil {
		return hc, err
	}
	return probeNumbers(hc, in)
}

// matcherOf returns the codes that a health check takes: of gRPC where the target
// group speaks that, else of HTTP.
func matcherOf(m *types.Matcher, version string) (string, error) {
	if version == "GRPC" {
		codes := aws.ToString(m.GrpcCode)
		if m.HttpCode != nil {
			return "", invalid("HTTP codes cannot be matched for target groups with protocol version 'GRPC'")
		}
		if health.CheckGRPCMatcher(codes) != nil {
			return "", invalid("Health check matcher GRPC code '%s' must be within '0-99' inclusive", codes)
		}
		return codes, nil
	}
	codes := aws.ToString(m.HttpCode)
	if m.GrpcCode != nil {
		return "", invalid("GRPC codes can be matched only for target groups with protocol version 'GRPC'")
	}
	if health.CheckMatcher(codes) != nil {
		return "", invalid("Health check matcher HTTP code '%s' must be within '200-499' inclusive", codes)
	}
	return codes, nil
}

func probeAddress(hc model.HealthCheck, in healthCheckInput) (model.HealthCheck, error) {
	if in.port != nil {
		n, err := strconv.Atoi(*in.port)
		if *in.port != "traffic-port" && (err != nil || n < 1 || n > 65535) {
			return hc, invalid("Health check port '%s' must be in the range 1-65535 or 'traffic-port'", *in.port)
		}
		hc.Port = *in.port
	}
	if in.path != nil {
		if !strings.HasPrefix(*in.path, "/") || len(*in.path) > 1024 || !printable(*in.path) {
			return hc, invalid("Health check path '%s' must begin with '/' and have at most 1024 printable characters", *in.path)
		}
		hc.Path = *in.path
	}
	return hc, nil
}

// printable reports whether s can stand in a request line.
func printable(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' })
}

func probeNumbers(hc model.HealthCheck, in healthCheckInput) (model.HealthCheck, error) {
	interval, err := number("healthCheckIntervalSeconds", in.interval, 5, 300, int32(hc.Interval/time.Second))
	if err != nil {
		return hc, err
	}
	timeout, err := number("healthCheckTimeoutSeconds", in.timeout, 2, 120, int32(hc.Timeout/time.Second))
	if err != nil {
		return hc, err
	}
	if timeout >= interval && (in.timeout != nil || in.interval != nil) {
		return hc, invalid("Health check interval must be greater than the timeout.")
	}
	if hc.HealthyThreshold, err = number("healthyThresholdCount", in.healthy, 2, 10, int32(hc.HealthyThreshold)); err != nil {
		return hc, err
	}
	if hc.UnhealthyThreshold, err = number("unhealthyThresholdCount", in.unhealthy, 2, 10, int32(hc.UnhealthyThreshold)); err != nil {
		return hc, err
	}
	hc.Interval, hc.Timeout = time.Duration(interval)*time.Second, time.Duration(timeout)*time.Second
	return hc, nil
}
