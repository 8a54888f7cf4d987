package local

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"sync"
	"time"

	"neargate/internal/model"
	"neargate/internal/runtime/local/logfile"
	"neargate/internal/runtime/local/supervisor"
)

// followPause is the time between two looks at the containers' output.
const followPause = 250 * time.Millisecond

// Serve ships the containers' output to the logs, and keeps room on the disk,
// until ctx ends.
func (e *Engine) Serve(ctx context.Context) error {
	var guard sync.WaitGroup
	defer guard.Wait()
	defer e.forwards.Wait()
	guard.Go(func() { e.guardDisk(ctx) })
	ticker := time.NewTicker(followPause)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			for _, t := range e.all() {
				e.drain(ctx, t, t.hasEnded())
			}
		case <-ctx.Done():
			return nil
		}
	}
}

// openFollows opens the readers for the task's containers.
func (e *Engine) openFollows(t *task) {
	t.followMu.Lock()
	defer t.followMu.Unlock()
	for i, c := range t.rec.Spec.Containers {
		if c.LogTag != "" && t.rec.Spec.Router != nil {
			f, err := newForwarder(t, c, model.RuntimeID(t.id, i))
			if err != nil {
				e.log.Warn("a container's output is not followed", "task", t.id, "container", c.Name, "error", err)
				continue
			}
			t.forwarders = append(t.forwarders, f)
		}
		if c.LogGroup == "" {
			continue
		}
		r, err := logfile.Open(supervisor.LogDir(t.dir, c.Name))
		if err != nil {
			e.log.Warn("a container's output is not followed", "task", t.id, "container", c.Name, "error", err)
			continue
		}
		f := &follow{group: c.LogGroup, stream: c.LogStream, reader: r}
		if pattern, _, _ := c.Log.EventPattern(); pattern != "" {
			if f.begins, err = regexp.Compile(pattern); err != nil {
				e.log.Warn("each line of a container's output is an event", "task", t.id, "container", c.Name, "error", err)
			}
		}
		t.follows = append(t.follows, f)
	}
}

// drain ships all that the task's containers have written so far. What the sink
// refuses is offered again the next time, but for what it panics at. An ended
// task writes no more.
func (e *Engine) drain(ctx context.Context, t *task, ended bool) {
	over := ended
	t.followMu.Lock()
	defer t.followMu.Unlock()
	for _, f := range t.follows {
		if f.lost {
			continue
		}
		err := e.guard(t.id, func() error { return e.ship(ctx, f, ended) })
		f.lost = errors.Is(err, errPanic)
		if err != nil && !f.failing && ctx.Err() == nil {
			e.log.Warn("output is held back", "task", t.id, "stream", f.stream, "error", err)
		}
		f.failing = err != nil
		over = over && (err == nil || f.lost)
	}
	for _, f := range t.forwarders {
		if !ended {
			e.forward(ctx, t, f)
		} else if lost := f.close(true); lost > 0 {
			e.log.Warn("output has not reached the task's log router, which has ended", "task", t.id, "container", f.container, "lines", lost)
		}
	}
	if ended {
		t.forwarders = nil
	}
	if over {
		t.unfollowLocked()
	}
}

// ship appends what the container has printed. ended says that it prints no more.
func (e *Engine) ship(ctx context.Context, f *follow, ended bool) error {
	for {
		lines, err := f.reader.Next()
		if err != nil || len(lines) == 0 {
			return err
		}
		taken := len(lines)
		if f.begins != nil {
			if lines, taken = logfile.Gather(lines, f.begins, time.Now(), ended); taken == 0 {
				return nil
			}
		}
		if err := e.logs.Append(ctx, f.group, f.stream, lines); err != nil {
			return fmt.Errorf("append to log: %w", err)
		}
		if err := f.reader.CommitFirst(taken); err != nil {
			return err
		}
	}
}
