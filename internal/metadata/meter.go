package metadata

import (
	"sync"
	"time"

	"neargate/internal/model"
)

const (
	// fresh is for how long a reading answers further questions.
	fresh = 500 * time.Millisecond
	// stale is when a reading is no more a task's last: it has ended, or nobody
	// asks.
	stale = 5 * time.Minute
)

// meter keeps the last two readings of the tasks that ask for theirs.
type meter struct {
	tasks tasks

	mu       sync.Mutex
	readings map[string]*reading // guarded by mu; by task
}

// reading is what a task has consumed by two moments.
type reading struct {
	mu        sync.Mutex // held while a reading is taken
	was, last model.TaskUsage
}

func newMeter(tasks tasks) *meter { return &meter{tasks: tasks, readings: map[string]*reading{}} }

// read returns a task's usage of now, and of some time before, which is zero the
// first time; ok is false where it does not run.
func (m *meter) read(id string) (was, now model.TaskUsage, ok bool) {
	r := m.of(id)
	r.mu.Lock()
	defer r.mu.Unlock()
	if time.Since(r.last.At) > fresh {
		now, ok := m.tasks.Usage(id)
		if !ok {
			return was, now, false
		}
		r.was, r.last = r.last, now
	}
	return r.was, r.last, true
}

func (m *meter) of(id string) *reading {
	m.mu.Lock()
	defer m.mu.Unlock()
	r, known := m.readings[id]
	if !known {
		for other, old := range m.readings {
			if old.mu.TryLock() {
				if time.Since(old.last.At) > stale {
					delete(m.readings, other)
				}
				old.mu.Unlock()
			}
		}
		r = &reading{}
		m.readings[id] = r
	}
	return r
}
