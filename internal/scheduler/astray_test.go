package scheduler

import (
	"strings"
	"testing"
	"time"

	"neargate/internal/decide/rollout/strategy"
	"neargate/internal/ecs"
	"neargate/internal/model"
)

const third = "arn:aws:elasticloadbalancing:us-east-1:000000000000:targetgroup/third/0123456789abcdef"

// A rule that somebody leads elsewhere while a deployment is on its way ends the
// deployment, and stays as it is; the other rule is brought back.
func TestRuleLedElsewhereEndsTheDeployment(t *testing.T) {
	stages := []model.Stage{model.StagePostScaleUp, model.StagePreProductionShift, model.StageBake}
	tests := []struct {
		name, rule, other, words string
		groups                   []model.WeightedTargetGroup
	}{
		{
			"production to a third group", production, test, "Production listener rule is forwarding traffic to unexpected target group " + third + ".",
			[]model.WeightedTargetGroup{{TargetGroupARN: third, Weight: 1}},
		},
		{
			"production to a third group too", production, test, "Production listener rule is forwarding traffic to unexpected target group " + third + ".",
			[]model.WeightedTargetGroup{{TargetGroupARN: group, Weight: 1}, {TargetGroupARN: third, Weight: 1}},
		},
		{"production to no group", production, test, "Production listener rule is not forwarding traffic to either target group.", nil},
		{"test to no group", test, production, "Test listener rule is not forwarding traffic to either target group.", nil},
	}
	for _, tt := range tests {
		for _, stage := range stages {
			t.Run(tt.name+" at "+string(stage), func(t *testing.T) {
				inBubble(t, func(t *testing.T, r *rig) {
					s := blueGreen()
					s.Hooks = []ecs.HookRequest{{TargetType: "PAUSE", Stages: []string{"POST_SCALE_UP", "PRE_PRODUCTION_TRAFFIC_SHIFT"}}}
					r.deployed(s)
					r.pass(stage)
					r.lead(tt.rule, tt.groups)
					r.until("the end", func() bool { return r.latest().Status == model.DeploymentRolledBack })
					r.stable(2)
					time.Sleep(time.Hour)
					if rec := r.latest(); !strings.Contains(rec.StatusReason, "because of invalid networking configuration. "+tt.words) {
						t.Errorf("ended with %q", rec.StatusReason)
					}
					if said := strings.Join(r.said(), "\n"); !strings.Contains(said, tt.words) {
						t.Errorf("events:\n%s", said)
					}
					r.lb.mu.Lock()
					defer r.lb.mu.Unlock()
					if got := r.lb.rules[tt.rule]; len(got) != len(tt.groups) || len(got) > 0 && got[0] != tt.groups[0] {
						t.Errorf("the rule was written over: %+v", got)
					}
					if got := strategy.Share(r.lb.rules[tt.other], green); got != 1000 {
						t.Errorf("the other rule does not lead back: %+v", r.lb.rules[tt.other])
					}
					if r.lb.refused > 5 {
						t.Errorf("%d tries to write the rule over", r.lb.refused)
					}
				})
			})
		}
	}
}

// Weights alone are the deployment's to set: what somebody changes of them is
// set right, and the deployment goes on.
func TestWeightsChangedByHandAreSetRight(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		r.deployed(blueGreen())
		r.stage(model.StageBake)
		r.lead(production, []model.WeightedTargetGroup{{TargetGroupARN: group, Weight: 1}, {TargetGroupARN: green, Weight: 1}})
		r.until("100/0", func() bool { return r.says(production) == "100/0" })
		r.stable(2)
		if got := r.latest().Status; got != model.DeploymentSuccessful {
			t.Errorf("ended %s", got)
		}
	})
}

// deployed has one deployment of the service "s" behind it, in the alternate
// group, and begins another by s.
func (r *rig) deployed(s ecs.RolloutSettings) {
	r.t.Helper()
	first := s
	first.Hooks = nil
	r.create(2, r.shifting(first))
	time.Sleep(6 * time.Minute)
	r.stable(2)
	if _, err := r.UpdateService(r.t.Context(), ecs.UpdateServiceRequest{Cluster: "c", Name: "s", Settings: ecs.ServiceSettings{Rollout: s}}); err != nil {
		r.t.Fatal(err)
	}
	r.deploy(nil, nil)
}

// pass ends the pauses before a stage and waits for it.
func (r *rig) pass(stage model.Stage) {
	r.t.Helper()
	r.until(string(stage), func() bool {
		svc, _ := r.Service("c", "s")
		p := svc.Deployments[0].Progress
		if p.Stage == stage {
			return true
		}
		for _, pause := range p.Pauses {
			if pause.Status == model.PauseAwaiting {
				if err := r.ContinueServiceDeployment(r.t.Context(), r.latest().ARN, pause.ID, ""); err != nil {
					r.t.Fatal(err)
				}
			}
		}
		return false
	})
}

// lead has somebody lead a rule to groups; none: it does something else.
func (r *rig) lead(rule string, groups []model.WeightedTargetGroup) {
	r.lb.mu.Lock()
	defer r.lb.mu.Unlock()
	r.lb.rules[rule] = groups
}
