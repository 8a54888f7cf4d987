package scheduler

import (
	"errors"
	"runtime/debug"
	"time"
)

// panicPause is how long an owner waits after a step that panicked.
const panicPause = 15 * time.Second

var errPanic = errors.New("internal error")

// guard does a step of the work on one service and turns a panic into an error.
// It would come again after each restart, as the record that sets it off is
// kept: so it ends the step and not the server.
func (o *owner) guard(what string, step func()) (err error) {
	defer func() {
		if p := recover(); p != nil {
			o.s.log.Error("panic in the work on a service", "service", o.key, "what", what, "panic", p, "stack", string(debug.Stack()))
			err = errPanic
		}
	}()
	step()
	return nil
}
