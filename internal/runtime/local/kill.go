package local

import (
	"context"
	"fmt"
	"time"

	"neargate/internal/runtime"
	"neargate/internal/runtime/local/supervisor"
)

// Kill ends a task at once, and returns when all is released.
func (e *Engine) Kill(ctx context.Context, id string) error {
	t := e.task(id)
	if t == nil {
		return nil
	}
	ended := t.ended
	if t.abortStart(runtime.ErrStopped, 0) {
		ended = t.undone
	}
	if err := t.send(supervisor.Command{Kill: &supervisor.Kill{}}); err != nil {
		e.log.Debug("task has no supervisor yet, or none any more", "task", id, "error", err)
	}
	late := time.NewTimer(endLimit)
	defer late.Stop()
	for {
		select {
		case <-ended:
			return nil
		case <-late.C:
			e.log.Warn("supervisor does not answer", "task", id)
			if err := killSupervisors(ctx, e.id, id); err != nil {
				return fmt.Errorf("kill task %s: %w", id, err)
			}
		case <-ctx.Done():
			return fmt.Errorf("kill task %s: %w", id, context.Cause(ctx))
		}
	}
}
