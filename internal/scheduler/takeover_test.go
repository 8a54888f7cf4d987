package scheduler

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"neargate/internal/model"
	"neargate/internal/random"
	"neargate/internal/runtime/fake"
)

func TestRestartKeepsRunningTasks(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		r.create(3)
		r.stable(3)
		ids := r.eng.Running()
		said := r.said()
		r.stop()
		r.eng.Exit(ids[0], 1, "") // while nobody looks
		stray, foreign := r.eng.Runs()[0], r.eng.Runs()[0]
		stray.ID = random.Hex(32)
		foreign.ID, foreign.Labels = random.Hex(32), nil
		for _, spec := range []model.TaskSpec{stray, foreign} {
			if _, err := r.eng.Start(t.Context(), spec); err != nil {
				t.Fatal(err)
			}
		}
		r.serve()
		r.until("replacement", func() bool {
			dead, _ := r.Task("c", ids[0])
			return dead.LastStatus == model.TaskStopped && len(r.running()) == 3 && len(r.eng.Running()) == 4
		})
		running := r.eng.Running()
		for _, id := range ids[1:] {
			if !slices.Contains(running, id) {
				t.Errorf("task %s did not outlive the restart", id)
			}
		}
		if slices.Contains(running, stray.ID) {
			t.Error("a task that no record knows still runs")
		}
		if !slices.Contains(running, foreign.ID) {
			t.Error("a task without our labels was stopped")
		}
		dead, _ := r.Task("c", ids[0])
		if dead.LastStatus != model.TaskStopped || dead.StopCode != "EssentialContainerExited" || dead.Containers[0].ExitCode == nil {
			t.Errorf("the task that ended meanwhile: %s %s, exit %v", dead.LastStatus, dead.StopCode, dead.Containers[0].ExitCode)
		}
		if diff := cmp.Diff(said, r.said()[:len(said)]); diff != "" {
			t.Errorf("events before the restart changed:\n%s", diff)
		}
		r.until("target of the dead task gone", func() bool { return r.lb.state(dead.IP) == "" })
	})
}

func TestRestartWhenNothingHappenedSaysNothing(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		r.create(2)
		r.stable(2)
		said := r.said()
		r.stop()
		r.serve()
		r.desire(3)
		r.until("scaled", func() bool { return len(r.running()) == 3 && len(r.said()) > len(said) })
		if got := r.said()[len(said)]; !strings.Contains(got, "has started 1 tasks") {
			t.Errorf("first event after the restart: %q", got)
		}
		if got := len(r.eng.Runs()); got != 3 {
			t.Errorf("got %d starts, want 3", got)
		}
	})
}

func TestRestartRegistersMissingTargets(t *testing.T) {
	inBubble(t, func(_ *testing.T, r *rig) {
		r.create(2)
		r.stable(2)
		lost := r.running()[0]
		r.stop()
		r.lb.set(lost.IP, "")
		r.serve()
		r.until("registered again", func() bool { return r.lb.state(lost.IP) == "healthy" })
	})
}

func TestRestartGoesOnStopping(t *testing.T) {
	inBubble(t, func(_ *testing.T, r *rig) {
		r.create(2)
		r.stable(2)
		r.lb.configure(true, "healthy")
		r.desire(1)
		r.until("one drains", func() bool { return len(r.ServiceTasks()) == 1 && len(r.ServiceTasks()[0].Draining) == 1 })
		var leaving model.Task
		r.until("recorded", func() bool {
			i := slices.IndexFunc(r.Tasks("c"), func(t model.Task) bool { return t.LastStatus == model.TaskDeactivating })
			if i < 0 {
				return false
			}
			leaving = r.Tasks("c")[i]
			return r.lb.state(leaving.IP) == "draining"
		})
		r.stop()
		r.serve()
		r.until("still draining", func() bool { v := r.ServiceTasks(); return len(v) == 1 && len(v[0].Draining) == 1 })
		r.lb.set(leaving.IP, "")
		r.until("stopped", func() bool { task, _ := r.Task("c", leaving.ID); return task.LastStatus == model.TaskStopped })
		r.stable(1)
	})
}

func TestRestartWhileTasksStart(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		r.eng.Set(func(c *fake.Config) { c.StartDelay = 1 << 40 })
		r.create(1)
		r.until("starting", func() bool { return len(r.eng.Runs()) == 1 && slices.Contains(r.states(), "PENDING") })
		first := r.Tasks("c")[0].ID
		r.stop()
		r.eng.Set(func(c *fake.Config) { c.StartDelay = 0 })
		r.serve()
		r.stable(1)
		task, _ := r.Task("c", first)
		if task.LastStatus != model.TaskRunning || task.Starts != 2 || len(r.Tasks("c")) != 1 {
			t.Errorf("the task that was starting: %s after %d starts, of %d tasks", task.LastStatus, task.Starts, len(r.Tasks("c")))
		}
	})
}
