package http1

import (
	"context"
	"errors"
	"sync"
	"time"
)

// errLeft is the cause of a Request.Context that ended because the client left.
var errLeft = errors.New("the client has gone")

// watcher looks whether the client leaves while a Claim waits.
type watcher struct {
	ctx    context.Context
	cancel context.CancelCauseFunc
	wg     sync.WaitGroup
}

// watch starts the watcher, or returns the context of the one that runs.
func (c *Conn) watch() context.Context {
	w := &c.watcher
	if w.ctx != nil {
		return w.ctx
	}
	w.ctx, w.cancel = context.WithCancelCause(c.ctx)
	c.readBy = time.Time{}
	if c.socket() == nil {
		return w.ctx // nothing to look into: only the server's end is seen
	}
	_ = c.SetReadDeadline(time.Time{})
	w.wg.Go(func() {
		if c.awaitEnd() {
			w.cancel(errLeft)
		}
	})
	return w.ctx
}

// unwatch ends the watcher, if one was started, and reports whether the client
// has left.
func (c *Conn) unwatch() bool {
	w := &c.watcher
	if w.ctx == nil {
		return false
	}
	_ = c.SetReadDeadline(past())
	w.wg.Wait()
	left := errors.Is(context.Cause(w.ctx), errLeft)
	w.cancel(nil)
	w.ctx = nil
	return left
}
