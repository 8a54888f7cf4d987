package local

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"

	"neargate/internal/model"
	"neargate/internal/runtime"
	"neargate/internal/runtime/local/supervisor"
)

// watch follows the supervisor's reports until the task has ended or the engine
// closes. Then it releases what the task held and puts its end into the events.
func (e *Engine) watch(ctx context.Context, t *task) {
	defer close(t.unwatched)
	if e.guard(t.id, func() error { e.attend(ctx, t); return nil }) == nil {
		return
	}
	// An error is in the log; a Stop that waits for the end is given up by its context.
	_ = e.guard(t.id, func() error { e.abandon(ctx, t); return nil })
}

// attend is watch, where nothing goes wrong.
func (e *Engine) attend(ctx context.Context, t *task) {
	for e.read(t) {
		conn, err := dial(context.WithoutCancel(ctx), t.dir) // it may only have dropped us
		if err != nil {
			break
		}
		t.mu.Lock()
		t.conn = conn
		t.mu.Unlock()
		if e.closed() {
			_ = conn.Close()
		}
	}
	if e.closed() && t.reported().Phase != supervisor.Ended {
		return
	}
	e.finish(ctx, t)
}

// read takes reports from the present connection until it ends. It returns false
// when the last one has come or none is wanted any more.
func (e *Engine) read(t *task) bool {
	t.mu.Lock()
	conn := t.conn
	t.mu.Unlock()
	defer func() { _ = conn.Close() }()
	decoder := json.NewDecoder(conn)
	for {
		var r supervisor.Report
		if err := decoder.Decode(&r); err != nil {
			return !e.closed()
		}
		e.take(t, r)
		if r.Phase == supervisor.Ended {
			return false
		}
	}
}

// logReasons logs why containers ended, where that is not for all to read.
func (e *Engine) logReasons(t *task, r supervisor.Report) {
	for i, c := range r.Containers {
		known := i < len(t.report.Containers) && t.report.Containers[i].Reason != ""
		if !known && t.discreet.text(c.Reason) != c.Reason {
			e.log.Info("container ended", "task", t.id, "container", c.Name, "reason", c.Reason)
		}
	}
}

func (t *task) reported() supervisor.Report {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.report
}

// take adopts a report as the task's state, and puts what is new in it into
// events, if the task has started and goes on.
func (e *Engine) take(t *task, r supervisor.Report) {
	t.mu.Lock()
	defer t.mu.Unlock()
	before := t.report.Containers
	e.logReasons(t, r)
	t.learnLocked(r)
	if t.abort != nil || r.Phase == supervisor.Ended {
		return
	}
	for i, c := range r.Containers {
		was := supervisor.ContainerReport{Health: "UNKNOWN"}
		if i < len(before) {
			was = before[i]
		}
		if c.ExitCode != nil && was.ExitCode == nil {
			e.events.Put(runtime.Event{Kind: runtime.ContainerEnded, Container: c.Name, State: t.stateLocked()})
		}
		if c.Health != was.Health {
			e.events.Put(runtime.Event{Kind: runtime.HealthChanged, Container: c.Name, State: t.stateLocked()})
		}
	}
}

// learn adopts a report as the task's state.
func (t *task) learn(r supervisor.Report) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.learnLocked(r)
}

func (t *task) learnLocked(r supervisor.Report) {
	if r.Failure != "" && t.report.Failure == "" {
		t.failure = &model.Error{Kind: model.Invalid, Code: runtime.CodeStart, Msg: t.discreet.text(r.Failure)}
		if t.failure.Msg != r.Failure {
			t.failure.Err = errors.New(r.Failure)
		}
		if r.Waited {
			t.failure.Code = runtime.CodeWait
		}
	}
	t.report = t.discreet.report(r)
	if !r.StartedAt.IsZero() && !t.hasStarted() {
		close(t.started)
	}
}

// finish releases all that an ended task held, whatever becomes of ctx, keeps
// its last state, and puts its end into the events. While Start is under way that
// is left to Start.
func (e *Engine) finish(ctx context.Context, t *task) {
	if t.process != nil {
		_ = t.process.Wait() // its exit status says nothing that the report does not
	}
	if t.reported().Phase != supervisor.Ended {
		t.learnLast(t.reported())
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), releaseLimit)
	defer cancel()
	e.release(ctx, t)
	e.drain(ctx, t, true)

	s := t.state()
	s.Running, s.StoppedAt = false, t.reported().EndedAt
	if err := writeJSON(finalFile(t.dir), s); err != nil && !errors.Is(err, fs.ErrNotExist) {
		e.log.Warn("the task's end is not on disk", "task", t.id, "error", err)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.final = &s
	if t.abort == nil && !t.recovered {
		e.events.Put(runtime.Event{Kind: runtime.TaskEnded, State: s})
	}
	if t.meter != nil {
		t.meter.Close()
		t.meter = nil
	}
	close(t.ended)
}

// supervisorLost is what is known of a task whose supervisor was killed, or went
// down with the machine.
const supervisorLost = "the task's supervisor ended unexpectedly"

// learnLast adopts what a supervisor that is gone has left behind as the task's
// state; known is its last report to the engine. A task that ran, and whose end
// it did not see, has failed.
func (t *task) learnLast(known supervisor.Report) {
	r, lost := lastReport(t.dir, known)
	t.mu.Lock()
	defer t.mu.Unlock()
	t.learnLocked(r)
	if lost && t.hasStarted() && t.failure == nil {
		t.failure = model.Errorf(model.Internal, runtime.CodeInternal, supervisorLost)
	}
}

// lastReport is what is known of a task whose supervisor is gone: its last
// report, and that whatever ran then was killed. lost reports that something did.
func lastReport(dir string, known supervisor.Report) (last supervisor.Report, lost bool) {
	if err := readJSON(supervisor.ReportFile(dir), &last); err != nil {
		last = known
	}
	if last.Phase == supervisor.Ended {
		return last, false
	}
	last.Phase, last.EndedAt = supervisor.Ended, time.Now()
	for i := range last.Containers {
		if c := &last.Containers[i]; c.Running {
			code := 128 + int(unix.SIGKILL)
			c.Running, c.ExitCode, c.Reason, c.EndedAt = false, &code, "ContainerRuntimeError: "+supervisorLost, last.EndedAt
		}
	}
	return last, true
}

// release returns the task's cgroup, link, address, images and files, but
// for its records and its output. Every step is tried.
func (e *Engine) release(ctx context.Context, t *task) {
	var errs []error
	errs = append(errs, e.layout.Remove(ctx, e.cgroupOf(t)))
	if t.rec.Address.IsValid() {
		e.moveOut(t)
		errs = append(errs, e.net.Disconnect(t.rec.Address), e.net.Release(t.rec.Address))
	}
	t.rec.Labels.Release()
	for _, release := range t.releases {
		release()
	}
	t.releases = nil
	for _, name := range []string{"containers", "volumes", "shared", "etc", "sock"} {
		errs = append(errs, removeTask(ctx, filepath.Join(t.dir, name)))
	}
	if err := errors.Join(errs...); err != nil {
		e.log.Warn("left something behind", "task", t.id, "error", err)
	}
}

// Stop ends a task, or aborts its start, and returns when all is released.
func (e *Engine) Stop(ctx context.Context, id string, timeout time.Duration) error {
	t := e.task(id)
	if t == nil {
		return nil
	}
	if t.abortStart(runtime.ErrStopped, timeout) {
		select {
		case <-t.undone:
			return nil
		case <-ctx.Done():
			return fmt.Errorf("stop task %s: %w", id, context.Cause(ctx))
		}
	}
	if err := t.send(supervisor.Command{Stop: &supervisor.Stop{Timeout: timeout}}); err != nil &&
		!errors.Is(err, net.ErrClosed) && !errors.Is(err, unix.EPIPE) && !errors.Is(err, unix.ECONNRESET) {
		return fmt.Errorf("stop task %s: %w", id, err)
	}
	late := time.NewTimer(stopBudget(t.rec.Spec, timeout))
	defer late.Stop()
	for {
		select {
		case <-t.ended:
			return nil
		case <-late.C:
			e.log.Warn("supervisor does not answer", "task", id)
			if err := killSupervisors(ctx, e.id, id); err != nil {
				return fmt.Errorf("stop task %s: %w", id, err)
			}
		case <-ctx.Done():
			return fmt.Errorf("stop task %s: %w", id, context.Cause(ctx))
		}
	}
}

// stopBudget is when a supervisor must have stopped its containers, each of
// which may have to wait for all others, with something on top.
func stopBudget(spec model.TaskSpec, timeout time.Duration) time.Duration {
	total := releaseLimit
	for _, c := range spec.Containers {
		switch {
		case c.StopTimeout > 0:
			total += c.StopTimeout
		case timeout > 0:
			total += timeout
		default:
			total += supervisor.StopLimit
		}
	}
	return total
}
