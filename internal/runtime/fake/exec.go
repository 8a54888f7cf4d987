package fake

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"neargate/internal/model"
	"neargate/internal/runtime"
)

var errCommandClosed = model.Errorf(model.Unavailable, runtime.CodeExec, "the runtime is closing")

// command is a command that runs.
type command struct {
	container string
	end       context.CancelCauseFunc
}

// errKilled ends commands with their task.
var errKilled = errors.New("the task ended")

// Exec runs one of the program's commands.
func (e *Engine) Exec(ctx context.Context, task string, c runtime.Command, s runtime.Streams) (int, error) {
	if s.Stdin == nil {
		s.Stdin = io.NopCloser(strings.NewReader(""))
	}
	defer func() { _ = s.Stdin.Close() }()
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	t, done, err := e.claim(task, &command{c.Container, cancel})
	if err != nil {
		return 0, err
	}
	defer done()
	defer context.AfterFunc(ctx, func() { _ = s.Stdin.Close() })()
	go func() { // ends with the command
		select {
		case <-t.ended:
			cancel(errKilled)
		case <-ctx.Done():
		}
	}()
	for _, out := range []*io.Writer{&s.Stdout, &s.Stderr} {
		if *out == nil {
			*out = io.Discard
		}
	}
	code, err := perform(ctx, c, s)
	if cause := context.Cause(ctx); errors.Is(cause, errKilled) {
		return killed, nil
	} else if cause != nil {
		err = cause
	}
	if err != nil && model.KindOf(err) != model.Invalid {
		err = fmt.Errorf("run command: %w", err)
	}
	return code, err
}

// claim finds the container of a command and counts the command until done.
func (e *Engine) claim(task string, c *command) (t *entry, done func(), err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return nil, nil, errCommandClosed
	}
	t = e.tasks[task]
	if t == nil || t.starting() {
		return nil, nil, model.Errorf(model.NotFound, runtime.CodeExec, "task %s is unknown", task)
	}
	i := slices.IndexFunc(t.state.Containers, func(s model.ContainerState) bool { return s.Name == c.container })
	if i < 0 {
		return nil, nil, model.Errorf(model.NotFound, runtime.CodeExec, "task %s has no container %s", task, c.container)
	}
	if !t.state.Containers[i].Running {
		return nil, nil, model.Errorf(model.Conflict, runtime.CodeExec, "container %s of task %s does not run", c.container, task)
	}
	n := 0
	for _, other := range t.commands {
		if other.container == c.container {
			n++
		}
	}
	if n >= runtime.MaxCommands {
		return nil, nil, model.Errorf(model.Throttled, runtime.CodeExec, "%d commands run in container %s of task %s already", n, c.container, task)
	}
	t.commands = append(t.commands, c)
	e.starts.Add(1)
	return t, func() {
		e.mu.Lock()
		defer e.mu.Unlock()
		t.commands = slices.DeleteFunc(t.commands, func(other *command) bool { return other == c })
		e.starts.Done()
	}, nil
}

// perform does what the command's arguments say; the first may be the program.
func perform(ctx context.Context, c runtime.Command, s runtime.Streams) (int, error) {
	args := c.Args
	if len(args) > 0 && strings.HasPrefix(args[0], "/") {
		args = args[1:]
	}
	if len(args) == 0 {
		args = []string{""}
	}
	switch args[0] {
	case "exit":
		return number(args, 1), wait(ctx, time.Duration(number(args, 2))*time.Millisecond)
	case "print":
		_, err := fmt.Fprint(s.Stdout, strings.Join(args[1:], "\n")+"\n")
		return 0, err
	case "wait", "stubborn":
		if _, err := fmt.Fprintln(s.Stdout, "ready"); err != nil {
			return 0, err
		}
		<-ctx.Done()
		return 0, nil
	case "copy":
		_, err := io.Copy(s.Stdout, s.Stdin)
		return 0, err
	case "window":
		return 0, window(ctx, c, s)
	}
	return 0, model.Errorf(model.Invalid, runtime.CodeExec, "unable to start container process: exec: %q: executable file not found in $PATH", c.Args[0])
}

// window prints the sizes of the terminal.
func window(ctx context.Context, c runtime.Command, s runtime.Streams) error {
	if c.Window == nil {
		_, err := fmt.Fprintln(s.Stdout, "no terminal")
		return err
	}
	ends := make(chan struct{})
	go func() { // ends with the input, which Exec closes
		defer close(ends)
		lines := bufio.NewScanner(s.Stdin)
		for lines.Scan() && lines.Text() != "end" { //nolint:revive // reading is all there is to do
		}
	}()
	for size := *c.Window; ; {
		if _, err := fmt.Fprintf(s.Stdout, "%d %d\r\n", size.Rows, size.Columns); err != nil {
			return err
		}
		select {
		case size = <-s.Resize:
		case <-ends:
			return nil
		case <-ctx.Done():
			return nil
		}
	}
}
