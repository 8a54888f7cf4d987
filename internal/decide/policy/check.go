package policy

import (
	"neargate/internal/decide/scaling"
	"neargate/internal/model"
)

// largestTarget is the magnitude that a target value may have.
const largestTarget float64 = 1 << 360

// Check refuses what Application Auto Scaling refuses of a policy for svc, with
// a ValidationException.
func Check(p model.ScalingPolicy, svc model.Service) error {
	switch {
	case p.Step != nil:
		return checkStep(*p.Step)
	case p.Predictive != nil:
		return checkPredictive(*p.Predictive, svc)
	}
	return checkTracking(*p.Tracking, svc)
}

// Beside refuses a policy that cannot stand beside another of its target.
func Beside(p, other model.ScalingPolicy) error {
	if p.Tracking == nil || other.Tracking == nil {
		return nil
	}
	if sameMetric(*p.Tracking, *other.Tracking) {
		return invalid("Only one TargetTrackingScaling policy for a given metric specification is allowed.")
	}
	return nil
}

func checkTracking(t model.TargetTracking, svc model.Service) error {
	const labelled = string(scaling.RequestsPerTarget)
	metric, highResolution := plain(t.Predefined)
	switch {
	case !(t.Target > 0):
		return invalid("Target value must be greater than 0.")
	case t.Target > largestTarget:
		return invalid("Target value must be at most 2^360.")
	case t.ScaleOut < 0 || t.ScaleIn < 0:
		return invalid("Cooldown must not be negative.")
	case t.Customized != nil:
		return checkCustomized(*t.Customized)
	case t.Predefined != labelled && metric != string(scaling.CPU) && metric != string(scaling.Memory):
		return invalid("Predefined metric type %s is not supported for ECS services.", t.Predefined)
	case t.Predefined != labelled && t.ResourceLabel != "":
		return invalid("Resource label should not be specified for predefined metric type %s", t.Predefined)
	case highResolution:
		return checkResolution(t.Predefined, svc)
	case t.Predefined != labelled:
		return nil
	}
	return checkLabel(t.Predefined, t.ResourceLabel, svc)
}

// checkLabel wants the label of a predefined metric to name a target group of
// the service.
func checkLabel(metric, label string, svc model.Service) error {
	if label == "" {
		return invalid("Resource label should be specified for predefined metric type %s", metric)
	}
	_, group, ok := splitLabel(label)
	if !ok {
		return invalid("Invalid resource label '%s' for predefined metric type %s", label, metric)
	}
	if attached(svc, group) {
		return nil
	}
	return invalid("Target group %s is not attached to resource %s", group, Resource(svc.Cluster, svc.Name))
}

func invalid(format string, args ...any) *model.Error {
	return model.Errorf(model.Invalid, "ValidationException", format, args...)
}
