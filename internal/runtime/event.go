package runtime

import "neargate/internal/model"

// EventKind is what happened to a task.
type EventKind int

// The kinds of events.
const (
	// TaskEnded comes once for each task that Start returned or that Recover
	// returned as running, when every container has ended and all that the task
	// held is released. It is the last event of the task. A task that Start
	// returned with Running false has it, too.
	TaskEnded EventKind = iota + 1
	// ContainerEnded comes once for a container that ends while its task goes
	// on. Those that end with their task may have none: TaskEnded has them all.
	// One that its policy starts again has not ended.
	ContainerEnded
	// HealthChanged comes when a container's own health check has another
	// verdict than before.
	HealthChanged
)

// String returns the kind's name.
func (k EventKind) String() string {
	switch k {
	case TaskEnded:
		return "task ended"
	case ContainerEnded:
		return "container ended"
	case HealthChanged:
		return "health changed"
	}
	return "unknown"
}

// Event is something that happened to a task. What happened before Start had
// its result is in that result and is no event, but for the end of the task.
// An event may be taken before the caller of Start has looked at that result.
type Event struct {
	Kind      EventKind
	Container string         // its name; "" for TaskEnded
	State     model.RunState // the whole task's, when it happened
}
