package autoscaler

import (
	"slices"
	"time"

	"neargate/internal/decide/scaling"
)

// Explained is a decision with its reason.
type Explained struct {
	Since, Until time.Time // the seconds that decided the same
	From, To     int       // the desired count before and after; equal: held
	Policy       string    // "" when none decided
	Reason       string
}

// keptReasons is how many decisions of a target are kept.
const keptReasons = 50

// ring is a target's last decisions. Those that say the same are kept once,
// and their sentence is only made when it is read.
type ring struct {
	n    int // ever noted
	last [keptReasons]decided
}

type decided struct {
	since, until time.Time
	from         int
	decision     scaling.Decision
}

// same reports that two decisions differ in the numbers measured at most. Those of
// a count that is held wander from second to second.
func (x decided) same(y decided) bool {
	a, b := x.decision, y.decision
	switch {
	case x.from != y.from || a.Desired != b.Desired || a.Policy != b.Policy:
		return false
	case x.from != a.Desired:
		return a.Reason.Kind == b.Reason.Kind && a.Reason.Need == b.Reason.Need
	case a.NotScaled != "" && b.NotScaled != "" && a.NotScaled != b.NotScaled:
		return false
	case (a.PerTask > 0) != (b.PerTask > 0): // requests begin to wait, or no longer do
		return false
	}
	return subject(a.Reason.Kind) == subject(b.Reason.Kind)
}

// longestGap is how long nothing may have been decided inside a line.
const longestGap = 10 * time.Second

// meets reports that a decision made now follows on x.
func (x decided) meets(now time.Time) bool {
	gap := now.Sub(x.until)
	return gap >= 0 && gap <= longestGap // a clock that went back begins anew
}

// subject joins the kinds of reasons between which a load at the edge of two
// counts goes to and fro, and an alarm's action with the pauses between its runs.
func subject(k scaling.Kind) scaling.Kind {
	switch k {
	case scaling.Small, scaling.Waiting, scaling.TooNew, scaling.LastTask, scaling.Near, scaling.NearTarget, scaling.Unsure, scaling.Acted:
		return scaling.Steady
	case scaling.Resting, scaling.StepAction:
		return scaling.AlarmState
	default:
		return k
	}
}

// remember notes a decision.
func (a *Autoscaler) remember(id string, d scaling.Decision, from int, now time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	r := a.reasons[id]
	if r == nil {
		r = &ring{}
		a.reasons[id] = r
	}
	next := decided{now, now, from, d}
	if r.n > 0 {
		if cur := &r.last[(r.n-1)%keptReasons]; cur.same(next) && cur.meets(now) {
			cur.until = now
			if d.NotScaled != "" || cur.decision.NotScaled == "" { // else the older one says more
				cur.decision = d
			}
			return
		}
	}
	r.last[r.n%keptReasons] = next
	r.n++
}

// Reasons returns the last n decisions for a target, newest first: at most 50 are
// kept, since the server started.
func (a *Autoscaler) Reasons(resourceID string, n int) []Explained {
	a.mu.Lock()
	var last []decided
	if r := a.reasons[resourceID]; r != nil {
		for i := r.n - 1; i >= max(0, r.n-min(n, keptReasons)); i-- {
			last = append(last, r.last[i%keptReasons])
		}
	}
	a.mu.Unlock()
	out := make([]Explained, 0, len(last))
	for _, x := range last {
		out = append(out, Explained{
			Since: x.since, Until: x.until, Policy: x.decision.Policy,
			From: x.from, To: x.decision.Desired, Reason: x.decision.Reason.String(),
		})
	}
	return slices.Clip(out)
}
