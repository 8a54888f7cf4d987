package scheduler

import (
	"strings"
	"testing"
	"time"

	"neargate/internal/ecs"
	"neargate/internal/model"
)

// Traffic goes over in steps with a pause after each, a pause hook holds the
// next, and the way goes on when somebody says so.
func TestLinearTakesItsStepsAndPauses(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		linear := ecs.RolloutSettings{
			Strategy: new(model.Linear), Bake: new(time.Duration(0)), Linear: &ecs.Steps{Percent: new(33.3), Bake: new(time.Minute)},
		}
		r.create(2, r.shifting(linear))
		r.stable(2)
		if got := r.says(production); got != "0/100" {
			t.Fatalf("with nothing to shift from, the first deployment took steps: %s", got)
		}
		linear.Hooks = []ecs.HookRequest{{TargetType: "PAUSE", Stages: []string{"POST_TEST_TRAFFIC_SHIFT"}}}
		if _, err := r.UpdateService(t.Context(), ecs.UpdateServiceRequest{Cluster: "c", Name: "s", Settings: ecs.ServiceSettings{Rollout: linear}}); err != nil {
			t.Fatal(err)
		}
		r.deploy(nil, nil)
		svc := r.stage(model.StagePostTestShift)
		time.Sleep(time.Hour)
		if got := r.says(production) + " " + r.says(test); got != "0/100 100/0" {
			t.Errorf("while paused the rules say %s", got)
		}
		pause := svc.Deployments[0].Progress.Pauses[0]
		if len(pause.ID) != len("ecs-pause-")+43 || pause.Status != model.PauseAwaiting {
			t.Errorf("pause %+v", pause)
		}
		arn := r.latest().ARN
		if err := r.ContinueServiceDeployment(t.Context(), arn, pause.ID, ""); err != nil {
			t.Fatal(err)
		}
		if err := r.ContinueServiceDeployment(t.Context(), arn, pause.ID, ""); err == nil {
			t.Error("a pause was ended twice")
		}
		for _, want := range []string{"333/667", "666/334", "999/1", "100/0"} {
			r.until(want, func() bool { return r.says(production) == want })
			time.Sleep(55 * time.Second)
			if got := r.says(production); got != want {
				t.Errorf("55 s after %s the rule says %s", want, got)
			}
		}
		r.stable(2)
	})
}

func TestPauseThatExpiresRollsBack(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		s := blueGreen()
		s.Bake = new(time.Duration(0))
		r.create(1, r.shifting(s))
		r.stable(1)
		s.Hooks = []ecs.HookRequest{{TargetType: "PAUSE", Stages: []string{"PRE_PRODUCTION_TRAFFIC_SHIFT"}, Timeout: new(10 * time.Minute)}}
		if _, err := r.UpdateService(t.Context(), ecs.UpdateServiceRequest{Cluster: "c", Name: "s", Settings: ecs.ServiceSettings{Rollout: s}}); err != nil {
			t.Fatal(err)
		}
		r.deploy(nil, nil)
		r.stage(model.StagePreProductionShift)
		time.Sleep(10 * time.Minute)
		r.stable(1)
		want := "Service deployment rolled back because PRE_PRODUCTION_TRAFFIC_SHIFT pause hook timed out."
		if rec := r.latest(); rec.Status != model.DeploymentRolledBack || rec.StatusReason != want {
			t.Errorf("got %s %q", rec.Status, rec.StatusReason)
		}
	})
}

// A deployment is stopped at any time: with ROLLBACK the earlier revision is
// gone back to, with ABORT it keeps the traffic and the new tasks go.
func TestStopServiceDeployment(t *testing.T) {
	tests := []struct {
		how    string
		status model.DeploymentStatus
	}{{"ROLLBACK", model.DeploymentRolledBack}, {"ABORT", model.DeploymentStopped}}
	for _, strategy := range []string{model.Rolling, model.BlueGreen} {
		for _, tt := range tests {
			t.Run(strategy+" "+tt.how, func(t *testing.T) {
				inBubble(t, func(t *testing.T, r *rig) {
					s := ecs.RolloutSettings{Strategy: &strategy}
					r.create(2, r.shifting(s))
					r.stable(2)
					s.Bake = new(time.Hour)
					if _, err := r.UpdateService(t.Context(), ecs.UpdateServiceRequest{Cluster: "c", Name: "s", Settings: ecs.ServiceSettings{Rollout: s}}); err != nil {
						t.Fatal(err)
					}
					r.deploy(nil, nil)
					r.stage(model.StageBake)
					arn := r.latest().ARN
					if err := r.StopServiceDeployment(t.Context(), arn, tt.how); err != nil {
						t.Fatal(err)
					}
					r.until(string(tt.status), func() bool { return r.latest().Status == tt.status && len(r.states()) == 2 })
					if err := r.StopServiceDeployment(t.Context(), arn, tt.how); err == nil {
						t.Error("stopped twice")
					}
					if got := r.says(production); strategy == model.BlueGreen && got != "0/100" {
						t.Errorf("the rule says %s", got)
					}
				})
			})
		}
	}
}

// Protected tasks are left alone by scale-in and deployments until their
// protection ends.
func TestProtectedTasksAreLeft(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		r.create(2)
		r.stable(2)
		old := r.running()[0].ID
		protect := ecs.Protection{Cluster: "c", Tasks: []string{old, "ffff"}, Enable: true, For: new(10 * time.Minute)}
		got, failures, err := r.ProtectTasks(t.Context(), protect)
		if err != nil || len(got) != 1 || len(failures) != 1 || failures[0].Reason != "MISSING" {
			t.Fatalf("got %v, %v, %v", got, failures, err)
		}
		r.desire(0)
		r.until("one is left", func() bool { return len(r.states()) == 1 })
		r.desire(1)
		r.deploy(nil, nil)
		time.Sleep(9 * time.Minute)
		if task, _ := r.Task("c", old); task.LastStatus != model.TaskRunning {
			t.Errorf("the protected task is %s", task.LastStatus)
		}
		if said := strings.Join(r.said(), "\n"); !strings.Contains(said, "was unable to scale in due to (reason 1 tasks under protection)") {
			t.Errorf("events:\n%s", said)
		}
		r.stable(1)
		if task, _ := r.Task("c", old); task.LastStatus == model.TaskRunning {
			t.Error("the task runs on after its protection")
		}
	})
}
