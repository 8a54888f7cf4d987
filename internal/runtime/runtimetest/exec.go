package runtimetest

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"io"
	"slices"
	"strconv"
	"strings"
	"sync"

	"neargate/internal/model"
	"neargate/internal/runtime"
)

// commandEnd is how a command went.
type commandEnd struct {
	code int
	err  error
}

// written is what a command has written so far.
type written struct {
	mu   sync.Mutex
	text bytes.Buffer // guarded by mu
}

// Write implements io.Writer.
func (w *written) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.text.Write(p)
}

func (w *written) bytes() []byte {
	w.mu.Lock()
	defer w.mu.Unlock()
	return bytes.Clone(w.text.Bytes())
}

// lines are those of the text, without carriage returns.
func (w *written) lines() []string { return strings.Fields(string(w.bytes())) }

// hosted starts a task whose container app waits for commands.
func (b *bench) hosted() model.TaskSpec {
	b.Helper()
	spec := task(b.container("app", "wait"))
	b.start(spec)
	b.ready(spec, "app")
	return spec
}

// command runs a command of the program in the container app.
func (b *bench) command(id string, s runtime.Streams, args ...string) commandEnd {
	b.Helper()
	var o commandEnd
	b.within("the command has ended", func() {
		o.code, o.err = b.engine.Exec(b.Context(), id, b.order(args...), s)
	})
	return o
}

func (b *bench) order(args ...string) runtime.Command {
	return runtime.Command{Container: "app", Args: append([]string{b.Program}, args...)}
}

// background runs a command until end, which returns how it went.
func (b *bench) background(id string, c runtime.Command, s runtime.Streams) (end, wait func() commandEnd) {
	ctx, cancel := context.WithCancelCause(b.Context())
	done := make(chan commandEnd, 1)
	go func() {
		var o commandEnd
		o.code, o.err = b.engine.Exec(ctx, id, c, s)
		done <- o
	}()
	wait = func() commandEnd {
		b.Helper()
		var o commandEnd
		b.within("the command has ended", func() { o = <-done })
		return o
	}
	return func() commandEnd {
		b.Helper()
		cancel(errGone)
		return wait()
	}, wait
}

var errGone = errors.New("the caller went")

func exec(b *bench) {
	spec := b.hosted()
	for _, want := range []int{0, 3, 255} {
		if o := b.command(spec.ID, runtime.Streams{}, "exit", strconv.Itoa(want)); o.err != nil || o.code != want {
			b.Errorf("got %+v, want code %d", o, want)
		}
	}
	var out, errs written
	o := b.command(spec.ID, runtime.Streams{Stdout: &out, Stderr: &errs}, "print", "one", "two")
	if o.err != nil || string(out.bytes()) != "one\ntwo\n" || len(errs.bytes()) > 0 {
		b.Errorf("got %+v, output %q, errors %q", o, out.bytes(), errs.bytes())
	}
	_, err := b.engine.Exec(b.Context(), spec.ID, runtime.Command{Container: "app", Args: []string{"nothing-of-that-name"}}, runtime.Streams{})
	b.refused("a program that is not there", err, model.Invalid, runtime.CodeExec)
	if !strings.Contains(err.Error(), "nothing-of-that-name") {
		b.Errorf("got %v, want it to name the program", err)
	}
	b.stop(spec.ID)
	b.exited(b.ended(spec.ID), "app", 0, 143)
}

func execInput(b *bench) {
	spec := b.hosted()
	data := make([]byte, 3<<20+17)
	_, _ = rand.Read(data) // never fails
	var out written
	o := b.command(spec.ID, runtime.Streams{Stdin: io.NopCloser(bytes.NewReader(data)), Stdout: &out}, "copy")
	if o.err != nil || o.code != 0 || !bytes.Equal(out.bytes(), data) {
		b.Errorf("got %+v and %d bytes, want the %d that went in", o, len(out.bytes()), len(data))
	}
	// A command that does not read its input ends all the same.
	r, w := io.Pipe()
	if o := b.command(spec.ID, runtime.Streams{Stdin: r}, "exit", "4"); o.err != nil || o.code != 4 {
		b.Errorf("got %+v, want code 4", o)
	}
	if _, err := w.Write([]byte("x")); !errors.Is(err, io.ErrClosedPipe) {
		b.Errorf("got %v of an input that should be closed", err)
	}
}

func execWindow(b *bench) {
	spec := b.hosted()
	var out written
	if o := b.command(spec.ID, runtime.Streams{Stdout: &out}, "window"); o.err != nil || string(out.bytes()) != "no terminal\n" {
		b.Errorf("got %+v and %q without a terminal", o, out.bytes())
	}
	c := b.order("window")
	c.Window = &runtime.Window{Rows: 25, Columns: 81}
	in, keys := io.Pipe()
	resize := make(chan runtime.Window)
	out = written{}
	_, wait := b.background(spec.ID, c, runtime.Streams{Stdin: in, Stdout: &out, Resize: resize})
	sees := func(rows, columns string) {
		b.Helper()
		b.until("the size is "+rows+"x"+columns, func() bool {
			l := out.lines()
			i := slices.Index(l, rows)
			return i >= 0 && i+1 < len(l) && l[i+1] == columns
		})
	}
	sees("25", "81")
	resize <- runtime.Window{Rows: 33, Columns: 102}
	sees("33", "102")
	if _, err := io.WriteString(keys, "end\n"); err != nil {
		b.Error(err)
	}
	if o := wait(); o.err != nil || o.code != 0 {
		b.Errorf("got %+v, want it to end with its input", o)
	}
}

// execEnds ends commands that do not end by themselves: by their callers, their
// task, and the engine.
func execEnds(b *bench) {
	spec := b.hosted()
	for _, how := range []string{"wait", "stubborn"} {
		var out written
		end, _ := b.background(spec.ID, b.order(how), runtime.Streams{Stdout: &out})
		b.until("the command runs", func() bool { return slices.Contains(out.lines(), "ready") })
		if o := end(); !errors.Is(o.err, errGone) {
			b.Errorf("%s: got %+v, want the cause", how, o)
		}
	}
	var out written
	_, wait := b.background(spec.ID, b.order("wait"), runtime.Streams{Stdout: &out})
	b.until("the command runs", func() bool { return slices.Contains(out.lines(), "ready") })
	b.stop(spec.ID)
	if o := wait(); o.err != nil || o.code != killed {
		b.Errorf("got %+v of a command whose task ended, want code %d", o, killed)
	}
	spec, out = b.hosted(), written{}
	_, wait = b.background(spec.ID, b.order("wait"), runtime.Streams{Stdout: &out})
	b.until("the command runs", func() bool { return slices.Contains(out.lines(), "ready") })
	engine := b.engine
	b.close()
	b.refused("a command when the engine closes", wait().err, model.Unavailable, runtime.CodeExec)
	_, err := engine.Exec(b.Context(), spec.ID, b.order("exit", "0"), runtime.Streams{})
	b.refused("a command after Close", err, model.Unavailable, runtime.CodeExec)
}

// broken is an output that cannot be written.
type broken struct{}

// Write implements io.Writer.
func (broken) Write([]byte) (int, error) { return 0, io.ErrShortWrite }

func execOutputFails(b *bench) {
	spec := b.hosted()
	if o := b.command(spec.ID, runtime.Streams{Stdout: broken{}}, "stubborn"); !errors.Is(o.err, io.ErrShortWrite) {
		b.Errorf("got %+v, want the writer's error", o)
	}
}

func execRefused(b *bench) {
	side := b.container("side", "exit", "0")
	side.Essential = false
	spec := task(b.container("app", "wait"), side)
	s := b.start(spec)
	if find(b, s, "side").Running {
		b.await(spec.ID, "side has ended", func(e runtime.Event) bool { return e.Kind == runtime.ContainerEnded })
	}
	try := func(what, id, container string, kind model.Kind) {
		b.Helper()
		c := b.order("exit", "0")
		c.Container = container
		_, err := b.engine.Exec(b.Context(), id, c, runtime.Streams{})
		b.refused(what, err, kind, runtime.CodeExec)
	}
	try("an unknown task", "0123456789abcdef", "app", model.NotFound)
	try("an unknown container", spec.ID, "other", model.NotFound)
	try("a container that has ended", spec.ID, "side", model.Conflict)
	b.stop(spec.ID)
	b.ended(spec.ID)
	try("a task that has ended", spec.ID, "app", model.Conflict)
}

func execBounded(b *bench) {
	spec := b.hosted()
	var ends []func() commandEnd
	for range runtime.MaxCommands {
		var out written
		end, _ := b.background(spec.ID, b.order("wait"), runtime.Streams{Stdout: &out})
		b.until("the command runs", func() bool { return slices.Contains(out.lines(), "ready") })
		ends = append(ends, end)
	}
	_, err := b.engine.Exec(b.Context(), spec.ID, b.order("exit", "0"), runtime.Streams{})
	b.refused("one command more", err, model.Throttled, runtime.CodeExec)
	for _, end := range ends {
		if o := end(); !errors.Is(o.err, errGone) {
			b.Errorf("got %+v, want the cause", o)
		}
	}
	if o := b.command(spec.ID, runtime.Streams{}, "exit", "6"); o.err != nil || o.code != 6 {
		b.Errorf("got %+v after the others had ended", o)
	}
}

func execAfterRecover(b *bench) {
	spec := b.hosted()
	b.close()
	b.open()
	if o := b.command(spec.ID, runtime.Streams{}, "exit", "5"); o.err != nil || o.code != 5 {
		b.Errorf("got %+v in a task of the process before", o)
	}
}
