package scheduler

import (
	"context"

	"neargate/internal/decide/rollout/strategy"
	"neargate/internal/model"
)

// rules is the balancer's side of listener rules.
type rules interface {
	// Forwards returns where a listener rule sends requests, with weights. Codes:
	// RuleNotFound.
	Forwards(rule string) ([]model.WeightedTargetGroup, error)
	// SetForwards sets the weights of groups in a listener rule that sends requests
	// to none but them. Codes: RuleNotFound, ResourceInUse: it leads elsewhere.
	SetForwards(ctx context.Context, rule string, groups []model.WeightedTargetGroup) error
}

// rulesOf returns where the listener rules of a service's primary deployment
// lead.
func (o *owner) rulesOf(svc model.Service) strategy.Rules {
	found := strategy.Rules{}
	for _, lb := range svc.Deployments[0].LoadBalancers {
		for _, rule := range []string{lb.ProductionRule, lb.TestRule} {
			if rule == "" {
				continue
			}
			if groups, err := o.s.carrier.rules.Forwards(rule); err == nil {
				found[rule] = groups
			}
		}
	}
	return found
}

// traffic reads what the listener rules say of the primary deployment.
func (o *owner) traffic(svc model.Service) strategy.Traffic {
	if !underway(svc) {
		return strategy.Traffic{}
	}
	return strategy.Read(svc, o.rulesOf(svc))
}
