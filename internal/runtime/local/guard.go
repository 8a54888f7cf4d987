package local

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"

	"neargate/internal/runtime/local/supervisor"
)

// errPanic is the error of a step that panicked.
var errPanic = errors.New("internal error")

// guard runs a step of the work on one task or image, the subject, and turns a
// panic into the step's error: what an image or a definition sets off ends that
// task and no other.
func (e *Engine) guard(subject string, step func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			e.log.Error("panic in the work on a task", "subject", subject, "panic", p, "stack", string(debug.Stack()))
			err = fmt.Errorf("%w: %v", errPanic, p)
		}
	}()
	return step()
}

// abandon ends a task that cannot be watched any more: its supervisor is
// killed, and what is known of it becomes its end.
func (e *Engine) abandon(ctx context.Context, t *task) {
	if t.hasEnded() {
		return
	}
	if err := killSupervisors(ctx, e.id, t.id); err != nil {
		e.log.Warn("left something behind", "task", t.id, "error", err)
	}
	t.learnLast(supervisor.Report{})
	e.finish(ctx, t)
}
