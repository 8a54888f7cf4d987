package autoscaler

import (
	"context"
	"slices"
	"strings"
	"time"

	"neargate/internal/decide/scaling"
	"neargate/internal/model"
)

// lowPart is where the low alarm stands, in parts of the target.
const lowPart = 0.9

// alarmNames makes names for a policy's alarms: high first; low only when the
// policy may scale in.
func alarmNames(p model.ScalingPolicy) []string {
	names := []string{"TargetTracking-" + p.ResourceID + "-AlarmHigh-" + uuid()}
	if !p.Tracking.DisableScaleIn {
		names = append(names, "TargetTracking-"+p.ResourceID+"-AlarmLow-"+uuid())
	}
	return names
}

// putAlarms makes a policy's alarms, or gives them the target's timing.
func (a *Autoscaler) putAlarms(ctx context.Context, t model.ScalableTarget, p model.ScalingPolicy) error {
	action := p.ARN + ":createdBy/" + a.creator(p)
	for i, name := range p.AlarmNames {
		al := managedAlarm(p, a.timing(t) == scaling.AWS20, i > 0)
		al.Name = name
		al.Description = "DO NOT EDIT OR DELETE. For TargetTrackingScaling policy " + action + "."
		al.AlarmActions = []string{action}
		if err := a.alarms.PutAlarm(ctx, al); err != nil {
			return err
		}
	}
	return nil
}

// creator is the UUID behind createdBy, which the alarms of one policy share.
func (a *Autoscaler) creator(p model.ScalingPolicy) string {
	const mark = ":createdBy/"
	for _, name := range p.AlarmNames {
		if al, ok := a.alarms.Alarm(name); ok && len(al.AlarmActions) > 0 {
			if _, id, ok := strings.Cut(al.AlarmActions[0], mark); ok {
				return id
			}
		}
	}
	return uuid()
}

// managedAlarm is an alarm as Application Auto Scaling makes it: 3 periods above
// the target, or 15 (30 of 20 seconds) below 0.9 of it.
func managedAlarm(p model.ScalingPolicy, fine, low bool) model.Alarm {
	al := model.Alarm{
		ActionsEnabled: true, Threshold: p.Tracking.Target, Comparison: "GreaterThanThreshold",
		Period: time.Minute, EvaluationPeriods: 3, MissingData: "missing",
		Statistic: "Average", Unit: "Percent",
	}
	al.Metric = metricOf(p)
	requests := scaling.Metric(p.Tracking.Predefined) == scaling.RequestsPerTarget
	if requests {
		al.Statistic, al.Unit = "Sum", "None"
	}
	fine = fine && !requests
	if fine {
		al.Period = 20 * time.Second
	}
	if low {
		al.Comparison, al.Threshold, al.EvaluationPeriods = "LessThanThreshold", lowPart*p.Tracking.Target, 15
		if fine {
			al.EvaluationPeriods = 30
		}
	}
	return al
}

// metricOf is the CloudWatch metric behind a policy.
func metricOf(p model.ScalingPolicy) model.MetricID {
	cluster, service, _ := splitResource(p.ResourceID)
	id := model.MetricID{Namespace: "AWS/ECS", Dimensions: []model.Dimension{{Name: "ClusterName", Value: cluster}, {Name: "ServiceName", Value: service}}}
	switch scaling.Metric(p.Tracking.Predefined) {
	case scaling.CPU:
		id.Name = "CPUUtilization"
	case scaling.Memory:
		id.Name = "MemoryUtilization"
	case scaling.RequestsPerTarget:
		balancer, group, _ := splitLabel(p.Tracking.ResourceLabel)
		id = model.MetricID{Namespace: "AWS/ApplicationELB", Name: "RequestCountPerTarget",
			Dimensions: []model.Dimension{{Name: "LoadBalancer", Value: balancer}, {Name: "TargetGroup", Value: group}}}
	}
	return id
}

// states reads the alarms of policies, for the timings that follow them.
func (a *Autoscaler) states(policies []model.ScalingPolicy) []scaling.Alarms {
	out := make([]scaling.Alarms, len(policies))
	ringing := func(p model.ScalingPolicy, kind string) bool {
		i := slices.IndexFunc(p.AlarmNames, func(n string) bool { return strings.Contains(n, kind) })
		if i < 0 {
			return false
		}
		al, ok := a.alarms.Alarm(p.AlarmNames[i])
		return ok && al.State == "ALARM" && al.ActionsEnabled
	}
	for i, p := range policies {
		out[i] = scaling.Alarms{Policy: p.Name, High: ringing(p, "-AlarmHigh-"), Low: ringing(p, "-AlarmLow-")}
	}
	return out
}
