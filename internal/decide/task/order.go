package task

import "time"

// Orders is what an event calls for.
//
// The loop that carries them out may do so in any order, but for one rule:
// orders in Then wait until the record, as it stands in the returned state, is
// on disk. What is in Now may precede the write, because the next server finds
// out about it: it sees what runs and which targets there are. What is in Then
// would lose knowledge.
type Orders struct {
	Now  []Order
	Then []Order // complete: what earlier calls returned here is void
	// Facts is what the service's deployment and its events are told.
	Facts []Fact
	Again time.Time // Tick then at the latest; zero: only events change something
}

// OrderKind is what is to be done.
type OrderKind int

// The orders, and the events that answer them.
const (
	Start       OrderKind = iota + 1 // run the task: Started or NotStarted
	CancelStart                      // give up the start under way, which answers for itself
	Stop                             // stop the containers: StopDone or StopFailed; Ended comes of itself
	Register                         // the targets in Group: Registered or Refused
	Deregister                       // the targets in Group: Deregistered or Refused
	Write                            // the record as it stands: Written or WriteFailed
	Forget                           // drop the task here and in the engine; the state is void after it
)

// String returns the order's name.
func (k OrderKind) String() string {
	switch k {
	case Start:
		return "start"
	case CancelStart:
		return "cancel-start"
	case Stop:
		return "stop"
	case Register:
		return "register"
	case Deregister:
		return "deregister"
	case Write:
		return "write"
	case Forget:
		return "forget"
	}
	return "unknown"
}

// Order is one thing to be done.
type Order struct {
	Kind  OrderKind
	Group string // of Register and Deregister
	Lost  bool   // of Deregister: the task has ended, nothing is to drain
}

// FactKind is what became of a task.
type FactKind int

// The facts.
const (
	IsRunning    FactKind = iota + 1 // it reached RUNNING
	DidNotStart                      // it did not, for Reason
	Crashed                          // it ended by itself after it had reached RUNNING
	HasFailed                        // it counts as a failure of its deployment; told once
	IsProven                         // it has been healthy for long enough
	GotTargets                       // its targets are in Group
	LeftGroup                        // its targets were deregistered from Group
	BeganToDrain                     // it has left its last target group
	WasRefused                       // Group did not take or release its targets, for Reason
)

// String returns the fact's name.
func (k FactKind) String() string {
	switch k {
	case IsRunning:
		return "is-running"
	case DidNotStart:
		return "did-not-start"
	case Crashed:
		return "crashed"
	case HasFailed:
		return "has-failed"
	case IsProven:
		return "is-proven"
	case GotTargets:
		return "got-targets"
	case LeftGroup:
		return "left-group"
	case BeganToDrain:
		return "began-to-drain"
	case WasRefused:
		return "was-refused"
	}
	return "unknown"
}

// Fact is something that others are told.
type Fact struct {
	Kind   FactKind
	Group  string
	Reason string
	// Leaving is set with WasRefused when the targets were to be deregistered.
	Leaving bool
}
