package scaling

import "time"

// Order is the last change of the desired count that was decided, and the
// cooldowns that follow from it.
type Order struct {
	From, To int
	Pending  bool      // the service has not reached To
	OutAt    time.Time // the scale-out cooldown counts from here; zero: none
	InAt     time.Time // the same for scale-in; a scale-out clears it
}

// follow watches the service reach what was ordered; cooldowns begin then.
func (o Order) follow(obs Observation, now time.Time) Order {
	if !o.Pending {
		return o
	}
	if obs.Desired != o.To { // refused, or overtaken by somebody else
		o.Pending = false
		return o
	}
	if !obs.Measured {
		return o
	}
	s := obs.Second
	switch {
	case o.To > o.From && s.Running >= o.To:
		o.Pending, o.OutAt = false, now
	case o.To < o.From && s.Running <= o.To && s.Draining == 0:
		o.Pending, o.InAt = false, now
	}
	return o
}

// unseen reports that an order to go out does not show yet in what is observed: the
// data are older than it is, and what they show it may have answered. Tasks
// that never come are not waited for.
func (o Order) unseen(obs Observation, now time.Time) bool {
	return o.Pending && o.To > o.From && obs.Second.Running+obs.Second.Starting < o.To && now.Sub(o.OutAt) < longestStartup
}

// since is how long ago something was; long, when it never was or the clock says
// nothing of it.
func since(at, now time.Time) time.Duration {
	const long = 100 * 365 * 24 * time.Hour
	if gone := now.Sub(at); !at.IsZero() && gone >= 0 {
		return gone
	}
	return long
}

// note takes in a decision.
func (o Order) note(obs Observation, d Decision, now time.Time) Order {
	switch {
	case d.Desired > obs.Desired:
		return Order{From: obs.Desired, To: d.Desired, Pending: true, OutAt: now}
	case d.Desired < obs.Desired:
		return Order{From: obs.Desired, To: d.Desired, Pending: true, InAt: now, OutAt: o.OutAt}
	}
	return o
}

// inLeft is what is left of a scale-in cooldown; all of it while a scale-in is
// under way.
func (o Order) inLeft(cooldown time.Duration, now time.Time) time.Duration {
	if o.InAt.IsZero() {
		return 0
	}
	if o.Pending && o.To < o.From {
		return cooldown
	}
	return left(cooldown, now.Sub(o.InAt))
}

// outLeft is the same for scale-out.
func (o Order) outLeft(cooldown time.Duration, now time.Time) time.Duration {
	if o.OutAt.IsZero() {
		return 0
	}
	if o.Pending && o.To > o.From {
		return cooldown
	}
	return left(cooldown, now.Sub(o.OutAt))
}

// left is what remains of a cooldown; a clock that went back ends it rather
// than stretching it.
func left(cooldown, gone time.Duration) time.Duration {
	if gone < 0 {
		return 0
	}
	return max(0, cooldown-gone)
}
