package local

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"time"

	"golang.org/x/sys/unix"

	"neargate/internal/model"
	"neargate/internal/runtime"
	"neargate/internal/runtime/local/supervisor"
)

// commandStartLimit is how long a supervisor may take to start a command.
const commandStartLimit = 30 * time.Second

// errCommandClosing ends commands when the engine closes.
var errCommandClosing = model.Errorf(model.Unavailable, runtime.CodeExec, "the runtime is closing")

// Exec runs a command in a running container.
func (e *Engine) Exec(ctx context.Context, id string, c runtime.Command, s runtime.Streams) (int, error) {
	if s.Stdin != nil {
		defer func() { _ = s.Stdin.Close() }()
	}
	t, done, err := e.claimCommand(id, c.Container)
	if err != nil {
		return 0, err
	}
	defer done()
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	e.watchers.Go(func() {
		select {
		case <-e.closing:
			cancel(errCommandClosing)
		case <-ctx.Done():
		}
	})
	var code int
	err = e.guard(id, func() (err error) {
		code, err = runCommand(ctx, cancel, t, c, s)
		return err
	})
	return code, e.discreet.err(err)
}

// claimCommand finds the task of a command and counts the command until done.
func (e *Engine) claimCommand(id, container string) (t *task, done func(), err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed() {
		return nil, nil, errCommandClosing
	}
	if t = e.tasks[id]; t == nil {
		return nil, nil, model.Errorf(model.NotFound, runtime.CodeExec, "task %s is unknown", id)
	}
	if err := t.claimCommand(container); err != nil {
		return nil, nil, err
	}
	e.watchers.Add(1)
	return t, func() {
		t.mu.Lock()
		t.commands[container]--
		t.mu.Unlock()
		e.watchers.Done()
	}, nil
}

func (t *task) claimCommand(container string) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	s := t.stateLocked()
	if t.final != nil {
		s = *t.final
	}
	for _, c := range s.Containers {
		switch {
		case c.Name != container:
			continue
		case !c.Running:
			return model.Errorf(model.Conflict, runtime.CodeExec, "container %s of task %s does not run", container, t.id)
		case t.commands[container] >= runtime.MaxCommands:
			return model.Errorf(model.Throttled, runtime.CodeExec, "%d commands run in container %s of task %s already", runtime.MaxCommands, container, t.id)
		}
		t.commands[container]++
		return nil
	}
	return model.Errorf(model.NotFound, runtime.CodeExec, "task %s has no container %s", t.id, container)
}

// runCommand runs a command to its end. cancel ends it for a cause of its own.
func runCommand(ctx context.Context, cancel context.CancelCauseFunc, t *task, c runtime.Command, s runtime.Streams) (int, error) {
	conn, err := dial(ctx, t.dir)
	if err != nil {
		return 0, model.Errorf(model.Conflict, runtime.CodeExec, "run command in task %s: %v", t.id, err)
	}
	call := &commandCall{conn: conn.(*net.UnixConn), answers: make(chan supervisor.ExecReport)} //nolint:forcetypeassert // it is one by the address
	files, err := newCommandFiles(c.Window != nil)
	if err != nil {
		return 0, errors.Join(err, conn.Close())
	}
	defer files.close()
	if err := call.send(orderCommand(c), files.theirs); err != nil {
		return 0, errors.Join(err, conn.Close())
	}
	files.release()
	end := call.read() //nolint:contextcheck // it reads until the call is over
	defer end()
	if err := call.started(ctx); err != nil {
		return 0, err
	}
	if err := files.open(); err != nil {
		return 0, err
	}
	return files.carry(ctx, s, cancel, func() (int, error) { return call.ended(ctx) })
}

func orderCommand(c runtime.Command) *supervisor.Exec {
	x := &supervisor.Exec{Container: c.Container, Args: c.Args, User: c.User}
	for _, kv := range c.Env {
		x.Env = append(x.Env, kv.Name+"="+kv.Value)
	}
	if c.Window != nil {
		x.Terminal, x.Rows, x.Columns = true, c.Window.Rows, c.Window.Columns
	}
	return x
}

// commandCall is a command's connection to the supervisor.
type commandCall struct {
	conn    *net.UnixConn
	answers chan supervisor.ExecReport // closed when no more will come
}

// send sends the command and its files.
func (c *commandCall) send(x *supervisor.Exec, files []int) error {
	text, err := json.Marshal(supervisor.Command{Exec: x})
	if err == nil {
		err = c.conn.SetWriteDeadline(time.Now().Add(dialLimit))
	}
	if err == nil { // the files come with the first byte: it is never cut
		_, _, err = c.conn.WriteMsgUnix(text[:1], unix.UnixRights(files...), nil)
	}
	if err == nil {
		_, err = c.conn.Write(text[1:])
	}
	if err != nil {
		return fmt.Errorf("command supervisor: %w", err)
	}
	return nil
}

// read takes answers until end, which closes the connection.
func (c *commandCall) read() (end func()) {
	ctx, cancel := context.WithCancel(context.Background())
	out := make(chan struct{})
	go func() {
		defer close(out)
		defer close(c.answers)
		decoder := json.NewDecoder(c.conn)
		for {
			var a supervisor.ExecAnswer
			if err := decoder.Decode(&a); err != nil {
				return
			}
			if a.Exec == nil {
				continue // a report on the task
			}
			select {
			case c.answers <- *a.Exec:
			case <-ctx.Done():
				return
			}
		}
	}()
	return func() {
		cancel()
		_ = c.conn.Close()
		<-out
	}
}

// started waits until the command runs.
func (c *commandCall) started(ctx context.Context) error {
	late := time.NewTimer(commandStartLimit)
	defer late.Stop()
	select {
	case a, ok := <-c.answers:
		switch {
		case !ok:
			return model.Errorf(model.Conflict, runtime.CodeExec, "the task has ended")
		case a.Refused != "":
			return model.Errorf(model.Conflict, runtime.CodeExec, "%s", a.Refused)
		case a.Failed != "":
			return model.Errorf(model.Invalid, runtime.CodeExec, "%s", a.Failed)
		}
		return nil
	case <-late.C:
		return model.Errorf(model.Unavailable, runtime.CodeExec, "the task's supervisor does not answer")
	case <-ctx.Done():
		_, err := c.ended(ctx)
		return err
	}
}

// ended waits for the command's end, which the end of ctx brings about.
func (c *commandCall) ended(ctx context.Context) (int, error) {
	var late <-chan time.Time
	done := ctx.Done()
	for {
		select {
		case a, ok := <-c.answers:
			switch {
			case a.Started:
				continue
			case ctx.Err() != nil:
				return 0, fmt.Errorf("run command: %w", context.Cause(ctx))
			case !ok:
				return killedCode, nil // with its task
			case a.ExitCode == nil:
				return 0, fmt.Errorf("run command: %s", a.Failed)
			}
			return *a.ExitCode, nil
		case <-done:
			done = nil
			_ = c.conn.CloseWrite()
			timer := time.NewTimer(runtime.HangUpLimit + releaseLimit)
			defer timer.Stop()
			late = timer.C
		case <-late:
			return 0, fmt.Errorf("run command: its end is not known: %w", context.Cause(ctx))
		}
	}
}

// killedCode is the exit code of what SIGKILL ended.
const killedCode = 128 + int(unix.SIGKILL)
