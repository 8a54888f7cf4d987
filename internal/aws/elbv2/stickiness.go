package elbv2

import (
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"neargate/internal/decide/routing"
	"neargate/internal/model"
)

// maxStickiness is how long a client can stay, in seconds.
const maxStickiness = 604800

// readGroupStickiness returns for how long a forward action keeps a client at one of
// its target groups; 0 for not at all.
func readGroupStickiness(in *types.TargetGroupStickinessConfig) (time.Duration, error) {
	if in == nil || !aws.ToBool(in.Enabled) {
		return 0, nil
	}
	if in.DurationSeconds == nil {
		return 0, invalid("A target group stickiness duration must be specified when target group stickiness is enabled")
	}
	seconds, err := number("durationSeconds", in.DurationSeconds, 1, maxStickiness, 0)
	return time.Duration(seconds) * time.Second, err
}

func showGroupStickiness(d time.Duration) *types.TargetGroupStickinessConfig {
	if d == 0 {
		return &types.TargetGroupStickinessConfig{Enabled: aws.Bool(false)}
	}
	return &types.TargetGroupStickinessConfig{Enabled: aws.Bool(true), DurationSeconds: aws.Int32(int32(d / time.Second))}
}

// cookieName reports whether an application's cookie can have the name: a token that
// is not ELB's own (sticky-sessions).
func cookieName(v string) bool {
	return !strings.HasPrefix(v, routing.TargetCookie) && len(v) <= 256 && !strings.ContainsFunc(v, notInToken)
}

// checkSticky refuses actions that spread clients over several target groups, one of
// which binds them to its targets. InvalidLoadBalancerAction.
func (s *service) checkSticky(actions []model.Action) error {
	for _, a := range actions {
		if a.Sticky > 0 || len(a.Forward) < 2 {
			continue
		}
		for _, w := range a.Forward {
			if tg, ok := s.lb.TargetGroup(w.TargetGroupARN); ok && tg.Attributes[stickyEnabled] == "true" {
				return model.Errorf(model.Invalid, "InvalidLoadBalancerAction",
					"You must enable group stickiness on a rule if you enabled target stickiness on one of its target groups")
			}
		}
	}
	return nil
}

// checkStickyRules refuses that a target group binds clients which a rule spreads
// over it and others. InvalidConfigurationRequest.
func (s *service) checkStickyRules(arn string) error {
	for _, l := range s.lb.Listeners("") {
		for _, r := range s.lb.Rules(l.ARN) {
			for _, a := range r.Actions {
				if a.Sticky == 0 && len(a.Forward) > 1 && forwardsTo(a, arn) {
					return conflict("This target group appears behind a rule with group stickiness disabled (%s). You must enable group stickiness before enabling target stickiness", r.ARN)
				}
			}
		}
	}
	return nil
}

func forwardsTo(a model.Action, arn string) bool {
	for _, w := range a.Forward {
		if w.TargetGroupARN == arn {
			return true
		}
	}
	return false
}
