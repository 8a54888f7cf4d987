package balancer

import (
	"context"

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

// SetForwards has a rule, perhaps a default rule, send requests to target groups
// and nowhere else. Codes: RuleNotFound, TargetGroupNotFound,
// TargetGroupAssociationLimit.
func (b *Balancer) SetForwards(ctx context.Context, ruleARN string, groups []model.WeightedTargetGroup) error {
	actions := []model.Action{{Type: "forward", Forward: groups}}
	r, ok := b.Rule(ruleARN)
	switch {
	case !ok:
		return errNoRule()
	case r.Priority == 0:
		_, err := b.UpdateListener(ctx, r.ListenerARN, func(l *model.Listener) error {
			l.DefaultActions = actions
			return nil
		})
		return err
	}
	_, err := b.UpdateRule(ctx, ruleARN, func(r *model.Rule) error {
		r.Actions = actions
		return nil
	})
	return err
}
