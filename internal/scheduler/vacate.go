package scheduler

import (
	"context"
	"fmt"
	"sync"
	"time"

	"neargate/internal/decide/rollout"
	"neargate/internal/decide/task"
	"neargate/internal/model"
)

// endText is the stoppedReason of tasks that a server stops when it is told to
// stop. AWS has the code for machines that go, and no text that fits.
const endText = "The server that ran the task was stopped, and its tasks with it."

// StopAll stops every task, where they could not outlive the server, and returns
// when their ends are on disk. Each has its stopTimeout, but what still runs
// after patience is killed. Services keep their desired counts: the next server
// starts their tasks again. From the call on no task is started. Call it while
// Run runs; the error is ctx's.
func (s *Scheduler) StopAll(ctx context.Context, patience time.Duration) error {
	s.ending.Store(true)
	all, over := context.WithCancel(ctx)
	var killing sync.WaitGroup
	killing.Go(func() { s.killLate(all, patience) })
	defer killing.Wait()
	defer over()
	owners := s.eachOwner()
	for _, o := range owners {
		o.post(wake{})
	}
	for _, o := range owners {
		select {
		case <-o.empty:
		case <-ctx.Done():
			return fmt.Errorf("stop all tasks: %w", context.Cause(ctx))
		}
	}
	return nil
}

// killLate kills what has not ended after a while, unless ctx ends before.
func (s *Scheduler) killLate(ctx context.Context, patience time.Duration) {
	late := time.NewTimer(patience)
	defer late.Stop()
	select {
	case <-ctx.Done():
		return
	case <-late.C:
	}
	var killing sync.WaitGroup
	defer killing.Wait()
	for _, t := range s.records.AllTasks() {
		if t.LastStatus == model.TaskStopped {
			continue
		}
		killing.Go(func() {
			if err := s.engine.Kill(ctx, t.ID); err != nil && ctx.Err() == nil {
				s.log.Warn("kill task", "task", t.ID, "err", err)
			}
		})
	}
}

// vacate orders all tasks to stop, as the server ends and they could not outlive
// it.
func (o *owner) vacate(ctx context.Context, now time.Time) {
	o.marks = nil
	var running []string
	for _, e := range o.ordered() {
		if e.Hurried || e.Ended() {
			continue
		}
		if e.phase() == rollout.Running {
			running = append(running, e.Record.ID)
		}
		o.next(ctx, e, task.StopOrdered{Code: "TerminationNotice", Reason: endText, Hurry: true}, now)
	}
	if len(running) > 0 {
		o.journal.say(now, "has stopped %d running tasks: %s.", len(running), tasksOf(running))
	}
}

// vacated notes that the ends of all tasks are on disk, or cannot be.
func (o *owner) vacated() {
	select {
	case <-o.empty:
	default:
		close(o.empty)
	}
}
