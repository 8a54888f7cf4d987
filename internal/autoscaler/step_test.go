package autoscaler

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"neargate/internal/model"
)

func stepping(name string, lower, upper *float64, adjustment int) model.ScalingPolicy {
	return model.ScalingPolicy{Name: name, ResourceID: web, Step: &model.StepScaling{
		AdjustmentType: "ChangeInCapacity", Cooldown: 30 * time.Second,
		Steps: []model.StepAdjustment{{Lower: lower, Upper: upper, Adjustment: adjustment}},
	}}
}

// alarm is a user's alarm with a policy among its actions.
func (r *rig) alarm(name string, p model.ScalingPolicy, state string, recent ...float64) {
	r.book.mu.Lock()
	defer r.book.mu.Unlock()
	r.book.all[name] = model.Alarm{
		Name: name, State: state, ActionsEnabled: true, AlarmActions: []string{"arn:aws:sns:x", p.ARN}, Threshold: 50,
	}
	r.book.recent[name] = recent
}

func TestStepPolicyFollowsItsAlarms(t *testing.T) {
	for _, timing := range []string{"live", "aws-60", "aws-20"} {
		t.Run(timing, func(t *testing.T) {
			r := fresh(t)
			r.register(1, 5, model.Tag{Key: TimingTag, Value: timing})
			zero := 0.0
			out, in := r.put(stepping("out", &zero, nil, 2)), r.put(stepping("in", nil, &zero, -1))
			if len(r.book.all) != 0 {
				t.Errorf("a step policy made alarms: %v", r.book.all)
			}
			r.seconds(5, 1)
			r.alarm("busy", out, "ALARM", 70, 80)
			r.alarm("idle", in, "OK", 70, 80)
			r.seconds(5, 1)
			r.seconds(120, 1) // the action runs twice more
			if n, last := r.held(5); n != 1 || last.Reason != "alarm busy: 75 is 25 above threshold 50, where the step +2 of 5 tasks makes 7, held to max 5" {
				t.Errorf("%d lines while the alarm rings at the maximum, the last %+v; want one", n, last)
			}
			r.alarm("busy", out, "OK", 10, 10)
			r.alarm("idle", in, "ALARM", 10, 10)
			r.seconds(5, 1)
			want := []string{
				"Successful | Setting desired count to 4. | monitor alarm idle in state ALARM triggered policy in | " +
					"Successfully set desired count to 4. Change successfully fulfilled by ecs.",
				"Failed | Attempting to scale due to alarm triggered | monitor alarm busy in state ALARM triggered policy out |  | AlreadyAtMaxCapacity 5 0 0",
				"Successful | Setting desired count to 5. | monitor alarm busy in state ALARM triggered policy out | " +
					"Successfully set desired count to 5. Change successfully fulfilled by ecs.",
				"Successful | Setting desired count to 4. | monitor alarm busy in state ALARM triggered policy out | " +
					"Successfully set desired count to 4. Change successfully fulfilled by ecs.",
			}
			if diff := cmp.Diff(want, brief(r.Activities(web))); diff != "" {
				t.Errorf("activities (-want +got):\n%s", diff)
			}
			if details := r.Activities(web)[3].Details; details != "alarm busy: 75 is 25 above threshold 50, where the step +2 of 2 tasks makes 4" {
				t.Errorf("reason: %s", details)
			}
			if got := r.AlarmsOf(out); !slices.Equal(got, []string{"busy"}) {
				t.Errorf("alarms of the policy: %v", got)
			}
			if err := r.DeletePolicy(t.Context(), web, "out"); err != nil {
				t.Fatal(err)
			}
			if _, ok := r.book.all["busy"]; !ok {
				t.Error("the user's alarm went with the policy")
			}
		})
	}
}

func TestDisabledActionsTriggerNoPolicy(t *testing.T) {
	r := fresh(t)
	r.register(1, 5)
	zero := 0.0
	out := r.put(stepping("out", &zero, nil, 2))
	r.alarm("busy", out, "ALARM", 70)
	al := r.book.all["busy"]
	al.ActionsEnabled = false
	r.book.all["busy"] = al
	r.seconds(70, 1)
	if got := r.Activities(web); len(got) != 0 {
		t.Errorf("activities = %q, want none", brief(got))
	}
}

// Another type under the same name takes the old one's alarms away.
func TestPolicyOfAnotherTypeReplaces(t *testing.T) {
	r := fresh(t)
	r.register(1, 5)
	zero := 0.0
	r.put(tracking("p"))
	p := r.put(stepping("p", &zero, nil, 2))
	if p.Type != "StepScaling" || len(r.book.all) != 0 || len(r.Policies()) != 1 {
		t.Errorf("policy %+v, alarms %v", p, r.book.all)
	}
	if p = r.put(tracking("p")); p.Type != "TargetTrackingScaling" || len(r.book.all) != 2 {
		t.Errorf("policy %+v, alarms %v", p, r.book.all)
	}
}
