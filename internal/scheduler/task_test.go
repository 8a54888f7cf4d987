package scheduler

import (
	"slices"
	"strings"
	"testing"
	"time"

	"neargate/internal/ecs"
	"neargate/internal/model"
	"neargate/internal/runtime/fake"
)

func TestServiceWithoutTargetGroup(t *testing.T) {
	inBubble(t, func(_ *testing.T, r *rig) {
		r.create(1, func(req *ecs.CreateServiceRequest) { req.Settings.LoadBalancers = nil })
		r.stable(1)
		dead := r.eng.Running()[0]
		r.eng.Exit(dead, 0, "")
		r.until("replaced", func() bool { return len(r.running()) == 1 && r.running()[0].ID != dead })
		r.desire(0)
		r.until("none", func() bool { return len(r.eng.Running()) == 0 && len(r.states()) == 0 })
	})
}

func TestServiceStopsTasksThatAreStillStarting(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		r.eng.Set(func(c *fake.Config) { c.StartDelay = time.Hour })
		r.create(2)
		r.until("pending", func() bool { return slices.Equal(r.states(), []string{"PENDING", "PENDING"}) })
		r.desire(0)
		r.until("gone", func() bool { return len(r.states()) == 0 })
		if !slices.Contains(r.said(), "(service s) stopped 2 pending tasks.") {
			t.Errorf("events:\n%s", strings.Join(r.said(), "\n"))
		}
		for _, task := range r.Tasks("c") {
			if task.StopCode != "ServiceSchedulerInitiated" {
				t.Errorf("got %s %q", task.StopCode, task.StopReason)
			}
		}
	})
}

func TestTaskThatExitsAtOnce(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		r.eng.Set(func(c *fake.Config) { c.ExitAtOnce = true })
		r.create(1)
		r.until("tried again", func() bool { return len(r.eng.Runs()) > 2 })
		var task model.Task
		first := r.eng.Runs()[0].ID
		r.until("recorded", func() bool { task, _ = r.Task("c", first); return task.LastStatus == model.TaskStopped })
		if task.StopCode != "EssentialContainerExited" || task.StartedAt.IsZero() || task.Containers[0].ExitCode == nil || *task.Containers[0].ExitCode != 1 {
			t.Errorf("got %s, started %v, exit %v", task.StopCode, task.StartedAt, task.Containers[0].ExitCode)
		}
		if len(r.lb.log) != 0 {
			t.Errorf("a task that had ended was registered: %v", r.lb.log)
		}
		r.eng.Set(func(c *fake.Config) { c.ExitAtOnce = false })
		r.stable(1)
	})
}

func TestStoppedTaskIsDrainedAndReplaced(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		r.create(1)
		r.stable(1)
		r.lb.configure(true, "healthy")
		id := r.eng.Running()[0]
		task, err := r.StopTask(t.Context(), "c", id, "bye")
		if err != nil || task.DesiredStatus != model.TaskStopped || task.LastStatus != model.TaskDeactivating {
			t.Fatalf("got %s %s, %v", task.DesiredStatus, task.LastStatus, err)
		}
		r.until("replacement beside it", func() bool { return len(r.eng.Running()) == 2 && len(r.running()) == 1 })
		r.lb.set(task.IP, "")
		r.until("stopped", func() bool { task, _ = r.Task("c", id); return task.LastStatus == model.TaskStopped })
		if task.StopCode != "UserInitiated" || task.StopReason != "bye" {
			t.Errorf("got %s %q", task.StopCode, task.StopReason)
		}
		if _, err := r.StopTask(t.Context(), "c", id, ""); err != nil {
			t.Errorf("stop again: %v", err)
		}
	})
}

func TestTaskNeedsItsLogGroup(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		def, _ := r.TaskDefinition("web")
		containers := slices.Clone(def.Containers)
		containers[0].Log.Options = map[string]string{"awslogs-group": "/ecs/none", "awslogs-region": "us-east-1", "awslogs-stream-prefix": "web"}
		_, err := r.RegisterTaskDefinition(t.Context(), ecs.RegisterTaskDefinitionRequest{
			Family: "quiet", CPU: "256", Memory: "512", NetworkMode: "awsvpc", Containers: containers,
		})
		if err != nil {
			t.Fatal(err)
		}
		tasks, _, err := r.RunTask(t.Context(), model.Task{Cluster: "c", TaskDefinitionARN: "quiet"}, 1)
		if err != nil {
			t.Fatal(err)
		}
		var task model.Task
		r.until("stopped", func() bool { task, _ = r.Task("c", tasks[0].ID); return task.LastStatus == model.TaskStopped })
		if !strings.HasPrefix(task.StopReason, "ResourceInitializationError: failed to validate logger args") {
			t.Errorf("got %q", task.StopReason)
		}
	})
}

func TestLogStreamIsNamedAsByAWS(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		r.create(1)
		r.stable(1)
		spec := r.eng.Runs()[0]
		if got, want := spec.Containers[0].LogStream, "web/app/"+spec.ID; got != want || spec.Containers[0].LogGroup != "/ecs/web" {
			t.Errorf("got %s in %s, want %s in /ecs/web", got, spec.Containers[0].LogGroup, want)
		}
	})
}

func TestContainerHealthReplacesATask(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		def, _ := r.TaskDefinition("web")
		containers := slices.Clone(def.Containers)
		containers[0].HealthCheck = &model.ContainerHealthCheck{Command: []string{"CMD", "true"}, Interval: 30 * time.Second, Timeout: 5 * time.Second, Retries: 3}
		_, err := r.RegisterTaskDefinition(t.Context(), ecs.RegisterTaskDefinitionRequest{
			Family: "checked", CPU: "256", Memory: "512", NetworkMode: "awsvpc", Containers: containers,
		})
		if err != nil {
			t.Fatal(err)
		}
		r.create(1, func(req *ecs.CreateServiceRequest) {
			req.Settings.TaskDefinition, req.Settings.LoadBalancers = new("checked"), nil
		})
		r.until("running", func() bool { return len(r.running()) == 1 })
		first := r.running()[0].ID
		r.eng.SetHealth(first, "HEALTHY")
		r.stable(1)
		r.eng.SetHealth(first, "UNHEALTHY")
		r.until("replacement", func() bool { return len(r.running()) == 2 })
		for _, task := range r.running() {
			if task.ID != first {
				r.eng.SetHealth(task.ID, "HEALTHY")
			}
		}
		r.until("stopped", func() bool { task, _ := r.Task("c", first); return task.LastStatus == model.TaskStopped })
		task, _ := r.Task("c", first)
		if task.Health != "UNHEALTHY" || task.StopReason != "Task failed container health checks" {
			t.Errorf("got %s %q", task.Health, task.StopReason)
		}
	})
}

// A container that another one waits for is healthy before the task has started.
func TestTheHealthOfAWaitedForContainerIsTheTasks(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		def, _ := r.TaskDefinition("web")
		containers := slices.Clone(def.Containers)
		containers[0].HealthCheck = &model.ContainerHealthCheck{Command: []string{"CMD", "exit", "0"}, Interval: 5 * time.Second, Timeout: 2 * time.Second, Retries: 2}
		late := containers[0]
		late.Name, late.Essential, late.HealthCheck, late.PortMappings = "late", false, nil, nil
		late.DependsOn = []model.Dependency{{Container: containers[0].Name, Condition: "HEALTHY"}}
		_, err := r.RegisterTaskDefinition(t.Context(), ecs.RegisterTaskDefinitionRequest{
			Family: "waited", CPU: "256", Memory: "512", NetworkMode: "awsvpc", Containers: append(containers, late),
		})
		if err != nil {
			t.Fatal(err)
		}
		r.create(1, func(req *ecs.CreateServiceRequest) {
			req.Settings.TaskDefinition, req.Settings.LoadBalancers = new("waited"), nil
		})
		r.stable(1)
		if is := r.running()[0]; is.Health != "HEALTHY" {
			t.Errorf("the task is %s", is.Health)
		}
	})
}

func TestLimitOfTasks(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		r.stop()
		r.tune = func(cfg *Config) { cfg.MaxTasks = 2 }
		r.serve()
		r.create(3)
		r.until("full", func() bool { return slices.Contains(r.said(), "(service s) "+tooManyText) })
		if _, _, err := r.RunTask(t.Context(), model.Task{Cluster: "c", TaskDefinitionARN: "web"}, 1); code(err) != "LimitExceededException" {
			t.Errorf("run one more: got %v", err)
		}
		r.until("two run", func() bool { return len(r.running()) == 2 })
	})
}

func TestServiceTasksSaysWhoIsWhere(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		r.lb.configure(true, "initial")
		r.create(2)
		only := func() model.ServiceTasks {
			if all := r.ServiceTasks(); len(all) == 1 {
				return all[0]
			}
			return model.ServiceTasks{}
		}
		r.until("starting", func() bool { return len(only().Starting) == 2 && len(r.running()) == 2 && only().Deploying })
		r.lb.set("*", "healthy")
		r.until("running", func() bool { v := only(); return len(v.Running) == 2 && len(v.Starting) == 0 && !v.Deploying })
		v := only()
		if v.Cluster != "c" || v.Service != "s" || v.CPUUnits != 256 || v.MemoryMiB != 512 || !slices.Equal(v.TargetGroupARNs, []string{group}) {
			t.Errorf("got %+v", v)
		}
		r.lb.configure(true, "healthy")
		r.desire(1)
		r.until("draining", func() bool { v := only(); return len(v.Running) == 1 && len(v.Draining) == 1 })
	})
}

func TestSweepDropsWhatIsOld(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		svc := r.create(1)
		r.stable(1)
		if _, err := r.DeleteService(t.Context(), "c", "s", true); err != nil {
			t.Fatal(err)
		}
		r.until("inactive", func() bool { svc, _ := r.Service("c", "s"); return svc.Status == model.Inactive })
		r.sweep(t.Context(), time.Now())
		if len(r.Tasks("c")) != 1 || len(r.Services("c")) != 1 {
			t.Errorf("too early: got %d tasks, %d services", len(r.Tasks("c")), len(r.Services("c")))
		}
		r.sweep(t.Context(), time.Now().Add(r.cfg.KeepStopped+time.Second))
		if history := r.ServiceDeployments(svc); len(r.Tasks("c"))+len(r.Services("c"))+len(r.Events("c", "s"))+len(history) != 0 {
			t.Errorf("left: %d tasks, %d services, %d events, %d records", len(r.Tasks("c")), len(r.Services("c")), len(r.Events("c", "s")), len(history))
		}
	})
}

// TestEndedTaskIsLostToItsGroup: nothing answers there any more, so its target
// must not be waited for as that of a task that is told to stop.
func TestEndedTaskIsLostToItsGroup(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		r.create(2)
		r.stable(2)
		dead, stopped := r.running()[0], r.running()[1]
		r.eng.Exit(dead.ID, 1, "")
		r.until("lost", func() bool { return r.lb.did("lose " + dead.IP) })
		if _, err := r.StopTask(t.Context(), "c", stopped.ID, ""); err != nil {
			t.Fatal(err)
		}
		r.until("drained", func() bool { return r.lb.did("deregister " + stopped.IP) })
	})
}
