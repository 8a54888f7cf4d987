package task_test

import (
	"testing"
	"time"

	"neargate/internal/decide/task"
	"neargate/internal/model"
)

// A task that ends by itself began to end when the engine saw that, not when its
// containers, which had their stopTimeout, were gone.
func TestTheTimesOfAnEnd(t *testing.T) {
	began, ended, now := start.Add(2*time.Second), start.Add(7*time.Second), start.Add(8*time.Second)
	run := model.RunState{StoppingAt: began, StoppedAt: ended, PullStartedAt: start, PullStoppedAt: start.Add(time.Second)}
	ran := run
	ran.StartedAt = start.Add(1500 * time.Millisecond)
	fresh, _ := task.Next(task.New(record(nil), model.TaskDefinition{}), task.Tick{}, start)
	running, _ := task.Next(fresh, task.Started{Run: running()}, start.Add(time.Second))
	ordered, _ := task.Next(running, task.StopOrdered{Code: "UserInitiated", Reason: "bye"}, start.Add(time.Second))
	for _, row := range []struct {
		name     string
		s        task.State
		e        task.Event
		stopping time.Time
	}{
		{"a start that failed", fresh, task.NotStarted{Reason: "Task failed to start: no", Run: run}, began},
		{"an essential container that ended early", fresh, task.NotStarted{Run: run}, began},
		{"an essential container that ended", running, task.Ended{Run: ran}, began},
		{"an order", ordered, task.Ended{Run: ran}, start.Add(time.Second)},
		{"an engine that does not know", running, task.Ended{Run: model.RunState{StoppedAt: ended}}, now},
	} {
		got, _ := task.Next(row.s, row.e, now)
		r := got.Record
		if !r.StoppingAt.Equal(row.stopping) || !r.ExecutionStoppedAt.Equal(ended) || !r.StoppedAt.Equal(now) {
			t.Errorf("%s: stopping at %s, execution stopped at %s, stopped at %s", row.name, r.StoppingAt.Sub(start), r.ExecutionStoppedAt.Sub(start), r.StoppedAt.Sub(start))
		}
		if row.s.Record.StartedAt.IsZero() && (r.PullStartedAt != run.PullStartedAt || r.PullStoppedAt != run.PullStoppedAt) {
			t.Errorf("%s: pulled from %s to %s", row.name, r.PullStartedAt, r.PullStoppedAt)
		}
	}
}
