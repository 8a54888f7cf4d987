package autoscaler

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"neargate/internal/decide/policy"
	"neargate/internal/decide/scaling"
	"neargate/internal/model"
	"neargate/internal/random"
)

// alarmNames makes names for a policy's alarms.
func alarmNames(p model.ScalingPolicy) []string {
	var names []string
	for _, k := range policy.Kinds(p) {
		names = append(names, policy.AlarmName(p, k, random.UUID()))
	}
	return names
}

// putAlarms creates a policy's alarms, or brings them to the target's timing.
func (a *Autoscaler) putAlarms(ctx context.Context, t model.ScalableTarget, p model.ScalingPolicy) error {
	creator := a.creator(p)
	for i, k := range policy.Kinds(p) {
		al := policy.Alarm(p, k, a.timing(t), creator)
		al.Name = p.AlarmNames[i]
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
	return random.UUID()
}

// states reads the alarms of policies, for the timings that follow them.
func (a *Autoscaler) states(policies []model.ScalingPolicy) []scaling.Alarms {
	var out []scaling.Alarms
	for _, p := range policies {
		if p.Tracking != nil {
			out = append(out, scaling.Alarms{Policy: p.Name, High: a.inAlarm(p, policy.High), Low: a.inAlarm(p, policy.Low)})
		}
	}
	return out
}

// inAlarm reports whether a policy's alarm asks for its action.
func (a *Autoscaler) inAlarm(p model.ScalingPolicy, k policy.Kind) bool {
	al, ok := a.alarms.Alarm(alarmOf(p, k))
	return ok && al.State == "ALARM" && al.ActionsEnabled
}

// alarmOf names one of a policy's alarms, which are kept in the order of their
// kinds; "" when it has none of that kind.
func alarmOf(p model.ScalingPolicy, k policy.Kind) string {
	i := slices.Index(policy.Kinds(p), k)
	if i < 0 || i >= len(p.AlarmNames) {
		return ""
	}
	return p.AlarmNames[i]
}

// ringing finds the alarms that ask for step policies: the policy's ARN is
// among the actions of their state.
func (a *Autoscaler) ringing(policies []model.ScalingPolicy) []scaling.Ringing {
	var out []scaling.Ringing
	for _, p := range policies {
		if p.Step == nil {
			continue
		}
		for _, al := range a.alarms.AlarmsFor(p.ARN) {
			if al.ActionsEnabled && slices.Contains(al.Actions(), p.ARN) {
				out = append(out, scaling.Ringing{
					Policy: p.Name, Alarm: al.Name, State: al.State,
					Threshold: al.Threshold, Values: a.alarms.Recent(al.Name),
				})
			}
		}
	}
	return out
}

// AlarmsOf names the alarms of a policy: those it made, or for a step policy
// those that have it among their actions.
func (a *Autoscaler) AlarmsOf(p model.ScalingPolicy) []string {
	if p.Step == nil {
		return p.AlarmNames
	}
	var names []string
	for _, al := range a.alarms.AlarmsFor(p.ARN) {
		names = append(names, al.Name)
	}
	return names
}

// Accepts reports whether an alarm's action is a scaling policy that is here:
// nil, or what CloudWatch's history tells of the action's failure.
func (a *Autoscaler) Accepts(action string) error {
	if !strings.HasPrefix(action, "arn:aws:autoscaling:") {
		return errors.New("actions other than scaling policies are not carried out by Neargate")
	}
	for _, p := range a.policies.List("") {
		if p.ARN == action {
			return nil
		}
	}
	return fmt.Errorf("no scaling policy found for ARN: %s", action)
}
