package scheduler

import (
	"context"
	"fmt"
	"strings"
	"time"

	"neargate/internal/decide/placement"
	"neargate/internal/decide/rollout"
	"neargate/internal/decide/task"
	"neargate/internal/model"
)

// entry is a task with what its owner keeps beside its state.
type entry struct {
	task.State
	again time.Time // a Tick is due; zero: none

	cancel       context.CancelCauseFunc // ends the start under way; nil: none is
	healthySince time.Time
	occupies     bool // has room of the server's capacity
	blamed       bool // an event has said that it is unhealthy
	waiting      []waiter
}

// waiter is a caller of StopTask who waits for his order to be on disk.
type waiter struct {
	answer chan<- stopAnswer
	record model.Task
}

func (e *entry) size() placement.Size {
	return placement.Size{CPUUnits: e.Record.CPUUnits, MemoryMiB: e.Record.MemoryMiB}
}

// answer answers all who wait.
func (e *entry) answer(err error) {
	for _, w := range e.waiting {
		w.answer <- stopAnswer{w.record, err}
	}
	e.waiting = nil
}

// phase is the task's place in a rollout.
func (e *entry) phase() rollout.Phase {
	switch e.Record.LastStatus {
	case model.TaskProvisioning, model.TaskPending, model.TaskActivating:
		if e.StopOrdered() {
			return rollout.Stopping
		}
		return rollout.Starting
	case model.TaskRunning:
		return rollout.Running
	case model.TaskDeactivating:
		return rollout.Draining
	default:
		return rollout.Stopping
	}
}

// exitOf tells how the containers of a task ended.
func exitOf(t model.Task) string {
	var ends []string
	for _, c := range t.Containers {
		switch {
		case c.Reason != "":
			ends = append(ends, fmt.Sprintf("container %s: %s", c.Name, c.Reason))
		case c.ExitCode != nil:
			ends = append(ends, fmt.Sprintf("container %s exited with code %d", c.Name, *c.ExitCode))
		}
	}
	if len(ends) == 0 {
		return t.StopReason
	}
	return strings.Join(ends, ", ")
}
