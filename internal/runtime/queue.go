package runtime

import (
	"context"
	"iter"
	"slices"
	"sync"
)

// Queue keeps an engine's events until they are taken. It is unbounded, because
// a lost event would be a lost task and an engine must not block; what a task
// can leave in it is bounded by its containers and their health checks. The
// zero value is not usable; NewQueue returns an empty one. It is safe for
// concurrent use.
type Queue struct {
	wake chan struct{} // has an element after a Put that nobody has seen

	mu     sync.Mutex
	events []Event // guarded by mu
}

// NewQueue returns an empty queue.
func NewQueue() *Queue { return &Queue{wake: make(chan struct{}, 1)} }

// Put adds an event. It does not block.
func (q *Queue) Put(e Event) {
	q.mu.Lock()
	q.events = append(q.events, e)
	q.mu.Unlock()
	select {
	case q.wake <- struct{}{}:
	default:
	}
}

// Clear drops all events.
func (q *Queue) Clear() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.events = nil
}

// Drop drops the events of one task.
func (q *Queue) Drop(task string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.events = slices.DeleteFunc(q.events, func(e Event) bool { return e.State.ID == task })
}

// Events is the method of Watcher.
func (q *Queue) Events(ctx context.Context) iter.Seq[Event] {
	return func(yield func(Event) bool) {
		for ctx.Err() == nil {
			if e, ok := q.take(); ok {
				if !yield(e) {
					return
				}
				continue
			}
			select {
			case <-q.wake:
			case <-ctx.Done():
			}
		}
	}
}

func (q *Queue) take() (Event, bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.events) == 0 {
		return Event{}, false
	}
	e := q.events[0]
	q.events = q.events[1:]
	return e, true
}
