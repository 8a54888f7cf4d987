package simulate

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"neargate/internal/decide/policy"
	"neargate/internal/decide/scaling"
	"neargate/internal/model"
	"neargate/internal/sim"
)

// attached is a service behind whatever target group the policy names, with
// its metrics every 20 seconds, as policies of high resolution want it.
func attached(p model.ScalingPolicy) model.Service {
	svc := model.Service{Cluster: "simulated", Name: "service", Monitoring: []model.MetricResolution{
		{Metrics: []string{"CPUUtilization", "MemoryUtilization"}, Resolution: 20 * time.Second},
	}}
	for _, label := range labels(p) {
		if _, group, ok := strings.Cut(label, "/targetgroup/"); ok {
			svc.LoadBalancers = append(svc.LoadBalancers, model.ServiceLoadBalancer{TargetGroupARN: "arn:aws:elasticloadbalancing:::targetgroup/" + group})
		}
	}
	return svc
}

// labels returns the resource labels of a policy's metrics.
func labels(p model.ScalingPolicy) []string {
	switch {
	case p.Tracking != nil:
		return []string{p.Tracking.ResourceLabel}
	case p.Predictive != nil:
		m := p.Predictive.Metrics
		return []string{m.Pair.ResourceLabel, m.Scaling.ResourceLabel, m.Load.ResourceLabel}
	}
	return nil
}

// followable refuses what the simulator takes and nothing in it would move.
func (f *policyFile) followable() error {
	memory := func(queries ...model.MetricQuery) bool {
		return slices.ContainsFunc(queries, func(q model.MetricQuery) bool { return q.Metric.Name == "MemoryUtilization" })
	}
	const unknown = "policy %s cannot be simulated: %s tracks memory, and what a request needs of it is not known"
	for _, pol := range f.policies {
		if pol.Tracking != nil && (policy.Of(pol).Metric == scaling.Memory || memory(policy.Queries(pol)...)) {
			return fmt.Errorf(unknown, f.name, pol.Name)
		}
		if pol.Step != nil && !slices.ContainsFunc(f.alarms, func(al model.Alarm) bool { return sim.AsksFor(al, pol.Name) }) {
			return fmt.Errorf("policy %s: no alarm asks for the step policy %s; put the JSON of put-metric-alarm beside it, in a list, with the policy's name in AlarmActions", f.name, pol.Name)
		}
	}
	for _, al := range f.alarms {
		if memory(model.MetricQuery{Metric: al.Metric}) || memory(al.Queries...) {
			return fmt.Errorf(unknown, f.name, "alarm "+al.Name)
		}
	}
	return nil
}
