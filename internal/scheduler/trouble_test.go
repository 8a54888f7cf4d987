package scheduler

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"neargate/internal/ecs"
	"neargate/internal/model"
	"neargate/internal/runtime/fake"
)

// other is a second target group.
var other = strings.Replace(group, "/web/", "/other/", 1)

func groupsOf(arns ...string) []model.ServiceLoadBalancer {
	var all []model.ServiceLoadBalancer
	for _, arn := range arns {
		all = append(all, model.ServiceLoadBalancer{TargetGroupARN: arn, ContainerName: "app", ContainerPort: appPort})
	}
	return all
}

func inTwoGroups(req *ecs.CreateServiceRequest) { req.Settings.LoadBalancers = groupsOf(group, other) }

// A service with two target groups, of which one is deleted, goes on, tells of
// it, and leaves neither task nor target.
func TestOneOfTwoTargetGroupsIsDeleted(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		r.create(2, inTwoGroups)
		r.stable(2)
		r.lb.remove(other)
		r.desire(3)
		r.until("a third task runs", func() bool { return len(r.running()) == 3 && r.lb.count() == 3 })
		for _, want := range []string{
			"(service s) failed to register targets in (target-group " + other + ") with (error One or more target groups not found)",
			"(service s) failed to describe target health in (target-group " + other + ") with (error One or more target groups not found)",
		} {
			r.until("told: "+want, func() bool { return slices.Contains(r.said(), want) })
		}
		time.Sleep(5 * time.Minute)
		if n := len(slices.DeleteFunc(r.said(), func(e string) bool { return !strings.Contains(e, "failed to register") })); n != 1 {
			t.Errorf("the refusal was told %d times in five minutes, want once", n)
		}
		r.eng.Exit(r.eng.Running()[0], 1, "")
		r.until("replaced", func() bool { return len(r.running()) == 3 && r.lb.count() == 3 })
		r.desire(0)
		r.until("none", func() bool { return len(r.states()) == 0 && r.lb.count() == 0 && len(r.eng.Running()) == 0 })
	})
}

// A target group that does not release a target holds the end of its task up
// for a while only, and is asked until it does.
func TestTargetsThatCannotBeDeregistered(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		r.create(1)
		r.stable(1)
		r.lb.fail(errors.New("write target: no space left on device"))
		began := time.Now()
		r.desire(0)
		r.until("the containers end", func() bool { return len(r.eng.Running()) == 0 })
		if took := time.Since(began); took > 20*time.Second {
			t.Errorf("took %v", took)
		}
		if r.lb.count() != 1 {
			t.Fatalf("got %d targets, want the one that cannot go", r.lb.count())
		}
		r.lb.fail(nil)
		r.until("the target goes", func() bool { return r.lb.count() == 0 })
	})
}

// fullDisk is records that cannot be written while it is full.
type fullDisk struct {
	*ecs.Catalogue
	full atomic.Bool
}

func (d *fullDisk) Record(ctx context.Context, cluster, service string, tasks []model.Task, events []model.ServiceEvent) error {
	if d.full.Load() {
		return errors.New("no space left on device")
	}
	return d.Catalogue.Record(ctx, cluster, service, tasks, events)
}

// What happens while nothing can be written is not forgotten: the end of a task
// with its exit code, and the events.
func TestFailedWriteForgetsNothing(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		disk := &fullDisk{}
		r.stop()
		r.wrap = func(c *ecs.Catalogue) records { disk.Catalogue = c; return disk }
		r.serve()
		r.create(2)
		r.stable(2)
		disk.full.Store(true)
		dead := r.eng.Running()[0]
		r.eng.Exit(dead, 137, "OutOfMemoryError: Container killed due to memory usage")
		stopped := r.eng.Running()[0]
		if _, err := r.StopTask(t.Context(), "c", stopped, "bye"); err == nil {
			t.Error("an order that could not be written was acknowledged")
		}
		r.until("both are replaced", func() bool { return len(r.eng.Runs()) == 4 && !slices.Contains(r.eng.Running(), stopped) })
		time.Sleep(time.Minute)
		if task, _ := r.Task("c", dead); task.LastStatus != model.TaskRunning {
			t.Fatalf("the record was written: %s", task.LastStatus)
		}
		disk.full.Store(false)
		r.until("recorded", func() bool {
			a, _ := r.Task("c", dead)
			b, _ := r.Task("c", stopped)
			return a.LastStatus == model.TaskStopped && b.LastStatus == model.TaskStopped
		})
		task, _ := r.Task("c", dead)
		if code := task.Containers[0].ExitCode; code == nil || *code != 137 || task.StopCode != "EssentialContainerExited" {
			t.Errorf("got %s, exit %v", task.StopCode, code)
		}
		if task, _ = r.Task("c", stopped); task.StopCode != "UserInitiated" || task.StopReason != "bye" {
			t.Errorf("got %s %q", task.StopCode, task.StopReason)
		}
		r.stable(2)
		started := slices.DeleteFunc(r.said(), func(e string) bool { return !strings.Contains(e, "has started") })
		if len(started) < 2 {
			t.Errorf("events were lost:\n%s", strings.Join(r.said(), "\n"))
		}
	})
}

// When the scheduler is ready, the records show what runs, not what ran.
func TestReadyWhenTheRecordsAreTrue(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		r.create(20)
		r.stable(20)
		r.stop()
		for _, id := range r.eng.Running() {
			r.eng.Exit(id, 137, "")
		}
		r.eng.Set(func(c *fake.Config) { c.StartDelay = time.Hour })
		r.serve()
		<-r.Ready()
		if got := len(r.running()); got != 0 {
			t.Errorf("the records show %d running tasks, none runs", got)
		}
		r.until("they are replaced", func() bool { return len(r.states()) == 20 })
	})
}

// A target that a dead server did not get to deregister goes at the next start,
// unless another task has its address by then.
func TestRestartDeregistersWhatIsLeft(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		r.create(1)
		r.stable(1)
		old := r.running()[0]
		r.desire(0)
		r.until("none", func() bool { return len(r.states()) == 0 && r.lb.count() == 0 })
		r.stop()
		left := []model.Target{{IP: old.IP, Port: appPort}}
		if err := r.lb.RegisterTargets(t.Context(), group, left); err != nil {
			t.Fatal(err)
		}
		r.serve()
		r.until("gone", func() bool { return r.lb.count() == 0 })
	})
}

// What does not fit the machine is told, and is placed when there is room.
func TestCapacityOfTheMachine(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		r.stop()
		r.eng.Set(func(c *fake.Config) { c.CPUUnits, c.MemoryMiB = 1024, 2048 })
		r.serve()
		tasks, failures, err := r.RunTask(t.Context(), model.Task{Cluster: "c", TaskDefinitionARN: "web", CPUUnits: 256, MemoryMiB: 1024}, 3)
		if err != nil || len(tasks) != 2 || len(failures) != 1 || failures[0].Reason != "RESOURCE:MEMORY" || failures[0].Detail == "" {
			t.Fatalf("got %d tasks, failures %+v, %v, want two and RESOURCE:MEMORY", len(tasks), failures, err)
		}
		r.create(2)
		want := "(service s) " + noMemoryText
		r.until("told", func() bool { return slices.Contains(r.said(), want) })
		time.Sleep(time.Minute)
		if n := len(slices.DeleteFunc(r.said(), func(e string) bool { return e != want })); n != 1 || len(r.eng.Running()) != 2 {
			t.Errorf("told %d times with %d tasks running, want once, with the two of RunTask", n, len(r.eng.Running()))
		}
		for _, task := range tasks {
			r.until("runs", func() bool { now, _ := r.Task("c", task.ID); return now.LastStatus == model.TaskRunning })
			if _, err := r.StopTask(t.Context(), "c", task.ID, ""); err != nil {
				t.Fatal(err)
			}
		}
		r.stable(2)
		_, failures, err = r.RunTask(t.Context(), model.Task{Cluster: "c", TaskDefinitionARN: "web", CPUUnits: 16 * 1024, MemoryMiB: 512}, 1)
		if err != nil || len(failures) != 1 || failures[0].Reason != "RESOURCE:CPU" {
			t.Errorf("16 vCPU on one CPU: got %+v, %v, want RESOURCE:CPU", failures, err)
		}
	})
}
