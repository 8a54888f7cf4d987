package scaling

import "time"

// Kind is what a reason is about.
type Kind int

// The kinds of reasons.
const (
	Steady     Kind = iota // the load fits the count
	NoData                 // nothing was measured
	TooNew                 // not enough history to lower a count
	NoPolicy               // the target has no policy
	Load                   // the offered load needs another count
	Saturated              // the tasks are busy and requests wait
	Busy                   // a lower count would do, but requests wait
	NearTarget             // the average is too close to the target to move
	AlarmState             // an alarm's action
	Quiet                  // no alarm asks for anything
	Waiting                // a higher count was needed a moment ago
	Settling               // the load has fallen a moment ago
	Small                  // the load is not known well enough to take away so little
	UnderWay               // an order to go out
	Cooldown               // of the scale-in
	Deployment             // scale-in is off during deployments
	Suspended              // by the scalable target
	InDisabled             // by the policy
	ToBound                // a count outside the bounds goes to the bound first
	StepAction             // an alarm's action of a step policy
	Near                   // a customized metric is too close to its target to move
	Unsure                 // it is above its target, but not for long enough
	Late                   // its next datapoint should have come
	Acted                  // its newest datapoint has been acted upon
	Forecast               // a predictive policy's floor
	Resting                // an alarm rings, but its action runs once a minute
	First                  // a request waits and there is no task
	Idle                   // no request has come for long enough: the last task goes
	Asleep                 // there is no task, and no request waits
	LastTask               // it stays until then
	Working                // it stays: it is at work without requests
	Unasked                // it stays: there is no load balancer to wait at
)

// Size is a load and the count that carries it at the policy's target.
type Size struct {
	// Load is in vCPU, requests per second, tasks' whole memory, or the alarm's
	// datapoint. With vCPU the work of Need idle tasks is in it.
	Load float64
	Need int
	// Answer is the percentile Strict of the response time on Need tasks, in
	// seconds, and Fewer on one less; for an SLO.
	Answer, Fewer float64
}

// Basis is what a reason's Size is, of what may be the load.
type Basis int

// The bases of a size.
const (
	Measured Basis = iota // the load as it is
	UpTo                  // the load, generously
	Rising                // what it will be when the order has come into service
	AtLeast               // surely no less
	AtMost                // surely no more
)

// Reason says why a count was decided, with the numbers it rests on: Size.Load
// over what the target lets one task carry, rounded up, is Size.Need, and the
// same holds for Least, Most and Peak.
type Reason struct {
	Kind     Kind
	Policy   string
	Metric   Metric  // "" for the count of an alarm's action
	Target   float64 // the policy's
	Within   float64 // an SLO's percentile
	Strict   float64 // and that which a steady load keeps
	Unit     float64 // vCPU of one task
	Size     Size    // of the load now
	Basis    Basis
	Estimate float64       // the most likely load, where Size is something else
	Least    Size          // Steady: surely no less
	Most     Size          // Steady: surely no more
	Peak     Size          // the most in the window of a scale-in, where that decided
	Window   time.Duration // that window
	Share    float64       // percent of a task reckoned with while requests wait; else 0
	Backlog  float64       // vCPU of Size that work off the backlog
	Drain    time.Duration // and how long that takes
	Waiting  int           // requests in flight and queued
	PerTask  int           // requests in flight at a task beyond which they wait at the balancer; 0: none do
	Average  float64       // NearTarget: percent of memory over all tasks
	Value    float64       // of a customized metric
	Tasks    int           // that an alarm's datapoint is multiplied with
	Before   bool          // Tasks are those before the scale-out whose cooldown lasts
	Need     int           // the count wanted
	Current  int           // the desired count at that moment
	Held     int           // the bound that Need was held to; see Bounded
	Bounded  string        // "", "min", "max", "forecast" or "the last task,"
	Left     time.Duration // until it may happen
	Forecast Floor         // of a predictive policy
	Step     StepReason    // of a step policy whose alarm's action ran
}

// size makes s the ground of the reason and what it needs the count wanted.
func (r *Reason) size(basis Basis, s Size) {
	r.Basis, r.Size, r.Need = basis, s, s.Need
}

// steady reports that a count fits what the load may be.
func (r *Reason) steady(l *load, mean, low, high float64, count int) {
	r.Kind, r.Need = Steady, count
	r.Basis, r.Size, r.Least, r.Most = Measured, l.sized(min(max(mean, low), high)), l.sized(low), l.sized(high)
}

// perTask is what the target lets one task carry, in the unit of Size.
func (r Reason) perTask() float64 {
	switch {
	case r.Share > 0:
		return r.Share / 100 * r.Unit
	case r.Metric == "":
		return r.Target / float64(r.Tasks)
	case r.Metric == CPU:
		return r.Target / 100 * r.Unit
	case r.Metric == RequestsPerTarget:
		return r.Target / 60
	case r.Metric == ResponseTime:
		return 0 // what one carries depends on how many there are
	case r.Metric == Customized:
		return r.Target
	}
	return r.Target / 100
}
