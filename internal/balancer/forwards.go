package balancer

import (
	"context"
	"slices"

	"neargate/internal/model"
)

// Forwards returns the target groups to which a rule, perhaps a default rule,
// sends requests, with their weights; none when it does something else. Codes:
// RuleNotFound.
func (b *Balancer) Forwards(ruleARN string) ([]model.WeightedTargetGroup, error) {
	r, ok := b.Rule(ruleARN)
	if !ok {
		return nil, errNoRule()
	}
	for _, a := range r.Actions {
		if len(a.Forward) > 0 {
			return a.Forward, nil
		}
	}
	return nil, nil
}

// SetForwards sets the weights of target groups in a rule, perhaps a default
// rule, that sends requests to none but them. What somebody has led elsewhere
// stays as it is. Codes: RuleNotFound, TargetGroupNotFound,
// TargetGroupAssociationLimit, ResourceInUse: the rule leads elsewhere.
func (b *Balancer) SetForwards(ctx context.Context, ruleARN string, groups []model.WeightedTargetGroup) error {
	r, ok := b.Rule(ruleARN)
	switch {
	case !ok:
		return errNoRule()
	case r.Priority == 0:
		_, err := b.UpdateListener(ctx, r.ListenerARN, func(l *model.Listener) (err error) {
			l.DefaultActions, err = reweighed(ruleARN, l.DefaultActions, groups)
			return err
		})
		return err
	}
	_, err := b.UpdateRule(ctx, ruleARN, func(r *model.Rule) (err error) {
		r.Actions, err = reweighed(ruleARN, r.Actions, groups)
		return err
	})
	return err
}

// reweighed returns the actions of a rule with the weights of groups, when they
// send requests to those groups alone. Other groups without weight stay.
func reweighed(ruleARN string, actions []model.Action, groups []model.WeightedTargetGroup) ([]model.Action, error) {
	i := slices.IndexFunc(actions, func(a model.Action) bool { return len(a.Forward) > 0 })
	if i < 0 {
		return nil, errLeadsElsewhere(ruleARN)
	}
	among := func(all []model.WeightedTargetGroup, arn string) bool {
		return slices.ContainsFunc(all, func(g model.WeightedTargetGroup) bool { return g.TargetGroupARN == arn })
	}
	forward, known := slices.Clone(groups), false
	for _, g := range actions[i].Forward {
		switch {
		case among(groups, g.TargetGroupARN):
			known = true
		case g.Weight > 0:
			return nil, errLeadsElsewhere(ruleARN)
		default:
			forward = append(forward, g)
		}
	}
	if !known {
		return nil, errLeadsElsewhere(ruleARN)
	}
	actions = slices.Clone(actions)
	actions[i].Forward = forward
	return actions, nil
}
