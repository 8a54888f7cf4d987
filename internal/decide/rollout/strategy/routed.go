package strategy

import (
	"neargate/internal/model"
)

// Rules are where listener rules lead, with weights, by ARN. Those that are not
// there are left out.
type Rules map[string][]model.WeightedTargetGroup

// Routed returns the load balancers of a service between whose target groups
// traffic is shifted, each with the group of the primary deployment first: the one
// that it has, or that it will have.
func Routed(svc model.Service, rules Rules) []model.ServiceLoadBalancer {
	if len(svc.Deployments) == 0 || !svc.Deployments[0].Strategy.Shifts() {
		return nil
	}
	var all []model.ServiceLoadBalancer
	d := svc.Deployments[0]
	for _, lb := range d.LoadBalancers {
		if lb.AlternateARN == "" {
			continue
		}
		if !d.Progress.Placed && rules.taken(svc, lb) {
			lb = lb.Alternating()
		}
		all = append(all, lb)
	}
	return all
}

// Place returns the load balancers of the primary deployment with the target
// groups that its tasks are to be put into.
func Place(svc model.Service, rules Rules) []model.ServiceLoadBalancer {
	next := Routed(svc, rules)
	all := make([]model.ServiceLoadBalancer, 0, len(svc.Deployments[0].LoadBalancers))
	for _, lb := range svc.Deployments[0].LoadBalancers {
		if lb.AlternateARN != "" {
			lb, next = next[0], next[1:]
		}
		all = append(all, lb)
	}
	return all
}

// taken reports whether the target group of a load balancer is that of the
// deployment before the primary one, or without such the one that serves.
func (r Rules) taken(svc model.Service, lb model.ServiceLoadBalancer) bool {
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
	return Share(r[lb.ProductionRule], lb.TargetGroupARN) > 0
}

// Share returns the part of the requests that a target group gets, in tenths of
// a percent.
func Share(groups []model.WeightedTargetGroup, arn string) int {
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
	return Whole * own / sum
}

// Weights returns those that give the target group of a load balancer a share of
// the traffic, in tenths of a percent, and the alternate one the rest: percents, or
// tenths of them.
func Weights(lb model.ServiceLoadBalancer, share int) []model.WeightedTargetGroup {
	whole := Whole
	if share%10 == 0 {
		share, whole = share/10, whole/10
	}
	return []model.WeightedTargetGroup{
		{TargetGroupARN: lb.TargetGroupARN, Weight: share}, {TargetGroupARN: lb.AlternateARN, Weight: whole - share},
	}
}
