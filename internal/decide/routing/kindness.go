package routing

// Kindness is what was done for a request where an ALB would have failed it. Whoever
// rehearses for AWS must hear of it: what is answered here would not be there.
//
// It is no kindness to have a request wait for a place at targets that are at their
// limit: an ALB knows no limit and sends the request on. What it does when an HTTP/2
// target says that it has not looked at a request is not documented, so nothing is
// said of that.
type Kindness uint8

// The kindnesses (load-balancer-troubleshooting, "HTTP 502", "HTTP 503", "HTTP 504").
const (
	NoKindness Kindness = iota
	// StaleConnection: the target closed a kept connection while the request was on
	// its way, or would have been for an ALB, and got it on a new one. Targets should keep connections
	// for longer than the load balancer's idle timeout.
	StaleConnection
	// RefusedElsewhere: a target refused the connection, and another got the request.
	RefusedElsewhere
	// UnreachedElsewhere: there was no connection to a target in time, and another got
	// the request.
	UnreachedElsewhere
	// BrokenElsewhere: a target broke the connection off before it answered, and
	// another got the request.
	BrokenElsewhere
	// FirstTask: there was no target, and the request waited for one.
	FirstTask

	Kindnesses // how many there are, none included
)

// String names the kindness as the metric's dimension does.
func (k Kindness) String() string {
	return [Kindnesses]string{
		"None", "TargetClosedIdleConnection", "TargetRefusedConnection", "TargetConnectTimeout",
		"TargetBrokeConnection", "NoTargets",
	}[k]
}

// Would returns the status that an ALB would have answered; 0 for none.
func (k Kindness) Would() int { return [Kindnesses]int{0, 502, 502, 504, 502, 503}[k] }

// Then is the kindness of a request to which next was done after k: an ALB would have
// answered at the first.
func (k Kindness) Then(next Kindness) Kindness {
	if k == NoKindness {
		return next
	}
	return k
}

// Counts is what is told of a request with the kindness k: nothing when it helped
// not, as the answer was the balancer's own all the same, or there was none.
func (k Kindness) Counts(answered bool) Kindness {
	if !answered {
		return NoKindness
	}
	return k
}
