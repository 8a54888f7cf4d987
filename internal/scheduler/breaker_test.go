package scheduler

import (
	"slices"
	"strings"
	"testing"
	"time"

	"neargate/internal/decide/rollout"
	"neargate/internal/ecs"
	"neargate/internal/model"
)

// live has the rig's scheduler keep the pace of Default, with a pause between
// starts that the tests need not wait for.
func (r *rig) live() {
	r.stop()
	r.tune = func(cfg *Config) { cfg.Timing = Default(testPlace).Timing }
	r.serve()
}

// deploy registers a definition whose container runs a command, and deploys it.
// check is its health check; nil: none.
func (r *rig) deploy(command []string, check *model.ContainerHealthCheck) model.Service {
	r.t.Helper()
	def, _ := r.TaskDefinition("web")
	c := def.Containers[0]
	c.Command, c.HealthCheck = command, check
	def, err := r.RegisterTaskDefinition(r.t.Context(), ecs.RegisterTaskDefinitionRequest{
		Family: "web", CPU: "256", Memory: "512", NetworkMode: "awsvpc", Containers: []model.ContainerDefinition{c},
	})
	if err != nil {
		r.t.Fatal(err)
	}
	svc, err := r.UpdateService(r.t.Context(), ecs.UpdateServiceRequest{Cluster: "c", Name: "s", Settings: ecs.ServiceSettings{TaskDefinition: &def.ARN}})
	if err != nil {
		r.t.Fatal(err)
	}
	return svc
}

func withBreaker(req *ecs.CreateServiceRequest) {
	req.Settings.Rollout.Breaker = &ecs.Breaker{Enable: true, Rollback: true}
}

func withoutTargetGroup(req *ecs.CreateServiceRequest) { req.Settings.LoadBalancers = nil }

// blamed requires one event of every task of a deployment that counted as failed,
// which says this of it.
func (r *rig) blamed(rec model.ServiceDeployment, text string) {
	r.t.Helper()
	said := map[string]int{}
	for _, e := range r.Events("c", "s") {
		for _, task := range r.Tasks("c") {
			if task.DeploymentID == rec.Deployment && strings.Contains(e.Message, "(task "+task.ID+") "+text) {
				said[task.ID]++
			}
		}
	}
	for id, n := range said {
		if n != 1 {
			r.t.Errorf("%d events say that task %s %s", n, id, text)
		}
	}
	if len(said) != rec.FailedTasks || rec.FailedTasks == 0 {
		r.t.Errorf("of %d tasks that failed, events say of %d: %s\n%s", rec.FailedTasks, len(said), text, strings.Join(r.said(), "\n"))
	}
}

// A revision whose tasks never become healthy fails, whatever says so, while the
// tasks of the earlier one serve on; and it is gone back to.
func TestBreakerCountsEveryTaskThatNeverBecameHealthy(t *testing.T) {
	never := &model.ContainerHealthCheck{Command: []string{"CMD", "exit", "1"}, Interval: 5 * time.Second, Timeout: 2 * time.Second, Retries: 1}
	always := &model.ContainerHealthCheck{Command: []string{"CMD", "exit", "0"}, Interval: 5 * time.Second, Timeout: 2 * time.Second, Retries: 1}
	tests := []struct {
		name   string
		groups []model.ServiceLoadBalancer
		bad    func(r *rig) // makes what is deployed from now on bad
		cmd    []string
		check  *model.ContainerHealthCheck
		blame  string // what an event says of each task that failed
	}{
		{name: "image missing", bad: func(r *rig) { r.eng.SetImage("web:1", "") }},
		{name: "does not start", bad: func(r *rig) { r.eng.Break(model.Errorf(model.Internal, "CannotStartContainerError", "no such file")) }},
		{name: "exits at once", cmd: []string{"exit", "1"}},
		{name: "exits after 2 s", cmd: []string{"exit", "1", "2000"}},
		{name: "exits after 2 s, its container check passes", cmd: []string{"exit", "1", "1500"}, check: always},
		{name: "container unhealthy", check: never, blame: "failed container health checks."},
		{
			name: "target unhealthy", groups: groupsOf(group), bad: func(r *rig) { r.lb.configure(false, "unhealthy") },
			blame: "(port 8080) is unhealthy in (target-group " + group + ") due to (reason ",
		},
		{name: "exits behind a target group, before it is healthy", groups: groupsOf(group), cmd: []string{"exit", "1", "300"}, bad: func(r *rig) { r.lb.configure(false, "initial") }},
		{name: "exits behind a target group, healthy for 1 s", groups: groupsOf(group), cmd: []string{"exit", "1", "1000"}},
		{name: "one of two target groups unhealthy", groups: groupsOf(group, other), bad: func(r *rig) { r.lb.sicken(other) }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, r *rig) {
				r.live()
				r.create(3, withBreaker, func(req *ecs.CreateServiceRequest) { req.Settings.LoadBalancers = tt.groups })
				r.stable(3)
				good := r.eng.Running()
				if tt.bad != nil {
					tt.bad(r)
				}
				bad := r.deploy(tt.cmd, tt.check).Deployments[0].ID
				least := 3
				r.until("rolled back", func() bool {
					alive := 0
					for _, id := range r.eng.Running() {
						if slices.Contains(good, id) {
							alive++
						}
					}
					least = min(least, alive)
					svc, _ := r.Service("c", "s")
					return svc.Deployments[0].ID != bad
				})
				svc, _ := r.Service("c", "s")
				recs := r.ServiceDeployments(svc)
				failed := slices.IndexFunc(recs, func(rec model.ServiceDeployment) bool { return rec.Deployment == bad })
				if rec := recs[failed]; rec.FailedTasks < 3 || !rec.Tripped || !strings.HasPrefix(string(rec.Status), "ROLLBACK_") || rec.StatusReason == "" {
					t.Errorf("got %d failed tasks, tripped %v, %s %q, want three or more, tripped, a rollback", rec.FailedTasks, rec.Tripped, rec.Status, rec.StatusReason)
				}
				if tt.blame != "" {
					r.blamed(recs[failed], tt.blame)
				}
				if least < 3 {
					t.Errorf("%d of 3 tasks of the good revision were left", least)
				}
			})
		})
	}
}

// Without a breaker a bad revision is tried for ever; the good one serves on,
// and the bad one is never complete.
func TestCrashingRevisionIsNeverComplete(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		r.live()
		r.create(2, withoutTargetGroup)
		r.stable(2)
		good := r.eng.Running()
		bad := r.deploy([]string{"exit", "1", "2000"}, nil).Deployments[0].ID
		for range 60 {
			time.Sleep(time.Second)
			svc, _ := r.Service("c", "s")
			if d := svc.Deployments[0]; d.ID != bad || d.RolloutState != rollout.InProgress {
				t.Fatalf("the crashing deployment is %s", d.RolloutState)
			}
			for _, id := range good {
				if !slices.Contains(r.eng.Running(), id) {
					t.Fatal("a task of the good revision is gone")
				}
			}
		}
		want := "(service s) failed to launch a task with (error EssentialContainerExited: container app exited with code 1)."
		// Each round of starts has its cause; the two tasks of a round share it.
		started := len(slices.DeleteFunc(r.said(), func(e string) bool { return !strings.Contains(e, "has started 2 tasks") }))
		if n := len(slices.DeleteFunc(r.said(), func(e string) bool { return e != want })); n < 4 || n > started {
			t.Errorf("the cause was told %d times in a minute of %d rounds:\n%s", n, started, strings.Join(r.said(), "\n"))
		}
	})
}

// A scale-out takes part at once: only old tasks, and the end of a deployment,
// wait for new tasks to have lived.
func TestScaleOutDoesNotWait(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		r.live()
		r.create(1)
		r.stable(1)
		began := time.Now()
		r.desire(5)
		r.until("healthy", func() bool { return len(r.ServiceTasks()[0].Running) == 5 })
		if took := time.Since(began); took > 100*time.Millisecond {
			t.Errorf("five tasks were healthy after %v", took)
		}
	})
}
