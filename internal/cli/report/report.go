// Package report turns the record of a load-testing run into things to look
// at: one self-contained HTML page, the same as a picture, a table of metrics
// and a list of events. It only draws what it is given.
package report

import "time"

// Run is the record of one run. Times are offsets from Started.
type Run struct {
	Title   string
	Started time.Time
	Length  time.Duration

	Setting []Pair // what was run: service, task size, policy, load, machine
	Summary []Pair // what came out, in numbers
	Verdict string // one line: passed, or what went wrong
	Passed  bool

	Target   float64 // CPU percent that the policy aims at
	Min, Max int     // bounds of the policy

	Seconds []Second // one for each second, in order
	Marks   []Mark   // in order of time
}

// Pair is a named value, ready to print.
type Pair struct {
	Name, Value string
}

// Second is the state of a run in one second. Rates and latencies are of the
// requests that ended in it. Latencies and CPU are NaN when there was nothing
// to measure.
type Second struct {
	At                         time.Duration
	Users                      int
	Requests, Errors           int
	P50, P99                   float64 // milliseconds
	CPU                        float64 // percent of what the running tasks may use
	Desired, Running, Draining int
}

// Kind says what a Mark tells of.
type Kind string

// The kinds of marks.
const (
	Phase    Kind = "phase"    // of the run itself: load begins, load ends
	Event    Kind = "event"    // a service event, in ECS's words
	Activity Kind = "activity" // a scaling activity
)

// Mark is something that happened at one moment.
type Mark struct {
	At     time.Duration
	Kind   Kind
	Text   string
	Detail string // more on it, e.g. the reason of a scaling activity; "" for none
}
