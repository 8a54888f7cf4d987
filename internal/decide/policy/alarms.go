package policy

import (
	"time"

	"neargate/internal/decide/scaling"
	"neargate/internal/model"
)

// lowPart is where the low alarm stands, in parts of the target.
const lowPart = 0.9

// Kind is which of a policy's two managed alarms one is, as their names say.
type Kind string

// The kinds.
const (
	High Kind = "AlarmHigh"
	Low  Kind = "AlarmLow"
)

// Kinds are the managed alarms that a policy has, high first; low only when it
// may scale in. Step policies have none: their alarms are the user's.
func Kinds(p model.ScalingPolicy) []Kind {
	switch {
	case p.Tracking == nil:
		return nil
	case p.Tracking.DisableScaleIn:
		return []Kind{High}
	}
	return []Kind{High, Low}
}

// AlarmName names a managed alarm; id is a UUID of its own.
func AlarmName(p model.ScalingPolicy, k Kind, id string) string {
	return "TargetTracking-" + p.ResourceID + "-" + string(k) + "-" + id
}

// Alarm is a managed alarm as Application Auto Scaling makes it: 3 periods
// above the target, or 15 (30 of 20 seconds) below 0.9 of it. creator is a UUID
// that the alarms of one policy share.
func Alarm(p model.ScalingPolicy, k Kind, timing scaling.Timing, creator string) model.Alarm {
	action := p.ARN + ":createdBy/" + creator
	al := model.Alarm{
		Description:    "DO NOT EDIT OR DELETE. For TargetTrackingScaling policy " + action + ".",
		AlarmActions:   []string{action},
		ActionsEnabled: true, Threshold: p.Tracking.Target, Comparison: "GreaterThanThreshold",
		Period: time.Minute, EvaluationPeriods: 3,
		Statistic: "Average", Unit: "Percent",
	}
	al.Metric = metricOf(p)
	_, short := plain(p.Tracking.Predefined)
	short = short || timing == scaling.AWS20
	switch {
	case p.Tracking.Customized != nil:
		short = false
		customizedAlarm(&al, p)
	case scaling.Metric(p.Tracking.Predefined) == scaling.RequestsPerTarget:
		short = false
		al.Statistic, al.Unit = "Sum", "None"
	}
	if short {
		al.Period = fine
	}
	if k == Low {
		al.Comparison, al.Threshold, al.EvaluationPeriods = "LessThanThreshold", lowPart*p.Tracking.Target, 15
		if short {
			al.EvaluationPeriods = 30
		}
	}
	return al
}

// metricOf is the CloudWatch metric behind a policy.
func metricOf(p model.ScalingPolicy) model.MetricID {
	cluster, service, _ := SplitResource(p.ResourceID)
	id := model.MetricID{Namespace: "AWS/ECS", Dimensions: []model.Dimension{{Name: "ClusterName", Value: cluster}, {Name: "ServiceName", Value: service}}}
	switch metric, _ := plain(p.Tracking.Predefined); metric {
	case string(scaling.CPU):
		id.Name = "CPUUtilization"
	case string(scaling.Memory):
		id.Name = "MemoryUtilization"
	case string(scaling.RequestsPerTarget):
		balancer, group, _ := splitLabel(p.Tracking.ResourceLabel)
		id = model.MetricID{
			Namespace: "AWS/ApplicationELB", Name: "RequestCountPerTarget",
			Dimensions: []model.Dimension{{Name: "LoadBalancer", Value: balancer}, {Name: "TargetGroup", Value: group}},
		}
	}
	return id
}
