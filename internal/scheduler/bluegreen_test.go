package scheduler

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"neargate/internal/decide/rollout"
	"neargate/internal/ecs"
	"neargate/internal/model"
)

const (
	green      = "arn:aws:elasticloadbalancing:us-east-1:000000000000:targetgroup/green/0123456789abcdef"
	production = "arn:aws:elasticloadbalancing:us-east-1:000000000000:listener-rule/app/web/1/2/3"
	test       = "arn:aws:elasticloadbalancing:us-east-1:000000000000:listener-rule/app/web/1/2/4"
)

// shifting has the service "s" deploy by a strategy, with rules in front of it.
func (r *rig) shifting(s ecs.RolloutSettings) func(*ecs.CreateServiceRequest) {
	r.lb.rules[production] = []model.WeightedTargetGroup{{TargetGroupARN: group, Weight: 1}}
	r.lb.rules[test] = []model.WeightedTargetGroup{{TargetGroupARN: green, Weight: 1}}
	return func(req *ecs.CreateServiceRequest) {
		req.Settings.Rollout = s
		lb := &req.Settings.LoadBalancers[0]
		lb.AlternateARN, lb.ProductionRule, lb.TestRule, lb.RoleARN = green, production, test, "arn:aws:iam::000000000000:role/ecs"
	}
}

// says is what a rule gives the first and the alternate target group.
func (r *rig) says(rule string) string {
	r.lb.mu.Lock()
	defer r.lb.mu.Unlock()
	weights := map[string]int{}
	for _, g := range r.lb.rules[rule] {
		weights[g.TargetGroupARN] = g.Weight
	}
	return fmt.Sprintf("%d/%d", weights[group], weights[green])
}

// stage waits for the primary deployment to reach a stage.
func (r *rig) stage(stage model.Stage) model.Service {
	r.t.Helper()
	var svc model.Service
	r.until(string(stage), func() bool {
		svc, _ = r.Service("c", "s")
		return svc.Deployments[0].Progress.Stage == stage
	})
	return svc
}

func (r *rig) latest() model.ServiceDeployment {
	svc, _ := r.Service("c", "s")
	return r.ServiceDeployments(svc)[0]
}

func blueGreen() ecs.RolloutSettings {
	return ecs.RolloutSettings{Strategy: new(model.BlueGreen), Bake: new(5 * time.Minute)}
}

// The new revision runs beside the old one, gets test traffic, then all, and the
// old one goes after the bake time.
func TestBlueGreenShiftsAllAtOnce(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		r.create(2, r.shifting(blueGreen()))
		r.stage(model.StageBake)
		if got := r.says(production); got != "0/100" {
			t.Errorf("after the first deployment the rule says %s", got)
		}
		time.Sleep(5 * time.Minute)
		r.stable(2)

		r.deploy(nil, nil)
		svc := r.stage(model.StageBake)
		if got := r.says(production) + " " + r.says(test); got != "100/0 100/0" {
			t.Errorf("after the shift the rules say %s", got)
		}
		if n := len(r.running()); n != 4 {
			t.Errorf("%d tasks run in the bake time, want both revisions", n)
		}
		if got := r.latest(); got.Status != model.DeploymentInProgress || got.Stage != model.StageBake {
			t.Errorf("the service deployment is %s at %s", got.Status, got.Stage)
		}
		began := time.Now()
		r.stable(2)
		if took := time.Since(began); took < 4*time.Minute {
			t.Errorf("baked for %v", took)
		}
		if now, _ := r.Service("c", "s"); now.Deployments[0].ID != svc.Deployments[0].ID {
			t.Error("another deployment is primary")
		}
		if got := r.latest().Status; got != model.DeploymentSuccessful {
			t.Errorf("ended %s", got)
		}
	})
}

// An alarm in the bake time brings the traffic back at once, and the new tasks go.
func TestAlarmRollsBackWithinASecond(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		s := blueGreen()
		s.Alarms = &model.DeploymentAlarms{Names: []string{"errors"}, Enable: true, Rollback: true}
		r.create(2, r.shifting(s))
		time.Sleep(6 * time.Minute)
		r.stable(2)
		old, _ := r.Service("c", "s")
		r.deploy(nil, nil)
		r.stage(model.StageBake)
		r.lb.mu.Lock()
		r.lb.firing = []string{"errors", "other"}
		r.lb.mu.Unlock()
		began := time.Now()
		r.until("traffic is back", func() bool { return r.says(production) == "0/100" })
		if took := time.Since(began); took > 1100*time.Millisecond {
			t.Errorf("the traffic was back after %v", took)
		}
		r.stable(2)
		svc, _ := r.Service("c", "s")
		rec := r.latest()
		if svc.Deployments[0].ID != old.Deployments[0].ID || rec.Status != model.DeploymentRolledBack || !slices.Equal(rec.Alarms, []string{"errors"}) {
			t.Errorf("primary %s, want %s; %s %q %v", svc.Deployments[0].ID, old.Deployments[0].ID, rec.Status, rec.StatusReason, rec.Alarms)
		}
		if said := strings.Join(r.said(), "\n"); !strings.Contains(said, "deployment failed: alarm detected.") || !strings.Contains(said, "rolling back to deployment D") {
			t.Errorf("events:\n%s", said)
		}
	})
}

// Rules that cannot be written, and a server that dies at any stage, delay a
// deployment; its end is the same.
// The tasks of a new revision whose targets fail get the event that says so, though
// they are stopped because their deployment has failed.
func TestBlueGreenBlamesTasksThatFail(t *testing.T) {
	inBubble(t, func(_ *testing.T, r *rig) {
		r.live()
		r.create(2, r.shifting(blueGreen()), withBreaker)
		r.stage(model.StageBake)
		time.Sleep(5 * time.Minute)
		r.stable(2)
		r.lb.configure(false, "unhealthy")
		bad := r.deploy(nil, nil).Deployments[0].ID
		r.until("rolled back", func() bool { svc, _ := r.Service("c", "s"); return svc.Deployments[0].ID != bad })
		svc, _ := r.Service("c", "s")
		recs := r.ServiceDeployments(svc)
		failed := slices.IndexFunc(recs, func(rec model.ServiceDeployment) bool { return rec.Deployment == bad })
		r.blamed(recs[failed], "(port 8080) is unhealthy in (target-group "+group+") due to (reason ")
	})
}

func TestBlueGreenSurvivesRestartsAndRulesThatFail(t *testing.T) {
	for _, stage := range []model.Stage{model.StageScaleUp, model.StageTestShift, model.StageProductionShift, model.StageBake, model.StageCleanUp} {
		t.Run(string(stage), func(t *testing.T) {
			inBubble(t, func(t *testing.T, r *rig) {
				s := blueGreen()
				s.Bake = new(time.Minute)
				r.create(2, r.shifting(s))
				time.Sleep(2 * time.Minute)
				r.stable(2)
				r.lb.configure(true, "initial")
				r.lb.mu.Lock()
				r.lb.broken = errors.New("disk full")
				if stage == model.StageProductionShift {
					r.lb.stuck = production
				}
				r.lb.mu.Unlock()
				r.deploy(nil, nil)
				restarted := false
				r.until("deployed", func() bool {
					svc, _ := r.Service("c", "s")
					d := svc.Deployments[0]
					switch {
					case !restarted && d.Progress.Stage == stage:
						restarted = true
						r.stop()
						r.serve()
					case d.Progress.Stage == model.StageScaleUp && (restarted || stage != model.StageScaleUp):
						r.lb.set("*", "healthy")
					case restarted && d.Progress.Stage == stage, d.Progress.Stage == model.StageTestShift && r.lb.stuck == "" && stage != model.StageTestShift:
						r.lb.drained()
						r.lb.mu.Lock()
						r.lb.broken = nil
						r.lb.mu.Unlock()
					case d.Progress.Stage == model.StageCleanUp:
						r.lb.drained()
					}
					return d.RolloutState == rollout.Completed
				})
				if !restarted {
					t.Error("was not restarted")
				}
				if got := r.says(production); got != "100/0" {
					t.Errorf("the rule says %s", got)
				}
			})
		})
	}
}
