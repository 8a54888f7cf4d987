package local

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sync/errgroup"

	"neargate/internal/model"
	"neargate/internal/runtime"
	"neargate/internal/runtime/local/confine"
	"neargate/internal/runtime/local/network"
	"neargate/internal/runtime/local/supervisor"
)

// cpuPeriod is the scheduler's period over which a task's CPU quota holds.
const cpuPeriod = 100 * time.Millisecond

// errClosing ends a Start when the engine closes.
var errClosing = model.Errorf(model.Unavailable, runtime.CodeResource, "the runtime is closing")

// Start runs a task and returns when all its containers have been started.
func (e *Engine) Start(ctx context.Context, spec model.TaskSpec) (model.RunState, error) {
	s, err := e.start(ctx, spec)
	return s, e.discreet.err(err)
}

func (e *Engine) start(ctx context.Context, spec model.TaskSpec) (model.RunState, error) {
	if err := runtime.Validate(spec); err != nil {
		return model.RunState{}, err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	t, err := e.reserve(spec, cancel)
	if err != nil {
		return model.RunState{}, err
	}
	defer e.watchers.Done()
	var s model.RunState
	err = e.guard(t.id, func() (err error) { s, err = e.run(ctx, t); return err })
	if err == nil {
		return s, nil
	}
	s = e.undo(ctx, t)
	if failure := t.startFailure(); failure != nil { // also when Stop came while that was undone
		return s, failure
	}
	if ctx.Err() != nil {
		return s, fmt.Errorf("start task %s: %w", spec.ID, context.Cause(ctx))
	}
	if errors.Is(err, runtime.ErrEssentialEnded) {
		return s, fmt.Errorf("start task %s: %w", spec.ID, err)
	}
	if _, ok := errors.AsType[*model.Error](err); !ok {
		err = model.Errorf(model.Internal, runtime.CodeResource, "%v", err)
	}
	return s, err
}

// reserve makes the task known, so that Stop finds it and no other has its ID.
func (e *Engine) reserve(spec model.TaskSpec, abort context.CancelCauseFunc) (*task, error) {
	t := e.newTask(spec.ID)
	t.rec.Spec, t.abort = spec, abort
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed() {
		return nil, errClosing
	}
	if e.tasks[spec.ID] != nil {
		return nil, model.Errorf(model.Conflict, runtime.CodeResource, "task %s exists", spec.ID)
	}
	e.tasks[spec.ID] = t
	e.watchers.Add(1)
	return t, nil
}

func (e *Engine) tasksDir() string { return filepath.Join(runtimeDir(e.cfg.DataDir), "tasks") }

// run does it.
func (e *Engine) run(ctx context.Context, t *task) (model.RunState, error) {
	images, err := e.pull(ctx, t)
	if err != nil {
		return model.RunState{}, err
	}
	select {
	case e.starts <- struct{}{}:
		defer func() { <-e.starts }()
	case <-ctx.Done():
		return model.RunState{}, context.Cause(ctx)
	}
	if err := e.launch(ctx, t, images); err != nil {
		return model.RunState{}, err
	}
	return e.awaitStart(ctx, t)
}

// launch starts the task's supervisor and sends it its order.
func (e *Engine) launch(ctx context.Context, t *task, images []Rootfs) (err error) {
	if err := e.place(t); err != nil {
		return err
	}
	if e.cfg.SELinux {
		if t.rec.Labels, err = confine.NewLabels(); err != nil {
			return err
		}
	}
	if err := os.MkdirAll(t.dir, 0o700); err != nil {
		return fmt.Errorf("make task directory: %w", err)
	}
	if err := writeJSON(recordFile(t.dir), t.rec); err != nil {
		return err
	}
	order, err := e.order(ctx, t, images)
	if err != nil {
		return err
	}
	e.openFollows(t)
	if err := e.spawn(ctx, t); err != nil {
		return err
	}
	e.watchers.Go(func() { e.watch(ctx, t) })
	if err := e.equip(t); err != nil {
		return err
	}
	e.moveIn(t)
	if err := t.send(supervisor.Command{Start: order}); err != nil {
		return err
	}
	t.ordered = true
	return nil
}

// place gets the task its address.
func (e *Engine) place(t *task) (err error) {
	t.rec.Address, t.rec.Subnet, err = e.net.Take(t.rec.Spec.Subnets...)
	if full, ok := errors.AsType[*network.ErrFull](err); ok {
		return model.Errorf(model.Throttled, "", "Unexpected EC2 error while attempting to Create Network Interface in subnet '%s': InsufficientFreeAddressesInSubnet", full.Subnet)
	}
	if err != nil {
		return err
	}
	t.rec.LinkTail = e.net.LinkTail(t.rec.Address)
	return e.saveNetwork()
}

// equip makes what the supervisor finds ready when it gets its order: the link
// into its network namespace, and the task's cgroup with its memory limit. The
// supervisor's program is starting meanwhile.
func (e *Engine) equip(t *task) error {
	if err := e.layout.Charge(supervisorsPath(e.id), t.process.Process.Pid); err != nil {
		return err
	}
	if err := e.net.Connect(t.rec.Address, t.rec.Spec.SecurityGroups, t.process.Process.Pid, supervisor.LinkName); err != nil {
		return err
	}
	path := e.cgroupOf(t)
	if err := e.layout.Make(path); err != nil {
		return err
	}
	return e.layout.LimitMemory(path, int64(t.rec.Spec.MemoryMiB)<<20)
}

func (e *Engine) cgroupOf(t *task) string { return filepath.Join(cgroupPath(e.id), t.id) }

// pull unpacks the images of all containers at once.
func (e *Engine) pull(ctx context.Context, t *task) ([]Rootfs, error) {
	t.rec.PullStartedAt = time.Now()
	found := make([]Rootfs, len(t.rec.Spec.Containers))
	releases := make([]func(), len(found))
	group, ctx := errgroup.WithContext(ctx)
	for i, c := range t.rec.Spec.Containers {
		group.Go(func() error {
			return e.guard(t.id, func() (err error) {
				if found[i], releases[i], err = e.images.Unpack(ctx, runtime.ImageOf(t.rec.Spec, c)); err != nil {
					return &runtime.ContainerError{Container: c.Name, Err: pullError(err)}
				}
				return nil
			})
		})
	}
	err := group.Wait()
	for i, release := range releases {
		t.rec.Digests = append(t.rec.Digests, found[i].Digest)
		if release != nil {
			t.releases = append(t.releases, release)
		}
	}
	t.rec.PullStoppedAt = time.Now()
	return found, err
}

func pullError(err error) error {
	if m, ok := errors.AsType[*model.Error](err); ok {
		return &model.Error{Kind: m.Kind, Code: runtime.CodePull, Msg: m.Msg, Err: m.Err}
	}
	return model.Errorf(model.Invalid, runtime.CodePull, "%v", err)
}

// awaitStart waits until all containers run, or until it is clear that they
// will not. From then on the task's changes are events.
func (e *Engine) awaitStart(ctx context.Context, t *task) (model.RunState, error) {
	select {
	case <-t.started:
	case <-t.ended:
	case <-ctx.Done():
		return model.RunState{}, context.Cause(ctx)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if ctx.Err() != nil { // Stop relies on it
		return model.RunState{}, context.Cause(ctx)
	}
	if t.failure != nil {
		return model.RunState{}, t.failure
	}
	if !t.hasStarted() {
		return model.RunState{}, t.earlyEndLocked()
	}
	t.abort = nil
	if t.final != nil { // finish has left its event to us
		e.events.Put(runtime.Event{Kind: runtime.TaskEnded, State: *t.final})
		return *t.final, nil
	}
	var err error
	if t.meter, err = e.layout.Meter(e.cgroupOf(t)); err != nil {
		e.log.Debug("task is just ending", "task", t.id, "error", err)
	}
	return t.stateLocked(), nil
}

// earlyEndLocked is why a task ended before all its containers had been started,
// without a failure that its supervisor knows of.
func (t *task) earlyEndLocked() error {
	if name := t.report.EndedBy; name != "" {
		return fmt.Errorf("container %s: %w", name, runtime.ErrEssentialEnded)
	}
	err := errors.New("the task's supervisor ended before the task had started")
	if said, _ := os.ReadFile(supervisorLog(t.dir)); len(said) > 0 {
		return fmt.Errorf("%w: %s", err, firstLine(said))
	}
	return err
}

// undo removes all of a task that did not come to run, and returns what is
// known of it.
func (e *Engine) undo(ctx context.Context, t *task) model.RunState {
	if t.ordered && errors.Is(context.Cause(ctx), runtime.ErrStopped) {
		e.stopStarted(t)
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), releaseLimit)
	defer cancel()
	if t.process != nil {
		_ = t.process.Process.Kill()
		<-t.unwatched
	}
	if !t.hasEnded() { // it had no supervisor, or the engine is closing
		e.finish(ctx, t)
	}
	e.drop(t)
	if err := removeTask(ctx, t.dir); err != nil {
		e.log.Warn("left something behind", "task", t.id, "error", err)
	}
	close(t.undone)
	return t.state()
}

// stopStarted stops those containers that run already when Stop ends a start. It
// returns when they have ended, or when there is no more time for them.
func (e *Engine) stopStarted(t *task) {
	t.mu.Lock()
	timeout := t.stopTimeout
	t.mu.Unlock()
	if err := t.send(supervisor.Command{Stop: &supervisor.Stop{Timeout: timeout}}); err != nil {
		e.log.Debug("task is just ending", "task", t.id, "error", err)
	}
	late := time.NewTimer(stopBudget(t.rec.Spec, timeout))
	defer late.Stop()
	select {
	case <-t.ended:
	case <-late.C:
		e.log.Warn("supervisor does not answer", "task", t.id)
	case <-e.closing:
	}
}
