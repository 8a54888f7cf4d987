package app

import (
	"sync"

	"neargate/internal/logs"
	"neargate/internal/model"
)

// relay passes what the runtime tells of tasks on to the scheduler. The runtime
// may tell before the scheduler has been made; that waits.
type relay struct {
	mu   sync.Mutex
	to   func(model.RunState)
	held []model.RunState
}

func (r *relay) tell(s model.RunState) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.to == nil {
		r.held = append(r.held, s)
		return
	}
	r.to(s)
}

func (r *relay) connect(to func(model.RunState)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.to = to
	for _, s := range r.held {
		to(s)
	}
	r.held = nil
}

// logGroups is what the scheduler asks of the logs.
type logGroups struct{ *logs.Logs }

// HasGroup says whether there is a group of that name.
func (l logGroups) HasGroup(name string) bool {
	_, err := l.Group(name)
	return err == nil
}
