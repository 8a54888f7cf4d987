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
	"neargate/internal/runtime/local/supervisor"
)

// The codes that a task's failure carries (ECS, "stopped task error codes").
const (
	codePull     = "CannotPullContainerError"
	codeStart    = "CannotStartContainerError"
	codeResource = "ResourceInitializationError"
)

// cpuPeriod is the scheduler's period over which a task's CPU quota holds.
const cpuPeriod = 100 * time.Millisecond

// errStopped ends a Run whose task is stopped meanwhile.
var errStopped = errors.New("the task was stopped")

// Run runs a task and returns when all its containers have been started. An
// error is a *model.Error with one of ECS's codes, and nothing of the task is
// left then; the same holds when ctx ends before that. A task that ends at once
// comes back as not running.
func (e *Engine) Run(ctx context.Context, spec model.TaskSpec) (model.RunState, error) {
	if err := validate(spec); err != nil {
		return model.RunState{}, err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	t, err := e.reserve(spec, func() { cancel(errStopped) })
	if err != nil {
		return model.RunState{}, err
	}
	defer e.watchers.Done()
	over, err := e.run(ctx, t)
	if err != nil {
		e.undo(ctx, t)
		if ctx.Err() != nil {
			err = context.Cause(ctx)
		}
		if _, ok := errors.AsType[*model.Error](err); !ok {
			err = model.Errorf(model.Internal, codeResource, "%v", err)
		}
		return model.RunState{}, err
	}
	s := t.state()
	if over { // nobody has told yet
		e.cfg.OnExit(s)
	}
	return s, nil
}

// reserve makes the task known, so that Stop finds it and no other has its ID.
func (e *Engine) reserve(spec model.TaskSpec, abort func()) (*task, error) {
	t := newTask(e.tasksDir(), spec.ID)
	t.rec.Spec, t.abort = spec, abort
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed() {
		return nil, model.Errorf(model.Unavailable, codeResource, "the runtime is closing")
	}
	if e.tasks[spec.ID] != nil {
		return nil, model.Errorf(model.Conflict, codeResource, "task %s exists", spec.ID)
	}
	e.tasks[spec.ID] = t
	e.watchers.Add(1)
	return t, nil
}

func (e *Engine) tasksDir() string { return filepath.Join(runtimeDir(e.cfg.DataDir), "tasks") }

// run does it. over says that the task has ended already.
func (e *Engine) run(ctx context.Context, t *task) (over bool, err error) {
	images, err := e.pull(ctx, t)
	if err != nil {
		return false, err
	}
	select {
	case e.starts <- struct{}{}:
		defer func() { <-e.starts }()
	case <-ctx.Done():
		return false, context.Cause(ctx)
	}
	if t.rec.Address, err = e.net.Take(); err != nil {
		return false, err
	}
	if err := e.saveNetwork(); err != nil {
		return false, err
	}
	if err := os.MkdirAll(t.dir, 0o700); err != nil {
		return false, fmt.Errorf("make task directory: %w", err)
	}
	if err := writeJSON(recordFile(t.dir), t.rec); err != nil {
		return false, err
	}
	order, err := e.order(t, images)
	if err != nil {
		return false, err
	}
	e.openFollows(t)
	if err := e.spawn(ctx, t); err != nil {
		return false, err
	}
	e.watchers.Go(func() { e.watch(ctx, t) })
	if err := e.equip(t); err != nil {
		return false, err
	}
	if err := t.send(supervisor.Command{Start: order}); err != nil {
		return false, err
	}
	return e.awaitStart(ctx, t)
}

// equip makes what the supervisor finds ready when it gets its order: the link
// into its network namespace, and the task's cgroup with its memory limit. The
// supervisor's program is starting meanwhile.
func (e *Engine) equip(t *task) error {
	if err := e.net.Connect(t.rec.Address, t.process.Process.Pid, supervisor.LinkName); err != nil {
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
func (e *Engine) pull(ctx context.Context, t *task) ([]model.Rootfs, error) {
	t.rec.PullStartedAt = time.Now()
	found := make([]model.Rootfs, len(t.rec.Spec.Containers))
	releases := make([]func(), len(found))
	group, ctx := errgroup.WithContext(ctx)
	for i, c := range t.rec.Spec.Containers {
		group.Go(func() error {
			fs, release, err := e.images.Unpack(ctx, c.Image)
			if err != nil {
				return pullError(err)
			}
			found[i], releases[i] = fs, release
			return nil
		})
	}
	err := group.Wait()
	for i, release := range releases {
		if release != nil {
			t.releases = append(t.releases, release)
			t.rec.Digests = append(t.rec.Digests, found[i].Digest)
		}
	}
	t.rec.PullStoppedAt = time.Now()
	return found, err
}

func pullError(err error) error {
	if m, ok := errors.AsType[*model.Error](err); ok {
		return &model.Error{Kind: m.Kind, Code: codePull, Msg: m.Msg, Err: err}
	}
	return model.Errorf(model.Invalid, codePull, "%v", err)
}

// awaitStart waits until all containers run, or until it is clear that they
// will not. over says that they have ended, too.
func (e *Engine) awaitStart(ctx context.Context, t *task) (over bool, err error) {
	select {
	case <-t.started:
	case <-t.ended:
	case <-ctx.Done():
		return false, context.Cause(ctx)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.failure != nil {
		return false, t.failure
	}
	if !t.hasStarted() {
		said, _ := os.ReadFile(supervisorLog(t.dir))
		return false, fmt.Errorf("the task's supervisor ended before the task had started: %s", firstLine(said))
	}
	t.abort = nil
	if t.final != nil {
		return true, nil
	}
	if t.meter, err = e.layout.Meter(e.cgroupOf(t)); err != nil {
		e.log.Debug("task is just ending", "task", t.id, "error", err)
	}
	return false, nil
}

// undo removes all of a task that did not come to run.
func (e *Engine) undo(ctx context.Context, t *task) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), releaseLimit)
	defer cancel()
	if t.process != nil {
		_ = t.process.Process.Kill()
		<-t.unwatched
		select {
		case <-t.ended:
		default: // the engine is closing
			e.finish(ctx, t)
		}
	} else {
		e.release(ctx, t)
	}
	e.drop(t)
	if err := os.RemoveAll(t.dir); err != nil {
		e.log.Warn("left something behind", "task", t.id, "error", err)
	}
}
