package local

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"

	"neargate/internal/model"
	"neargate/internal/runtime/local/supervisor"
)

// watch follows the supervisor's reports until the task has ended or the engine
// closes. Then it releases what the task held and tells of its end.
func (e *Engine) watch(ctx context.Context, t *task) {
	defer close(t.unwatched)
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
	if s, tell := e.finish(ctx, t); tell {
		e.cfg.OnExit(s)
	}
}

// read takes reports from the present connection until it ends. It gives false
// when none but the last will come.
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
		changed := t.take(r)
		if r.Phase == supervisor.Ended {
			return false
		}
		if changed && e.cfg.OnHealth != nil {
			e.cfg.OnHealth(t.state())
		}
	}
}

func (t *task) reported() supervisor.Report {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.report
}

// take makes a report the task's state. It tells whether a container's health
// is another than before.
func (t *task) take(r supervisor.Report) (healthChanged bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for i, c := range r.Containers {
		before := "UNKNOWN"
		if i < len(t.report.Containers) {
			before = t.report.Containers[i].Health
		}
		healthChanged = healthChanged || c.Health != before
	}
	t.report = r
	if r.Failure != "" {
		t.failure = &model.Error{Kind: model.Invalid, Code: codeStart, Msg: r.Failure}
	}
	if !r.StartedAt.IsZero() && !t.hasStarted() {
		close(t.started)
	}
	return healthChanged
}

// finish releases all that an ended task held, whatever becomes of ctx, and
// keeps its last state. tell
// says whether its end is news: while Run is still under way, Run tells.
func (e *Engine) finish(ctx context.Context, t *task) (s model.RunState, tell bool) {
	if t.process != nil {
		_ = t.process.Wait() // its exit status says nothing that the report does not
	}
	if t.reported().Phase != supervisor.Ended {
		t.take(lastReport(t.dir, t.reported()))
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), releaseLimit)
	defer cancel()
	e.release(ctx, t)
	e.drain(ctx, t)

	t.mu.Lock()
	s = t.stateLocked()
	s.Running, s.StoppedAt = false, t.report.EndedAt
	t.final, tell = &s, t.abort == nil
	if t.meter != nil {
		t.meter.Close()
		t.meter = nil
	}
	t.mu.Unlock()
	if err := writeJSON(finalFile(t.dir), s); err != nil && !errors.Is(err, fs.ErrNotExist) {
		e.log.Warn("the task's end is not on disk", "task", t.id, "error", err)
	}
	close(t.ended)
	return s, tell
}

// lastReport is what is known of a task whose supervisor is gone: its last
// report, and that whatever ran then was killed.
func lastReport(dir string, known supervisor.Report) supervisor.Report {
	var r supervisor.Report
	if err := readJSON(supervisor.ReportFile(dir), &r); err != nil {
		r = known
	}
	if r.Phase == supervisor.Ended {
		return r
	}
	r.Phase, r.EndedAt = supervisor.Ended, time.Now()
	for i := range r.Containers {
		if c := &r.Containers[i]; c.Running {
			code := 128 + int(unix.SIGKILL)
			c.Running, c.ExitCode, c.Reason = false, &code, "the task's supervisor was killed"
		}
	}
	return r
}

// release gives back the task's cgroup, link, address, images and files, but
// for its records and its output. Every step is tried.
func (e *Engine) release(ctx context.Context, t *task) {
	var errs []error
	errs = append(errs, e.layout.Remove(ctx, e.cgroupOf(t)))
	if t.rec.Address.IsValid() {
		errs = append(errs, e.net.Disconnect(t.rec.Address))
		e.net.Release(t.rec.Address)
	}
	for _, release := range t.releases {
		release()
	}
	t.releases = nil
	for _, name := range []string{"containers", "etc", "sock"} {
		errs = append(errs, os.RemoveAll(filepath.Join(t.dir, name)))
	}
	if err := errors.Join(errs...); err != nil {
		e.log.Warn("left something behind", "task", t.id, "error", err)
	}
}

// Stop ends a task: stop signal, the container's StopTimeout or timeout, SIGKILL.
// It returns when all is released. An unknown ID, or one that has ended, is no
// error.
func (e *Engine) Stop(ctx context.Context, id string, timeout time.Duration) error {
	t := e.task(id)
	if t == nil {
		return nil
	}
	t.mu.Lock()
	abort := t.abort
	t.mu.Unlock()
	if abort != nil {
		abort() // Run undoes what there is
	} else if err := t.send(supervisor.Command{Stop: &supervisor.Stop{Timeout: timeout}}); err != nil &&
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
