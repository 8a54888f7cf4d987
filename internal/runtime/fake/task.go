package fake

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"neargate/internal/model"
	"neargate/internal/runtime"
)

// entry is one task.
type entry struct {
	spec  model.TaskSpec
	abort context.CancelCauseFunc // ends the start; nil once the task has started
	gone  chan struct{}           // closed when a failed start has been undone
	ended chan struct{}           // closed when the task has ended
	state model.RunState

	plans   []plan            // by container
	files   map[string]string // what containers have written, by volume and path
	servers []*http.Server
	// commands are those that run in the containers.
	commands []*command
	cpu      time.Duration
	since    time.Time // cpu is what was consumed until then
	share    float64   // vCPUs
}

func (t *entry) starting() bool { return t.abort != nil }
func (t *entry) runs() bool     { return !t.starting() && t.state.Running }

func (t *entry) used(now time.Time) time.Duration {
	share := min(t.share, float64(t.spec.CPUUnits)/1024)
	return t.cpu + time.Duration(share*float64(now.Sub(t.since)))
}

// Start runs a task after the start delay.
func (e *Engine) Start(ctx context.Context, spec model.TaskSpec) (model.RunState, error) {
	if err := runtime.Validate(spec); err != nil {
		return model.RunState{}, err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	begin := time.Now()
	t, delay, err := e.reserve(spec, cancel)
	if t == nil {
		return model.RunState{}, err
	}
	defer e.starts.Done()
	if waitErr := wait(ctx, delay); waitErr != nil {
		err = fmt.Errorf("start task %s: %w", spec.ID, waitErr)
	}
	waits := false
	if err == nil {
		waits, err = e.prepare(t, begin)
	}
	if waits {
		<-ctx.Done()
		err = fmt.Errorf("start task %s: %w", spec.ID, context.Cause(ctx))
	}
	if err == nil {
		e.print(ctx, t)
		var s model.RunState
		if s, err = e.admit(ctx, t); err == nil {
			return s, nil
		}
	}
	return e.undo(t), err
}

// reserve makes the task known and returns how long its start takes and what
// comes of it. No task means that the start is refused.
func (e *Engine) reserve(spec model.TaskSpec, abort context.CancelCauseFunc) (t *entry, delay time.Duration, err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return nil, 0, errClosed
	}
	if e.tasks[spec.ID] != nil {
		return nil, 0, model.Errorf(model.Conflict, runtime.CodeResource, "task %s exists", spec.ID)
	}
	t = &entry{
		spec: spec, abort: abort, files: map[string]string{}, gone: make(chan struct{}), ended: make(chan struct{}),
		state: model.RunState{ID: spec.ID, Labels: spec.Labels},
	}
	e.tasks[spec.ID] = t
	e.runs = append(e.runs, spec)
	e.starts.Add(1)
	err = e.broken
	if len(e.fails) > 0 {
		err, e.fails = e.fails[0], e.fails[1:]
	}
	return t, e.cfg.StartDelay, err
}

// prepare pulls the images and runs the containers up to the point where all
// have been started. waits reports that some never will be.
func (e *Engine) prepare(t *entry, begin time.Time) (waits bool, err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	s := &t.state
	s.PullStartedAt, s.PullStoppedAt = begin, time.Now()
	for i, c := range t.spec.Containers {
		digest, err := e.resolveLocked(runtime.ImageOf(t.spec, c))
		if err != nil {
			return false, &runtime.ContainerError{Container: c.Name, Err: err}
		}
		s.Containers = append(s.Containers, model.ContainerState{
			Name: c.Name, ImageDigest: digest, RuntimeID: model.RuntimeID(t.spec.ID, i), Health: "UNKNOWN",
		})
		t.plans = append(t.plans, planOf(c))
	}
	return startContainers(t)
}

// admit makes the task run. One whose essential container has ended has ended.
func (e *Engine) admit(ctx context.Context, t *entry) (model.RunState, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if ctx.Err() != nil { // Stop relies on it
		return model.RunState{}, fmt.Errorf("start task %s: %w", t.spec.ID, context.Cause(ctx))
	}
	t.state.IP, t.state.MAC = e.addressLocked()
	if err := t.listen(); err != nil {
		return model.RunState{}, err
	}
	t.abort = nil
	t.state.Running, t.state.StartedAt = true, time.Now()
	t.since, t.share = t.state.StartedAt, e.cfg.CPU
	if e.cfg.ExitAtOnce {
		e.endLocked(t, 1, "")
	} else if t.over() {
		e.endLocked(t, terminated, "")
	}
	e.schedule(t)
	return t.state, nil
}

// undo removes a task that did not come to run, and returns what is known of it.
func (e *Engine) undo(t *entry) model.RunState {
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.tasks, t.spec.ID)
	for i := range t.state.Containers {
		if c := &t.state.Containers[i]; c.Running {
			code := terminated
			c.Running, c.ExitCode = false, &code
		}
	}
	if t.state.StoppedAt = time.Now(); t.state.StoppingAt.IsZero() {
		t.state.StoppingAt = t.state.StoppedAt
	}
	close(t.gone)
	return t.state
}

// Stop ends a task as by SIGTERM, or aborts its start.
func (e *Engine) Stop(ctx context.Context, id string, timeout time.Duration) error {
	return e.finish(ctx, "stop", id, func(t *entry) {
		time.AfterFunc(e.cfg.StopDelay+t.resistance(timeout), func() { e.stop(t) })
	})
}

// Kill ends a task as by SIGKILL, or aborts its start.
func (e *Engine) Kill(ctx context.Context, id string) error {
	return e.finish(ctx, "kill", id, func(t *entry) { e.endLocked(t, killed, "") })
}

// finish aborts a task's start or has one that runs end, with e.mu held, and waits.
func (e *Engine) finish(ctx context.Context, verb, id string, end func(*entry)) error {
	e.mu.Lock()
	t := e.tasks[id]
	if t == nil {
		e.mu.Unlock()
		return nil
	}
	done := t.ended
	if t.starting() {
		t.abort(runtime.ErrStopped)
		done = t.gone
	} else {
		end(t)
	}
	e.mu.Unlock()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("%s task %s: %w", verb, id, context.Cause(ctx))
	}
}

func (e *Engine) stop(t *entry) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.endLocked(t, terminated, "")
}

// Exit ends a running task as if its containers had ended with code.
func (e *Engine) Exit(id string, code int, reason string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if t := e.tasks[id]; t != nil && !t.starting() {
		e.endLocked(t, code, reason)
	}
}

// endLocked ends a task; its containers that still run end with code, but for
// stubborn ones, which are killed.
func (e *Engine) endLocked(t *entry, code int, reason string) {
	if !t.state.Running {
		return
	}
	now := time.Now()
	t.cpu, t.since = t.used(now), now
	t.state.Running, t.state.StoppingAt, t.state.StoppedAt = false, now, now
	t.change(func(i int, c *model.ContainerState) {
		if c.ExitCode != nil {
			return
		}
		of := code
		if t.plans[i].stubborn {
			of = killed
		}
		c.Running, c.ExitCode, c.Reason, c.FinishedAt = false, &of, reason, now
	})
	for _, s := range t.servers {
		_ = s.Close()
	}
	e.events.Put(runtime.Event{Kind: runtime.TaskEnded, State: t.state})
	close(t.ended)
}

// change changes the containers in a fresh list: others hold the old one.
func (t *entry) change(change func(i int, c *model.ContainerState)) {
	all := make([]model.ContainerState, len(t.state.Containers))
	for i, c := range t.state.Containers {
		change(i, &c)
		all[i] = c
	}
	t.state.Containers = all
}

// SetHealth sets the health of every container of a running task.
func (e *Engine) SetHealth(id, health string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	t := e.tasks[id]
	if t == nil || !t.runs() {
		return
	}
	for i := range t.state.Containers {
		e.setHealthLocked(t, i, health)
	}
}

func (e *Engine) setHealthLocked(t *entry, i int, health string) {
	if !t.runs() || t.state.Containers[i].Health == health {
		return
	}
	t.change(func(j int, c *model.ContainerState) {
		if i == j {
			c.Health = health
		}
	})
	e.events.Put(runtime.Event{Kind: runtime.HealthChanged, Container: t.state.Containers[i].Name, State: t.state})
}

// Forget drops an ended task.
func (e *Engine) Forget(_ context.Context, id string) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if t, ok := e.tasks[id]; ok && (t.starting() || t.state.Running) {
		return model.Errorf(model.Conflict, runtime.CodeResource, "forget task %s: it has not ended", id)
	}
	delete(e.tasks, id)
	e.events.Drop(id)
	return nil
}

func wait(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return context.Cause(ctx)
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-timer.C:
		return nil
	}
}

// Crash ends a running task as a fault of the machine does.
func (e *Engine) Crash(id string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if t := e.tasks[id]; t != nil && t.runs() {
		t.state.Failure = model.Errorf(model.Internal, runtime.CodeInternal, "the machine failed")
		e.endLocked(t, killed, "")
	}
}

// EndAll ends every task, as a machine that goes down does.
func (e *Engine) EndAll() {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, t := range e.tasks {
		if !t.starting() {
			e.endLocked(t, killed, "")
		}
	}
}
