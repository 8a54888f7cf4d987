package scheduler

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"neargate/internal/ecs"
	"neargate/internal/model"
)

func TestServiceScalesOutAndIn(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		r.create(2)
		r.stable(2)
		r.desire(3)
		r.stable(3)
		r.desire(2)
		r.stable(2)
		r.until("steady again", func() bool { return len(regroup(r.said())) == 11 })
		want := []string{
			"(service s) has started 2 tasks: (task T1) (task T2).",
			"(service s) registered 2 targets in (target-group TG)",
			"(service s) (deployment D1) deployment completed.",
			"(service s) has reached a steady state.",
			"(service s) has started 1 tasks: (task T3).",
			"(service s) registered 1 targets in (target-group TG)",
			"(service s) has reached a steady state.",
			"(service s) has stopped 1 running tasks: (task T3).",
			"(service s) deregistered 1 targets in (target-group TG)",
			"(service s, taskSet D1) has begun draining connections on 1 tasks.",
			"(service s) has reached a steady state.",
		}
		if diff := cmp.Diff(want, regroup(r.said())); diff != "" {
			t.Errorf("events (-want +got):\n%s", diff)
		}
		if r.lb.count() != 2 {
			t.Errorf("got %d targets, want 2", r.lb.count())
		}
	})
}

// regroup joins "registered 1 targets" said twice in a row, as two tasks of one
// order may start a moment apart.
func regroup(events []string) []string {
	var all []string
	for _, e := range events {
		one := "(service s) registered 1 targets in (target-group TG)"
		if n := len(all); n > 0 && all[n-1] == one && e == one {
			all[n-1] = strings.Replace(one, "1", "2", 1)
			continue
		}
		all = append(all, e)
	}
	return all
}

func TestServiceDrainsBeforeItStops(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		r.create(2)
		r.stable(2)
		r.lb.configure(true, "healthy")
		r.desire(1)
		r.until("draining", func() bool { return slices.Contains(r.states(), string(model.TaskDeactivating)) })
		var leaving model.Task
		for _, task := range r.Tasks("c") {
			if task.LastStatus == model.TaskDeactivating {
				leaving = task
			}
		}
		r.until("target drains", func() bool { return r.lb.state(leaving.IP) == "draining" })
		if got := len(r.eng.Running()); got != 2 {
			t.Fatalf("got %d running in the engine while draining, want 2", got)
		}
		r.lb.set(leaving.IP, "")
		r.until("stopped", func() bool { return len(r.eng.Running()) == 1 && len(r.states()) == 1 })
		got, _ := r.Task("c", leaving.ID)
		if got.StopCode != "ServiceSchedulerInitiated" || !strings.HasPrefix(got.StopReason, "Scaling activity initiated by (deployment ecs-svc/") {
			t.Errorf("got %s, %s", got.StopCode, got.StopReason)
		}
		if got.Containers[0].ExitCode == nil || *got.Containers[0].ExitCode != 143 {
			t.Errorf("got exit code %v, want 143", got.Containers[0].ExitCode)
		}
	})
}

func TestServiceTakesDrainingTasksBack(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		r.create(3)
		r.stable(3)
		before := r.eng.Running()
		r.lb.configure(true, "healthy")
		r.desire(1)
		r.until("two draining", func() bool {
			v := r.ServiceTasks()[0]
			n := 0
			for _, ip := range r.Tasks("c") {
				if r.lb.state(ip.IP) == "draining" {
					n++
				}
			}
			return n == 2 && len(v.Draining) == 2 && len(v.Running) == 1
		})
		r.desire(3)
		r.stable(3)
		if diff := cmp.Diff(before, r.eng.Running()); diff != "" {
			t.Errorf("tasks changed (-before +after):\n%s", diff)
		}
		if got := len(r.eng.Runs()); got != 3 {
			t.Errorf("got %d starts, want 3", got)
		}
	})
}

func TestServiceRollsOutANewRevision(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		r.create(2)
		r.stable(2)
		old := r.eng.Running()
		def := r.register("web")
		_, err := r.UpdateService(t.Context(), ecs.UpdateServiceRequest{Cluster: "c", Name: "s", Settings: ecs.ServiceSettings{TaskDefinition: &def.ARN}})
		if err != nil {
			t.Fatal(err)
		}
		r.until("new deployment", func() bool { svc, _ := r.Service("c", "s"); return svc.Deployments[0].TaskDefinitionARN == def.ARN })
		r.stable(2)
		for _, id := range r.eng.Running() {
			if slices.Contains(old, id) {
				t.Errorf("task %s of the old deployment still runs", id)
			}
		}
		said := r.said()
		completed := slices.Index(said, "(service s) (deployment D2) deployment completed.")
		stopped := slices.IndexFunc(said, func(e string) bool { return strings.Contains(e, "has stopped") })
		if stopped < 0 || completed < stopped {
			t.Errorf("old tasks must stop before the deployment completes:\n%s", strings.Join(said, "\n"))
		}
		svc, _ := r.Service("c", "s")
		recs := r.ServiceDeployments(svc)
		if len(recs) != 2 || recs[0].Status != model.DeploymentSuccessful || recs[1].Status != model.DeploymentSuccessful {
			t.Errorf("got %d service deployments, want two SUCCESSFUL: %+v", len(recs), recs)
		}
	})
}

func TestServiceReplacesWhatDies(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		r.create(2)
		r.stable(2)
		dead := r.eng.Running()[0]
		r.eng.Exit(dead, 137, "OutOfMemoryError: Container killed due to memory usage")
		r.until("replacement", func() bool { return len(r.eng.Running()) == 2 && len(r.running()) == 2 })
		var got model.Task
		r.until("recorded", func() bool { got, _ = r.Task("c", dead); return got.LastStatus == model.TaskStopped })
		want := []string{"EssentialContainerExited", "Essential container in task exited", "OutOfMemoryError: Container killed due to memory usage"}
		if diff := cmp.Diff(want, []string{got.StopCode, got.StopReason, got.Containers[0].Reason}); diff != "" {
			t.Errorf("dead task (-want +got):\n%s", diff)
		}
		if state := r.lb.state(got.IP); state != "" {
			t.Errorf("its target is still there: %s", state)
		}
		want = []string{
			"(service s) deregistered 1 targets in (target-group TG)",
			"(service s, taskSet D1) has begun draining connections on 1 tasks.",
			"(service s) has started 1 tasks: (task T3).",
			"(service s) registered 1 targets in (target-group TG)",
			"(service s) has reached a steady state.",
		}
		r.until("told", func() bool { return len(regroup(r.said())) >= 9 })
		if diff := cmp.Diff(want, regroup(r.said())[4:]); diff != "" {
			t.Errorf("events (-want +got):\n%s", diff)
		}
	})
}

func TestServiceReplacesUnhealthyFirstThenStops(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		r.create(2)
		r.stable(2)
		sick := r.running()[0]
		r.lb.set(sick.IP, "unhealthy")
		r.until("stopped", func() bool { task, _ := r.Task("c", sick.ID); return task.LastStatus == model.TaskStopped })
		r.stable(2)
		said := r.said()
		at := func(part string) int {
			return slices.IndexFunc(said, func(e string) bool { return strings.Contains(e, part) })
		}
		started, unhealthy, stop := at("(task T3)"), at("(port 8080) is unhealthy in (target-group TG) due to (reason Request timed out)"), at("has stopped 1 running")
		if started < 0 || started > unhealthy || unhealthy > stop {
			t.Errorf("want start, unhealthy, stop; got\n%s", strings.Join(said, "\n"))
		}
		task, _ := r.Task("c", sick.ID)
		if want := "Task failed ELB health checks in (target-group " + group + ")"; task.StopReason != want {
			t.Errorf("got reason %q, want %q", task.StopReason, want)
		}
	})
}

func TestServiceThatCrashesIsNotStartedInATightLoop(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		r.create(1, func(req *ecs.CreateServiceRequest) { req.Settings.LoadBalancers = nil })
		for range 4 {
			r.until("runs", func() bool { return len(r.eng.Running()) == 1 })
			r.eng.Exit(r.eng.Running()[0], 1, "")
		}
		r.until("counted", func() bool { svc, _ := r.Service("c", "s"); return svc.Deployments[0].Crashes == 4 })
		svc, _ := r.Service("c", "s")
		starts := r.eng.Runs()
		if d := svc.Deployments[0]; r.cfg.Backoff.Retry(d).Sub(d.CrashedAt) != 80*time.Millisecond || len(starts) < 4 {
			t.Errorf("got next start %v after the crash, %d starts", r.cfg.Backoff.Retry(d).Sub(d.CrashedAt), len(starts))
		}
		if slices.Contains(r.said(), "(service s) "+impairedText) {
			t.Error("a task that reached RUNNING must not count as one that cannot start")
		}
	})
}

func TestServiceThatCannotStartBacksOff(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		r.eng.Break(model.Errorf(model.NotFound, "CannotPullContainerError", "web:1: not found"))
		r.create(1)
		r.until("impaired", func() bool {
			return slices.Contains(r.said(), "(service s) is unable to consistently start tasks successfully.")
		})
		task := r.Tasks("c")[0]
		if task.StopCode != "TaskFailedToStart" || task.StopReason != "CannotPullContainerError: web:1: not found" {
			t.Errorf("got %s %q", task.StopCode, task.StopReason)
		}
		r.eng.Break(nil)
		r.stable(1)
	})
}

func TestServiceRollsBackABrokenDeployment(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		r.create(1, func(req *ecs.CreateServiceRequest) {
			req.Settings.Rollout.Breaker = &ecs.Breaker{Enable: true, Rollback: true}
		})
		r.stable(1)
		good := r.eng.Running()
		def := r.register("web")
		r.eng.Break(model.Errorf(model.Internal, "CannotStartContainerError", "no such file"))
		_, err := r.UpdateService(t.Context(), ecs.UpdateServiceRequest{Cluster: "c", Name: "s", Settings: ecs.ServiceSettings{TaskDefinition: &def.ARN}})
		if err != nil {
			t.Fatal(err)
		}
		r.until("rolled back", func() bool {
			svc, _ := r.Service("c", "s")
			recs := r.ServiceDeployments(svc)
			return len(svc.Deployments) == 1 && svc.TaskDefinitionARN != def.ARN && recs[0].Status == model.DeploymentRolledBack
		})
		if diff := cmp.Diff(good, r.eng.Running()); diff != "" {
			t.Errorf("tasks changed (-before +after):\n%s", diff)
		}
		for _, want := range []string{
			"(service s) failed to launch a task with (error CannotStartContainerError: no such file).",
			"(service s) (deployment D2) deployment failed: tasks failed to start.", "(service s) rolling back to deployment D1.",
		} {
			r.until("told: "+want, func() bool { return slices.Contains(r.said(), want) })
		}
	})
}

func TestServiceDeleted(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		r.create(2)
		r.stable(2)
		if _, err := r.DeleteService(t.Context(), "c", "s", false); code(err) != "InvalidParameterException" {
			t.Errorf("delete above 0 without force: got %v", err)
		}
		if _, err := r.DeleteService(t.Context(), "c", "s", true); err != nil {
			t.Fatal(err)
		}
		r.until("inactive", func() bool {
			svc, _ := r.Service("c", "s")
			return svc.Status == model.Inactive && len(r.eng.Running()) == 0
		})
		if err := r.SetDesiredCount(t.Context(), "c", "s", 1); code(err) != "ServiceNotActiveException" {
			t.Errorf("scale a deleted service: got %v", err)
		}
		if _, err := r.DeleteCluster(t.Context(), "c"); err != nil {
			t.Errorf("delete the cluster: %v", err)
		}
		if _, err := r.CreateCluster(t.Context(), ecs.CreateClusterRequest{Name: "c"}); err != nil {
			t.Fatal(err)
		}
		r.create(1)
		r.stable(1)
	})
}

func code(err error) string {
	if e, ok := errors.AsType[*model.Error](err); ok {
		return e.Code
	}
	return ""
}

func TestServiceOrdersThatAreRefused(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		r.create(1)
		tests := []struct {
			name string
			err  error
			want string
		}{
			{"unknown cluster", r.SetDesiredCount(t.Context(), "nope", "s", 1), "ClusterNotFoundException"},
			{"unknown service", r.SetDesiredCount(t.Context(), "c", "nope", 1), "ServiceNotFoundException"},
			{"negative count", r.SetDesiredCount(t.Context(), "c", "s", -1), "InvalidParameterException"},
		}
		for _, tt := range tests {
			if got := code(tt.err); got != tt.want {
				t.Errorf("%s: got %v, want %s", tt.name, tt.err, tt.want)
			}
		}
	})
}
