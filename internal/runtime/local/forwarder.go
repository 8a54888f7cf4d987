package local

import (
	"context"
	"errors"
	"sync"

	"neargate/internal/model"
	"neargate/internal/runtime/local/forward"
	"neargate/internal/runtime/local/logfile"
	"neargate/internal/runtime/local/supervisor"
)

// forwarder sends one container's output to its task's log router. A router that
// does not read holds up nothing else.
type forwarder struct {
	container string

	mu       sync.Mutex // held while it sends
	reader   *logfile.Reader
	client   *forward.Client
	failures int  // in a row
	lost     bool // it panicked: no more is sent
}

// silentFailures are as many as a router may need to start, at one in each
// followPause.
const silentFailures = 8

func newForwarder(t *task, c model.ContainerSpec, id string) (*forwarder, error) {
	r, err := logfile.Open(supervisor.LogDir(t.dir, c.Name))
	if err != nil {
		return nil, err
	}
	router := t.rec.Spec.Router
	client := forward.New(routerDir(t.dir), router.Socket, router.Acks, forward.Source{Tag: c.LogTag, Container: c.Name, ContainerID: id})
	return &forwarder{container: c.Name, reader: r, client: client}, nil
}

// forward has a forwarder send all that its container has printed so far, if it
// is not sending.
func (e *Engine) forward(ctx context.Context, t *task, f *forwarder) {
	if !f.mu.TryLock() {
		return
	}
	e.forwards.Go(func() {
		defer f.mu.Unlock()
		if f.lost {
			return
		}
		err := e.guard(t.id, func() error { return f.send(ctx) })
		if f.lost = errors.Is(err, errPanic); err == nil {
			f.failures = 0
			return
		}
		if f.failures++; f.failures == silentFailures && ctx.Err() == nil {
			e.log.Warn("output is held back", "task", t.id, "container", f.container, "error", err)
		}
	})
}

func (f *forwarder) send(ctx context.Context) error {
	for {
		lines, err := f.reader.Next()
		if err != nil || len(lines) == 0 {
			return err
		}
		if err := f.client.Send(ctx, lines); err != nil {
			return err
		}
		if err := f.reader.Commit(); err != nil {
			return err
		}
	}
}

// close ends it. Of a task that has ended it returns how many lines have not
// reached the router.
func (f *forwarder) close(ended bool) (lost int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.client.Close()
	defer f.reader.Close()
	for ended {
		lines, err := f.reader.Next()
		if err != nil || len(lines) == 0 || f.reader.Commit() != nil {
			break
		}
		lost += len(lines)
	}
	return lost
}
