package app

import (
	"sync"

	"neargate/internal/logs"
	"neargate/internal/model"
)

// exits passes the ends of tasks on to the scheduler. The runtime may tell of
// some before the scheduler has been made; these wait.
type exits struct {
	mu   sync.Mutex
	to   func(model.RunState)
	held []model.RunState
}

func (e *exits) tell(s model.RunState) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.to == nil {
		e.held = append(e.held, s)
		return
	}
	e.to(s)
}

func (e *exits) connect(to func(model.RunState)) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.to = to
	for _, s := range e.held {
		to(s)
	}
	e.held = nil
}

// logGroups is what the scheduler asks of the logs.
type logGroups struct{ *logs.Logs }

// HasGroup says whether there is a group of that name.
func (l logGroups) HasGroup(name string) bool {
	_, err := l.Group(name)
	return err == nil
}
