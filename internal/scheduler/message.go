package scheduler

import (
	"neargate/internal/decide/task"
	"neargate/internal/model"
	"neargate/internal/runtime"
)

// message is what an owner is sent. Owners look at everything after each
// message, so that one about the service or its targets needs no content.
type message interface{ message() }

// wake is sent when the service's record or a target's health has changed.
type wake struct{}

// adopted brings tasks that were written and are to be started.
type adopted struct{ records []model.Task }

// stopWanted is a caller's order to stop a task.
type stopWanted struct {
	id, reason string
	answer     chan<- stopAnswer // has room for the one answer
}

// stopAnswer is the task as it was when the order was taken. err says that the
// order could not be written; it is carried out all the same.
type stopAnswer struct {
	record model.Task
	err    error
}

// told is an event of the engine.
type told struct{ event runtime.Event }

// answered is the answer to one of the orders of a task.
type answered struct {
	id    string
	event task.Event
}

// recorded is the outcome of a write of tasks and events.
type recorded struct {
	changes map[string]int // by task, what was written
	events  int            // how many of the oldest
	err     error
}

// resolved ends the look for the images of a deployment.
type resolved struct{ deployment string }

// shifted is the outcome of writing listener rules.
type shifted struct{ err error }

func (shifted) message()    {}
func (wake) message()       {}
func (adopted) message()    {}
func (stopWanted) message() {}
func (told) message()       {}
func (answered) message()   {}
func (recorded) message()   {}
func (resolved) message()   {}
