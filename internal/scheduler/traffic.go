package scheduler

import (
	"cmp"
	"context"
	"fmt"

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

// routed are the load balancers of a service between whose target groups traffic
// is shifted, each with the group of the primary deployment first: the one that
// it has, or that it will have.
func (o *owner) routed(svc model.Service) []model.ServiceLoadBalancer {
	var all []model.ServiceLoadBalancer
	if len(svc.Deployments) == 0 || !svc.Deployments[0].Strategy.Shifts() {
		return nil
	}
	d := svc.Deployments[0]
	for _, lb := range d.LoadBalancers {
		if lb.AlternateARN == "" {
			continue
		}
		if !d.Progress.Placed && o.taken(svc, lb) {
			lb = lb.Alternating()
		}
		all = append(all, lb)
	}
	return all
}

// taken reports whether the target group of a load balancer is that of the
// deployment before the primary one, or without such the one that serves.
func (o *owner) taken(svc model.Service, lb model.ServiceLoadBalancer) bool {
	for _, d := range svc.Deployments[1:] {
		if d.ID != svc.Deployments[0].Progress.Source {
			continue
		}
		for _, other := range d.LoadBalancers {
			switch other.TargetGroupARN {
			case lb.TargetGroupARN:
				return true
			case lb.AlternateARN:
				return false
			}
		}
	}
	groups, _ := o.s.carrier.rules.Forwards(lb.ProductionRule)
	return share(groups, lb.TargetGroupARN) > 0
}

// share is the part of the requests that a target group gets, in tenths of a
// percent.
func share(groups []model.WeightedTargetGroup, arn string) int {
	sum, own := 0, 0
	for _, g := range groups {
		sum += g.Weight
		if g.TargetGroupARN == arn {
			own += g.Weight
		}
	}
	if sum == 0 {
		return 0
	}
	return strategy.Whole * own / sum
}

// traffic reads what the listener rules say of the primary deployment. A rule that
// has a problem counts for nothing else: traffic is shifted by the others.
func (o *owner) traffic(svc model.Service) strategy.Traffic {
	if !underway(svc) {
		return strategy.Traffic{}
	}
	t := strategy.Traffic{Production: strategy.Unsure, Test: strategy.Unsure}
	for _, lb := range o.routed(svc) {
		production, problem := o.look("Production", lb.ProductionRule, lb)
		if problem == "" {
			t.Production = agreed(t.Routed, t.Production, share(production, lb.TargetGroupARN))
			t.Routed = true
		}
		t.Problem = cmp.Or(t.Problem, problem)
		var test []model.WeightedTargetGroup
		if lb.TestRule != "" {
			test, problem = o.look("Test", lb.TestRule, lb)
			t.Problem = cmp.Or(t.Problem, problem)
		}
		if lb.TestRule != "" && problem == "" {
			t.Test = agreed(t.Tested, t.Test, share(test, lb.TargetGroupARN))
			t.Tested = true
		}
		t.Problem = cmp.Or(t.Problem, misrouted(svc.Deployments[0].Progress, lb, production, test))
	}
	return t
}

// look returns where a rule of a load balancer sends requests, and why no
// traffic can be shifted by it; "": it can.
func (o *owner) look(kind, rule string, lb model.ServiceLoadBalancer) (groups []model.WeightedTargetGroup, problem string) {
	groups, err := o.s.carrier.rules.Forwards(rule)
	if err != nil {
		return nil, "One or more rules not found"
	}
	return groups, astray(kind, lb, groups)
}

// astray returns the problem with a rule that leads elsewhere than to the two
// target groups of a load balancer; "": it does not. In the words of the
// developer guide, troubleshooting-blue-green, where it has any.
func astray(kind string, lb model.ServiceLoadBalancer, groups []model.WeightedTargetGroup) string {
	const expected = "Expected traffic to be forwarded to either targetGroupArn: %s or alternateTargetGroupArn: %s"
	known := false
	for _, g := range groups {
		own := g.TargetGroupARN == lb.TargetGroupARN || g.TargetGroupARN == lb.AlternateARN
		known = known || own
		if !own && g.Weight > 0 {
			return fmt.Sprintf("%s listener rule is forwarding traffic to unexpected target group %s. "+expected,
				kind, g.TargetGroupARN, lb.TargetGroupARN, lb.AlternateARN)
		}
	}
	if !known {
		return fmt.Sprintf("%s listener rule is not forwarding traffic to either target group. "+expected, kind, lb.TargetGroupARN, lb.AlternateARN)
	}
	return ""
}

// agreed adds what one rule says to what others do.
func agreed(more bool, others, one int) int {
	if more && one != others {
		return strategy.Unsure
	}
	return one
}

// misrouted is what stands against shifting traffic by rules that nobody has
// shifted any by yet; "": nothing. In the words of the developer guide,
// troubleshooting-blue-green.
func misrouted(p model.Progress, lb model.ServiceLoadBalancer, production, test []model.WeightedTargetGroup) string {
	if p.Placed {
		return ""
	}
	serving := 0
	known := map[string]bool{}
	for _, g := range production {
		known[g.TargetGroupARN] = true
		if g.Weight == 0 {
			continue
		}
		serving++
	}
	for _, g := range test {
		known[g.TargetGroupARN] = true
	}
	for _, arn := range []string{lb.TargetGroupARN, lb.AlternateARN} {
		if !known[arn] {
			return fmt.Sprintf("Target group %s is not associated with either productionListenerRule or testListenerRule.", arn)
		}
	}
	if serving != 1 && p.Source == "" {
		return fmt.Sprintf("productionListenerRule %s should have exactly one target group serving traffic but found %d target groups which are serving traffic", lb.ProductionRule, serving)
	}
	return ""
}

// place returns the load balancers of the primary deployment with the target
// groups that its tasks are to be put into.
func (o *owner) place(svc model.Service) []model.ServiceLoadBalancer {
	next := o.routed(svc)
	all := make([]model.ServiceLoadBalancer, 0, len(svc.Deployments[0].LoadBalancers))
	for _, lb := range svc.Deployments[0].LoadBalancers {
		if lb.AlternateARN != "" {
			lb, next = next[0], next[1:]
		}
		all = append(all, lb)
	}
	return all
}
