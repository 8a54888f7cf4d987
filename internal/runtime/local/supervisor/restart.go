package supervisor

import (
	"context"
	"slices"
	"time"
)

// Restart has a container start again where it ended, in the same root file
// system, while its task goes on.
type Restart struct {
	IgnoredExitCodes []int         // with which it ends for good
	AttemptPeriod    time.Duration // how long it must have run
}

// applies reports whether a container that ended with code after so long starts
// again.
func (r *Restart) applies(code int, ran time.Duration) bool {
	return r != nil && ran >= r.AttemptPeriod && !slices.Contains(r.IgnoredExitCodes, code)
}

func (t *task) mayRestart(e exit) bool {
	return !t.stopping && e.m.spec.Restart.applies(e.code, time.Since(e.m.startedAt))
}

// restart starts a container again. Where that fails, it has ended.
func (t *task) restart(ctx context.Context, e exit) {
	if e.m.endChecks != nil {
		e.m.endChecks()
	}
	e.m.container = nil
	if err := t.start(ctx, e.m); err != nil {
		e.reason = "CannotStartContainerError: " + err.Error()
		t.onExit(e)
		return
	}
	e.m.report.RestartCount++
	e.m.report.Health = "UNKNOWN"
	t.tell()
}
