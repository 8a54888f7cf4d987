package runtimetest

import (
	"context"
	"slices"
	"sync"
	"time"

	"neargate/internal/model"
	"neargate/internal/runtime"
)

// feed takes the events of an engine and keeps them.
type feed struct {
	mu     sync.Mutex
	events []runtime.Event // guarded by mu
	came   chan struct{}   // has an element after an event that nobody has seen

	stop func()
}

// listen takes the engine's events until silence.
func (b *bench) listen() {
	ctx, cancel := context.WithCancel(context.Background())
	f, done := &feed{came: make(chan struct{}, 1)}, make(chan struct{})
	go func() {
		defer close(done)
		for e := range b.engine.Events(ctx) {
			f.mu.Lock()
			f.events = append(f.events, e)
			f.mu.Unlock()
			select {
			case f.came <- struct{}{}:
			default:
			}
		}
	}()
	f.stop = func() {
		cancel()
		<-done
	}
	b.feed = f
}

// silence stops taking events.
func (b *bench) silence() {
	if b.feed != nil {
		b.feed.stop()
		b.feed = nil
	}
}

// of returns the events of a task so far.
func (f *feed) of(id string) []runtime.Event {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(f.events), func(e runtime.Event) bool { return e.State.ID != id })
}

// await waits for the first event of a task that fits.
func (b *bench) await(id, what string, fits func(runtime.Event) bool) runtime.Event {
	b.Helper()
	late := time.NewTimer(limit)
	defer late.Stop()
	for {
		for _, e := range b.feed.of(id) {
			if fits(e) {
				return e
			}
		}
		select {
		case <-b.feed.came:
		case <-late.C:
			b.Fatalf("not within %s: %s; the task's events: %v", limit, what, b.feed.of(id))
		}
	}
}

// ended waits for the end of a task, and returns its last state.
func (b *bench) ended(id string) model.RunState {
	b.Helper()
	e := b.await(id, "the task's end is told", func(e runtime.Event) bool { return e.Kind == runtime.TaskEnded })
	if e.State.Running || e.State.StoppedAt.IsZero() {
		b.Errorf("got %+v, want an ended task", e.State)
	}
	return e.State
}

// flush waits until all events that are there have been taken: those of a task
// that runs and ends now come after them.
func (b *bench) flush() {
	b.Helper()
	spec := task(b.container("app", "exit", "0"))
	b.start(spec)
	b.ended(spec.ID)
	if err := b.engine.Forget(b.Context(), spec.ID); err != nil {
		b.Error(err)
	}
}

// endedOnce checks that a task's end was told once, and last.
func (b *bench) endedOnce(id string) {
	b.Helper()
	b.flush()
	events, ends := b.feed.of(id), 0
	for _, e := range events {
		if e.Kind == runtime.TaskEnded {
			ends++
		}
	}
	if ends != 1 || events[len(events)-1].Kind != runtime.TaskEnded {
		b.Errorf("got events %v, want the task's end once and last", events)
	}
}

// count returns how often the end of one container was told.
func (b *bench) count(id, container string) int {
	n := 0
	for _, e := range b.feed.of(id) {
		if e.Kind == runtime.ContainerEnded && e.Container == container {
			n++
		}
	}
	return n
}
