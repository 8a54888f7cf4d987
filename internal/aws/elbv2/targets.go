package elbv2

import (
	"context"
	"net/netip"
	"slices"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"neargate/internal/model"
)

// registerTargets: codes ValidationError, TargetGroupNotFound, TooManyTargets.
func (s *service) registerTargets(ctx context.Context, in *elb.RegisterTargetsInput) (*elb.RegisterTargetsOutput, error) {
	tg, err := s.targetGroup(in.TargetGroupArn)
	if err != nil {
		return nil, err
	}
	targets, err := s.readTargets(tg, in.Targets)
	if err != nil {
		return nil, err
	}
	known, err := s.lb.TargetHealth(tg.ARN)
	if err != nil {
		return nil, err
	}
	if len(known)+len(targets) > maxTargets {
		return nil, model.Errorf(model.Throttled, "TooManyTargets", "The maximum number of targets per target group has been reached")
	}
	if err := s.lb.RegisterTargets(ctx, tg.ARN, targets); err != nil {
		return nil, err
	}
	return &elb.RegisterTargetsOutput{}, nil
}

// deregisterTargets: codes ValidationError, TargetGroupNotFound.
func (s *service) deregisterTargets(ctx context.Context, in *elb.DeregisterTargetsInput) (*elb.DeregisterTargetsOutput, error) {
	tg, err := s.targetGroup(in.TargetGroupArn)
	if err != nil {
		return nil, err
	}
	targets, err := s.readTargets(tg, in.Targets)
	if err != nil {
		return nil, err
	}
	if err := s.lb.DeregisterTargets(ctx, tg.ARN, targets); err != nil {
		return nil, err
	}
	return &elb.DeregisterTargetsOutput{}, nil
}

// readTargets checks targets.
func (s *service) readTargets(tg model.TargetGroup, in []types.TargetDescription) ([]model.Target, error) {
	if len(in) == 0 {
		return nil, invalid("At least one target must be specified")
	}
	out := make([]model.Target, len(in))
	for i, t := range in {
		ip, err := netip.ParseAddr(aws.ToString(t.Id))
		if err != nil || !ip.Is4() {
			return nil, invalid("The IP address '%s' is not a valid IPv4 address", aws.ToString(t.Id))
		}
		if err := s.checkTarget(tg, ip); err != nil {
			return nil, err
		}
		port, err := number("targets.port", t.Port, 1, 65535, int32(tg.Port))
		if err != nil {
			return nil, err
		}
		out[i] = model.Target{IP: ip.String(), Port: port}
	}
	return out, nil
}

// checkTarget takes addresses of the VPC's subnets, private ones, and loopback
// ones, as there may be programs worth balancing on this machine itself.
func (s *service) checkTarget(tg model.TargetGroup, ip netip.Addr) error {
	within, placed := false, false
	if s.cfg.Holds != nil {
		within, placed = s.cfg.Holds(tg.VpcID, ip)
	}
	carrierGrade := netip.MustParsePrefix("100.64.0.0/10") // RFC 6598; ELB takes it beside the private ones
	switch {
	case placed:
		return nil
	case within:
		return invalid("The IP address '%s' is within the VPC, but is not within a VPC subnet so it can't be registered", ip)
	case !ip.IsPrivate() && !ip.IsLoopback() && !carrierGrade.Contains(ip):
		return invalid("The IP address '%s' is not allowed, as it must be an address from a VPC subnet, RFC1918, or RFC6598", ip)
	}
	return nil
}

// describeTargetHealth: codes ValidationError, TargetGroupNotFound. A target
// that is asked for and not registered is shown as unused.
func (s *service) describeTargetHealth(_ context.Context, in *elb.DescribeTargetHealthInput) (*elb.DescribeTargetHealthOutput, error) {
	tg, err := s.targetGroup(in.TargetGroupArn)
	if err != nil {
		return nil, err
	}
	targets, err := s.lb.TargetHealth(tg.ARN)
	if err != nil {
		return nil, err
	}
	if len(in.Targets) > 0 {
		wanted, err := s.readTargets(tg, in.Targets)
		if err != nil {
			return nil, err
		}
		targets = pickHealth(targets, wanted)
	}
	out := &elb.DescribeTargetHealthOutput{TargetHealthDescriptions: []types.TargetHealthDescription{}}
	for _, t := range targets {
		shown := s.showTarget(tg, t)
		if wantsAnomalies(in.Include) {
			shown.AnomalyDetection = showAnomaly(t)
		}
		out.TargetHealthDescriptions = append(out.TargetHealthDescriptions, shown)
	}
	return out, nil
}

func pickHealth(known []model.TargetHealth, wanted []model.Target) []model.TargetHealth {
	out := make([]model.TargetHealth, len(wanted))
	for i, w := range wanted {
		j := slices.IndexFunc(known, func(k model.TargetHealth) bool { return k.Target == w })
		if j >= 0 {
			out[i] = known[j]
			continue
		}
		out[i] = model.TargetHealth{
			Target: w, State: "unused",
			Reason: "Target.NotRegistered", Description: "Target is not registered to the target group",
		}
	}
	return out
}

func (s *service) showTarget(tg model.TargetGroup, t model.TargetHealth) types.TargetHealthDescription {
	port := tg.HealthCheck.Port
	if port == "traffic-port" {
		port = strconv.Itoa(t.Port)
	}
	out := types.TargetHealthDescription{
		HealthCheckPort: aws.String(port),
		Target: &types.TargetDescription{
			Id: aws.String(t.IP), Port: aws.Int32(int32(t.Port)), AvailabilityZone: aws.String(s.cfg.Place.Region + "a"),
		},
		TargetHealth: &types.TargetHealth{
			State: types.TargetHealthStateEnum(t.State), Reason: types.TargetHealthReasonEnum(t.Reason), Description: optional(t.Description),
		},
	}
	if t.State != "unused" {
		out.AdministrativeOverride = &types.AdministrativeOverride{
			State: types.TargetAdministrativeOverrideStateEnumNoOverride, Reason: types.TargetAdministrativeOverrideReasonEnumNoOverrideEngaged,
			Description: aws.String("No override is currently active on target"),
		}
	}
	return out
}

func wantsAnomalies(include []types.DescribeTargetHealthInputIncludeEnum) bool {
	return slices.Contains(include, types.DescribeTargetHealthInputIncludeEnumAnomaly) ||
		slices.Contains(include, types.DescribeTargetHealthInputIncludeEnumAll)
}

func showAnomaly(t model.TargetHealth) *types.AnomalyDetection {
	out := &types.AnomalyDetection{Result: types.AnomalyResultEnumNormal, MitigationInEffect: types.MitigationInEffectEnumNo}
	if t.Anomalous {
		out.Result = types.AnomalyResultEnumAnomalous
	}
	if t.Mitigated {
		out.MitigationInEffect = types.MitigationInEffectEnumYes
	}
	return out
}
