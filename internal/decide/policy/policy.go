// Package policy says what a scaling policy means, as it was put by
// PutScalingPolicy: whether Application Auto Scaling would refuse it, which
// alarms it has made, and what decide/scaling gets to see of it.
//
// It is pure, so that the server and the simulator take and refuse the same.
package policy

import (
	"slices"
	"strings"

	"neargate/internal/decide/scaling"
	"neargate/internal/model"
)

// Type is the type of a policy by its configuration.
func Type(p model.ScalingPolicy) scaling.PolicyType {
	switch {
	case p.Step != nil:
		return scaling.StepScaling
	case p.Predictive != nil:
		return scaling.PredictiveScaling
	}
	return scaling.TargetTracking
}

// OfService returns the policies of svc as decide/scaling takes them; of
// predictive ones it takes the Floor.
func OfService(policies []model.ScalingPolicy, svc model.Service) []scaling.Policy {
	out := make([]scaling.Policy, 0, len(policies))
	for _, p := range policies {
		if p.Predictive == nil {
			out = append(out, of(p, func(group string) bool { return attached(svc, group) }))
		}
	}
	return out
}

// Of returns a policy as decide/scaling takes it, of a predictive one its name and
// type; a target group that it names is taken for the service's own.
func Of(p model.ScalingPolicy) scaling.Policy {
	return of(p, func(string) bool { return true })
}

func of(p model.ScalingPolicy, own func(group string) bool) scaling.Policy {
	switch {
	case p.Step != nil:
		return scaling.Policy{
			Name: p.Name, Type: scaling.StepScaling, Step: p.Step,
			ScaleOut: p.Step.Cooldown, ScaleIn: p.Step.Cooldown,
		}
	case p.Predictive != nil:
		return scaling.Policy{Name: p.Name, Type: scaling.PredictiveScaling}
	}
	t := *p.Tracking
	metric, highResolution := plain(t.Predefined)
	out := scaling.Policy{
		Name: p.Name, Metric: scaling.Metric(metric), HighResolution: highResolution, Target: t.Target,
		ScaleOut: t.ScaleOut, ScaleIn: t.ScaleIn, DisableScaleIn: t.DisableScaleIn,
	}
	if t.Customized != nil {
		out.Metric = scaling.Customized
		if percentile, ok := slo(*t.Customized, own); ok {
			out.Metric, out.Percentile = scaling.ResponseTime, percentile
		}
	}
	return out
}

// SplitResource cuts a resource ID service/CLUSTER/SERVICE.
func SplitResource(id string) (cluster, service string, ok bool) {
	parts := strings.Split(id, "/")
	if len(parts) != 3 || parts[0] != "service" || parts[1] == "" || parts[2] == "" {
		return "", "", false
	}
	return parts[1], parts[2], true
}

// Resource is the resource ID of a service.
func Resource(cluster, service string) string { return "service/" + cluster + "/" + service }

// splitLabel cuts a resource label into the dimensions LoadBalancer and
// TargetGroup.
func splitLabel(label string) (balancer, group string, ok bool) {
	parts := strings.Split(label, "/")
	if len(parts) != 6 || parts[0] != "app" || parts[3] != "targetgroup" || slices.Contains(parts, "") {
		return "", "", false
	}
	return strings.Join(parts[:3], "/"), strings.Join(parts[3:], "/"), true
}
