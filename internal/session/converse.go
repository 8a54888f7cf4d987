package session

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"io"
	"strconv"
	"strings"
	"sync"
	"time"

	"neargate/internal/model"
	"neargate/internal/runtime"
	"neargate/internal/session/channel"
)

var (
	errIdle       = errors.New("nothing has moved for too long")
	errTerminated = errors.New("it was terminated")
)

// root is who commands run as, whoever the container's user is (Amazon ECS
// Developer Guide, "ECS Exec": "these commands are run as the root user").
const root = "0"

// terminalType is what the SSM agent says that its terminals are.
const terminalType = "xterm-256color"

// windowLimit is how long the size of the client's terminal is waited for; the
// plugin sends it at once.
const windowLimit = time.Second

// farewell is what the client prints at the end of a session.
func farewell(err error) string {
	switch {
	case err == nil || errors.Is(err, errTerminated):
		return ""
	case errors.Is(err, errIdle):
		return "Session timed out due to inactivity."
	case errors.Is(err, errStopped):
		return errStopped.Msg
	}
	if e, ok := errors.AsType[*model.Error](err); ok {
		text := e.Msg
		if cause, ok := strings.CutPrefix(text, "unable to start container process: "); ok {
			text = "Failed to start pty: " + cause // in the SSM agent's words
		}
		return "Unable to start command: " + text
	}
	return "The session failed."
}

// talk is a session between its handshake and its end.
type talk struct {
	ch     *channel.Channel
	wishes channel.Wishes
	input  *io.PipeWriter
	sizes  chan runtime.Window // has the newest that nobody has taken
	idle   *time.Timer
	limit  time.Duration
}

// converse shakes hands, runs the command and returns when the client has taken
// all of its output.
func (s *Sessions) converse(ctx context.Context, ch *channel.Channel, id string, r Request) error {
	ctx, end := context.WithCancelCause(ctx)
	defer end(nil)
	idle := time.AfterFunc(s.idle, func() { end(errIdle) })
	defer idle.Stop()
	wishes, err := ch.Welcome(ctx, r.Notice)
	if err != nil {
		return err
	}
	in, input := io.Pipe()
	t := &talk{ch: ch, wishes: wishes, input: input, sizes: make(chan runtime.Window, 1), idle: idle, limit: s.idle}
	var taking sync.WaitGroup
	receiving, stop := context.WithCancel(ctx)
	taking.Go(func() { t.take(ctx, receiving, end) })
	code, err := s.run(ctx, t, in, id, r)
	if err == nil && wishes.ExitCode {
		err = ch.Send(ctx, channel.ExitCode, []byte(strconv.Itoa(code)))
	}
	if err == nil {
		err = ch.Flush(ctx)
	}
	if cause := context.Cause(ctx); cause != nil {
		err = cause
	}
	stop()
	_ = input.Close()
	taking.Wait()
	return err
}

// run runs the command.
func (s *Sessions) run(ctx context.Context, t *talk, in *io.PipeReader, id string, r Request) (int, error) {
	c := runtime.Command{Container: r.Container, Args: r.Args, User: root}
	streams := runtime.Streams{Stdin: in, Stdout: t.output(ctx, channel.Output), Stderr: t.output(ctx, channel.Errors), Resize: t.sizes}
	if !t.wishes.Plain {
		c.Window, c.Env = t.window(ctx), []model.KeyValue{{Name: "TERM", Value: terminalType}}
	}
	if r.LogGroup != "" {
		kept := &transcript{logs: s.logs, group: r.LogGroup, stream: id, log: s.log}
		defer kept.end(ctx)
		streams.Stdout, streams.Stderr = kept.tee(ctx, streams.Stdout), kept.tee(ctx, streams.Stderr)
	}
	return s.engine.Exec(ctx, r.Task, c, streams)
}

// window waits for the size of the client's terminal.
func (t *talk) window(ctx context.Context) *runtime.Window {
	late := time.NewTimer(windowLimit)
	defer late.Stop()
	select {
	case w := <-t.sizes:
		return &w
	case <-late.C:
	case <-ctx.Done():
	}
	return &runtime.Window{}
}

// take takes what the client sends until receiving ends.
func (t *talk) take(ctx, receiving context.Context, end context.CancelCauseFunc) {
	for {
		m, err := t.ch.Receive(receiving)
		if err != nil {
			return // who waits for the channel's end knows why
		}
		t.idle.Reset(t.limit)
		switch m.Kind {
		case channel.Output:
			t.write(m.Data)
		case channel.Size:
			t.resize(m.Data)
		case channel.Flag:
			if len(m.Data) == 4 && binary.BigEndian.Uint32(m.Data) == channel.FlagTerminate {
				end(errTerminated)
			}
		default: // what the client is sent
		}
		if err := t.ch.Taken(ctx, m); err != nil {
			return
		}
	}
}

// write passes input on. No bytes are its end, where there is no terminal.
func (t *talk) write(data []byte) {
	if len(data) == 0 && t.wishes.Plain {
		_ = t.input.Close()
		return
	}
	_, _ = t.input.Write(data) // a command that has ended takes none
}

// resize passes a size on, in place of one that nobody has taken.
func (t *talk) resize(data []byte) {
	var w channel.Window
	if json.Unmarshal(data, &w) != nil {
		return
	}
	select {
	case <-t.sizes:
	default:
	}
	t.sizes <- runtime.Window{Rows: uint16(min(w.Rows, maxSize)), Columns: uint16(min(w.Columns, maxSize))}
}

// maxSize is the largest that a terminal can be, in characters.
const maxSize = 1<<16 - 1

// output returns a writer to the client.
func (t *talk) output(ctx context.Context, kind channel.Payload) io.Writer {
	return writer(func(p []byte) (int, error) {
		done := 0
		for done < len(p) {
			t.idle.Reset(t.limit)
			part := p[done:min(len(p), done+channel.MaxPayload)]
			if err := t.ch.Send(ctx, kind, part); err != nil {
				return done, err
			}
			done += len(part)
		}
		return done, nil
	})
}

// writer is a function as an io.Writer.
type writer func(p []byte) (int, error)

// Write implements io.Writer.
func (w writer) Write(p []byte) (int, error) { return w(p) }
