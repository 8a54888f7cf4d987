package strategy

import (
	"cmp"
	"fmt"

	"neargate/internal/model"
)

// Read returns what the listener rules say of the primary deployment. A rule that
// has a problem counts for nothing else: traffic is shifted by the others.
func Read(svc model.Service, rules Rules) Traffic {
	t := Traffic{Production: Unsure, Test: Unsure}
	for _, lb := range Routed(svc, rules) {
		production, problem := rules.look("Production", lb.ProductionRule, lb)
		if problem == "" {
			t.Production = agreed(t.Routed, t.Production, Share(production, lb.TargetGroupARN))
			t.Routed = true
		}
		t.Problem = cmp.Or(t.Problem, problem)
		var test []model.WeightedTargetGroup
		if lb.TestRule != "" {
			test, problem = rules.look("Test", lb.TestRule, lb)
			t.Problem = cmp.Or(t.Problem, problem)
		}
		if lb.TestRule != "" && problem == "" {
			t.Test = agreed(t.Tested, t.Test, Share(test, lb.TargetGroupARN))
			t.Tested = true
		}
		t.Problem = cmp.Or(t.Problem, misrouted(svc.Deployments[0].Progress, lb, production, test))
	}
	return t
}

// look returns where a rule of a load balancer sends requests, and why no
// traffic can be shifted by it; "": it can.
func (r Rules) look(kind, rule string, lb model.ServiceLoadBalancer) (groups []model.WeightedTargetGroup, problem string) {
	groups, there := r[rule]
	if !there {
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
		return Unsure
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
