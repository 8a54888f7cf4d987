package elbv2

import (
	"context"
	"fmt"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"neargate/internal/model"
)

// createRule: codes ValidationError, ListenerNotFound, PriorityInUse,
// TargetGroupNotFound, TargetGroupAssociationLimit, TooManyRules,
// TooManyTargetGroups, InvalidLoadBalancerAction, TooManyTags,
// DuplicateTagKeys, InvalidConfigurationRequest.
func (s *service) createRule(ctx context.Context, in *elb.CreateRuleInput) (*elb.CreateRuleOutput, error) {
	l, err := s.listener(in.ListenerArn)
	if err != nil {
		return nil, err
	}
	r := model.Rule{ListenerARN: l.ARN}
	if in.Priority == nil {
		return nil, invalid("A rule priority must be specified")
	}
	if r.Priority, err = number("priority", in.Priority, 1, 50000, 0); err != nil {
		return nil, err
	}
	if r.Transforms, err = readTransforms(in.Transforms); err != nil {
		return nil, err
	}
	if r.Conditions, err = readConditions(in.Conditions); err != nil {
		return nil, err
	}
	if r.Actions, err = s.readActions(in.Actions); err != nil {
		return nil, err
	}
	if err = checkProtocol(l.Protocol, r.Actions); err != nil {
		return nil, err
	}
	if r.Tags, err = mergeTags(nil, in.Tags); err != nil {
		return nil, err
	}
	if s.ruleCount(l.LoadBalancerARN) >= maxRules {
		return nil, model.Errorf(model.Throttled, "TooManyRules", "The maximum number of rules per load balancer has been reached")
	}
	if r, err = s.lb.CreateRule(ctx, r); err != nil {
		return nil, err
	}
	return &elb.CreateRuleOutput{Rules: []types.Rule{showRule(r)}}, nil
}

// ruleCount counts a load balancer's rules without default rules.
func (s *service) ruleCount(lbARN string) (n int) {
	for _, l := range s.lb.Listeners(lbARN) {
		n += len(s.lb.Rules(l.ARN)) - 1
	}
	return n
}

// modifyRule: codes RuleNotFound, OperationNotPermitted and those of createRule.
func (s *service) modifyRule(ctx context.Context, in *elb.ModifyRuleInput) (*elb.ModifyRuleOutput, error) {
	arn, err := required("ruleArn", in.RuleArn)
	if err != nil {
		return nil, err
	}
	reset := aws.ToBool(in.ResetTransforms)
	if reset && len(in.Transforms) > 0 {
		return nil, invalid("You cannot specify both Transforms and ResetTransforms")
	}
	transforms, err := readTransforms(in.Transforms)
	if err != nil {
		return nil, err
	}
	var conditions []model.Condition
	if len(in.Conditions) > 0 {
		if conditions, err = readConditions(in.Conditions); err != nil {
			return nil, err
		}
	}
	var actions []model.Action
	if len(in.Actions) > 0 {
		if actions, err = s.readActions(in.Actions); err != nil {
			return nil, err
		}
	}
	r, err := s.lb.UpdateRule(ctx, arn, func(r *model.Rule) error {
		if l, ok := s.lb.Listener(r.ListenerARN); ok {
			if err := checkProtocol(l.Protocol, actions); err != nil {
				return err
			}
		}
		if conditions != nil {
			r.Conditions = conditions
		}
		if actions != nil {
			r.Actions = actions
		}
		if transforms != nil || reset {
			r.Transforms = transforms
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &elb.ModifyRuleOutput{Rules: []types.Rule{showRule(r)}}, nil
}

// deleteRule: codes ValidationError, RuleNotFound, OperationNotPermitted.
func (s *service) deleteRule(ctx context.Context, in *elb.DeleteRuleInput) (*elb.DeleteRuleOutput, error) {
	arn, err := required("ruleArn", in.RuleArn)
	if err != nil {
		return nil, err
	}
	if err := s.lb.DeleteRule(ctx, arn); err != nil {
		return nil, err
	}
	return &elb.DeleteRuleOutput{}, nil
}

// setRulePriorities: codes ValidationError, RuleNotFound,
// OperationNotPermitted, PriorityInUse.
func (s *service) setRulePriorities(ctx context.Context, in *elb.SetRulePrioritiesInput) (*elb.SetRulePrioritiesOutput, error) {
	if len(in.RulePriorities) == 0 {
		return nil, invalid("At least one rule priority must be specified")
	}
	priorities := map[string]int{}
	for _, p := range in.RulePriorities {
		arn, err := required("ruleArn", p.RuleArn)
		if err != nil {
			return nil, err
		}
		if _, twice := priorities[arn]; twice {
			return nil, invalid("Rule '%s' cannot be specified more than once", arn)
		}
		if p.Priority == nil {
			return nil, invalid("A rule priority must be specified")
		}
		if priorities[arn], err = number("priority", p.Priority, 1, 50000, 0); err != nil {
			return nil, err
		}
	}
	rules, err := s.lb.SetRulePriorities(ctx, priorities)
	if err != nil {
		return nil, err
	}
	out := &elb.SetRulePrioritiesOutput{}
	for _, r := range rules {
		out.Rules = append(out.Rules, showRule(r))
	}
	return out, nil
}

// describeRules: codes ValidationError, ListenerNotFound, RuleNotFound.
func (s *service) describeRules(_ context.Context, in *elb.DescribeRulesInput) (*elb.DescribeRulesOutput, error) {
	all, err := s.wantedRules(in)
	if err != nil {
		return nil, err
	}
	order := func(r model.Rule) string {
		if r.Priority == 0 {
			return r.ListenerARN + " default"
		}
		return fmt.Sprintf("%s %05d", r.ListenerARN, r.Priority)
	}
	rules, next, err := page(all, order, in.Marker, in.PageSize)
	if err != nil {
		return nil, err
	}
	out := &elb.DescribeRulesOutput{NextMarker: next, Rules: []types.Rule{}}
	for _, r := range rules {
		out.Rules = append(out.Rules, showRule(r))
	}
	return out, nil
}

func (s *service) wantedRules(in *elb.DescribeRulesInput) ([]model.Rule, error) {
	if len(in.RuleArns) == 0 {
		if in.ListenerArn == nil {
			return nil, invalid("You must specify either listener ARN or rule ARNs")
		}
		l, err := s.listener(in.ListenerArn)
		if err != nil {
			return nil, err
		}
		return s.lb.Rules(l.ARN), nil
	}
	var all []model.Rule
	for _, l := range s.lb.Listeners("") {
		all = append(all, s.lb.Rules(l.ARN)...)
	}
	all, missing := only(all, in.RuleArns, func(r model.Rule) string { return r.ARN })
	if missing != "" {
		return nil, model.Errorf(model.NotFound, "RuleNotFound", "One or more rules not found")
	}
	return all, nil
}

func showRule(r model.Rule) types.Rule {
	priority := strconv.Itoa(r.Priority)
	if r.Priority == 0 {
		priority = "default"
	}
	return types.Rule{
		Actions:    showActions(r.Actions),
		Conditions: showConditions(r.Conditions),
		IsDefault:  aws.Bool(r.Priority == 0),
		Priority:   aws.String(priority),
		RuleArn:    aws.String(r.ARN),
		Transforms: showTransforms(r.Transforms),
	}
}
