package scheduler

import (
	"context"
	"testing"
	"time"

	"neargate/internal/ecs"
	"neargate/internal/model"
	"neargate/internal/runtime/fake"
)

// A server whose tasks could not outlive it stops them all, also those that drain,
// start or heed no signal, within its patience. The next one knows why, and has the
// services' tasks run again.
func TestStopAll(t *testing.T) {
	const patience = 7 * time.Second
	inBubble(t, func(t *testing.T, r *rig) {
		r.register("stubborn", func(d *ecs.RegisterTaskDefinitionRequest) { d.Containers[0].Command = []string{"stubborn"} })
		r.create(3)
		r.stable(3)
		r.lb.mu.Lock()
		r.lb.hold = true // targets drain for ever
		r.lb.mu.Unlock()
		r.desire(2)
		r.until("one drains", func() bool { return len(r.running()) == 2 && len(r.states()) == 3 })
		run := func(definition string) model.Task {
			tasks, _, err := r.RunTask(t.Context(), model.Task{Cluster: "c", TaskDefinitionARN: definition}, 1)
			if err != nil {
				t.Fatal(err)
			}
			return tasks[0]
		}
		stubborn := run("stubborn")
		r.until("the stubborn one runs", func() bool { return len(r.running()) == 3 })
		r.eng.Set(func(c *fake.Config) { c.StartDelay = time.Hour })
		starting := run("web")
		r.until("one starts", func() bool { return len(r.states()) == 5 })

		begin := time.Now()
		if err := r.StopAll(t.Context(), patience); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(begin); took > patience+time.Second {
			t.Errorf("it took %s", took)
		}
		late := run("web")
		time.Sleep(time.Minute) // virtual: nothing is started any more
		if got := r.eng.Running(); len(got) > 0 {
			t.Errorf("%v run", got)
		}
		drained := 0
		for _, task := range r.Tasks("c") {
			code := "none"
			if c := task.Containers[0].ExitCode; c != nil {
				code = map[int]string{137: "killed", 143: "stopped"}[*c]
			}
			want := "stopped"
			switch task.ID {
			case stubborn.ID:
				want = "killed"
			case starting.ID, late.ID:
				want = "none"
			}
			if task.StopCode == "ServiceSchedulerInitiated" {
				drained++
			} else if task.StopCode != "TerminationNotice" || task.StopReason != endText {
				t.Errorf("task %s has %s, %q", task.ID, task.StopCode, task.StopReason)
			}
			if task.LastStatus != model.TaskStopped || code != want {
				t.Errorf("task %s is %s, its container %s, want STOPPED, %s", task.ID, task.LastStatus, code, want)
			}
		}
		if svc, _ := r.Service("c", "s"); svc.DesiredCount != 2 || drained != 1 {
			t.Errorf("the service is to have %d tasks, %d had an order before, want 2 and 1", svc.DesiredCount, drained)
		}
		r.stop()
		r.eng.Set(func(c *fake.Config) { c.StartDelay = 0 })
		r.serve()
		r.until("the service's tasks run again", func() bool { return len(r.running()) == 2 })
	})
}

// What cannot be written in time does not keep a server from its end.
func TestStopAllEndsWithItsContext(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		r.create(1)
		r.stable(1)
		r.eng.Set(func(c *fake.Config) { c.StopDelay = time.Hour })
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := r.StopAll(ctx, time.Minute); err == nil {
			t.Error("no error, though a task goes on")
		}
		r.eng.EndAll()
	})
}
