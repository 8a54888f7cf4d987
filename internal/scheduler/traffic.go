package scheduler

import (
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
	// SetForwards has a listener rule send requests to groups. Codes: RuleNotFound.
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

// traffic reads what the listener rules say of the primary deployment.
func (o *owner) traffic(svc model.Service) strategy.Traffic {
	var t strategy.Traffic
	if !underway(svc) {
		return t
	}
	for _, lb := range o.routed(svc) {
		production, err := o.s.carrier.rules.Forwards(lb.ProductionRule)
		var test []model.WeightedTargetGroup
		if err == nil && lb.TestRule != "" {
			test, err = o.s.carrier.rules.Forwards(lb.TestRule)
		}
		if err != nil {
			t.Problem = "One or more rules not found"
			return t
		}
		if t.Problem = misrouted(svc.Deployments[0].Progress, lb, production, test); t.Problem != "" {
			return t
		}
		t.Production = agreed(t.Routed, t.Production, share(production, lb.TargetGroupARN))
		t.Routed = true
		if lb.TestRule != "" {
			t.Test = agreed(t.Tested, t.Test, share(test, lb.TargetGroupARN))
			t.Tested = true
		}
	}
	return t
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
		if g.TargetGroupARN != lb.TargetGroupARN && g.TargetGroupARN != lb.AlternateARN {
			return fmt.Sprintf("Production listener rule is forwarding traffic to unexpected target group %s. Expected traffic to be forwarded to either targetGroupArn: %s or alternateTargetGroupArn: %s",
				g.TargetGroupARN, lb.TargetGroupARN, lb.AlternateARN)
		}
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
