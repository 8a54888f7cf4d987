package task_test

import (
	"testing"

	"neargate/internal/decide/task"
	"neargate/internal/model"
)

// The container that a task did not start for has the task's reason, others have
// what is known of their own ends; one that was to stop anyway blames none.
func TestTheContainerThatATaskDidNotStartFor(t *testing.T) {
	const pull = "CannotPullContainerError: pull app:v9: not found"
	r := record(nil)
	r.Containers = []model.Container{{Name: "app"}, {Name: "side"}}
	fresh, _ := task.Next(task.New(r, model.TaskDefinition{}), task.Tick{}, start)
	ordered, _ := task.Next(fresh, task.StopOrdered{Code: "UserInitiated", Reason: "bye"}, start)
	known := model.RunState{Containers: []model.ContainerState{{Name: "app"}, {Name: "side", Reason: "OutOfMemoryError: x"}}}
	for _, row := range []struct {
		name      string
		s         task.State
		e         task.NotStarted
		stopped   string
		app, side string
	}{
		{"an image not found", fresh, task.NotStarted{Reason: pull, Container: "app"}, pull, pull, ""},
		{"with what is known", fresh, task.NotStarted{Reason: pull, Container: "app", Run: known}, pull, pull, "OutOfMemoryError: x"},
		{"the task's own", fresh, task.NotStarted{Reason: "ResourceInitializationError: x"}, "ResourceInitializationError: x", "", ""},
		{"an order came first", ordered, task.NotStarted{Reason: pull, Container: "app"}, "bye", "", ""},
	} {
		got, _ := task.Next(row.s, row.e, start)
		c := got.Record.Containers
		if got.Record.StopReason != row.stopped || c[0].Reason != row.app || c[1].Reason != row.side {
			t.Errorf("%s: task %q, app %q, side %q; want %q, %q, %q", row.name, got.Record.StopReason, c[0].Reason, c[1].Reason, row.stopped, row.app, row.side)
		}
	}
}
