package scaling

import (
	"fmt"
	"time"

	"neargate/internal/model"
)

// To zero and back. A service whose minimum is 0 has, in live timing, no task while
// nobody asks it for anything: the balancer keeps the first requests until the
// task that they order is healthy.
//
// Idle is a service behind a load balancer of which no request came, was in
// flight or waited. Its last task goes after as long as the policy's scale-in
// cooldown, whatever the policy tracks: a metric that is low but not zero says
// nothing of the next request. A policy on CPU keeps a last task that is at work
// without requests. What a step policy's alarm or a customized metric asks to go
// to zero goes there when the service is idle, one task before.
//
// AWS has nothing like it: target tracking on CPU never comes to 0 nor leaves it,
// and a load balancer answers 503 while there is no task (autoscaling,
// "target tracking"). So do the aws timings.

const (
	// shortestIdle is how long a service is idle at least before its last task
	// goes, where the policy has no cooldown to speak of.
	shortestIdle = 10 * time.Second
	// atWork is the part of its target that a last task may use without any
	// request before it counts as working on something.
	atWork = 0.5
)

// Awakens reports whether a first request orders the first task, so that requests
// may wait for it.
func (c Config) Awakens() bool {
	return c.Timing == Live && c.Min == 0 && c.Max > 0 && !c.SuspendOut
}

// Awaken is Decide for the moment in which a request finds no task: waiting is how
// many there are. It needs no observation and no policy.
func Awaken(cfg Config, st State, desired, waiting int, now time.Time) (Decision, State) {
	obs := Observation{Desired: desired}
	d := cfg.first(obs, waiting, Decision{Desired: desired, Reason: Reason{Kind: NoPolicy, Current: desired}})
	st.Order = st.Order.note(obs, d, now)
	return d, st
}

// first orders the first task for requests that wait, unless d has some already.
func (c Config) first(obs Observation, waiting int, d Decision) Decision {
	if !c.Awakens() || waiting == 0 || obs.Desired > 0 || d.Desired > 0 {
		return d
	}
	return Decision{Desired: 1, Reason: Reason{Kind: First, Need: 1, Current: obs.Desired, Waiting: waiting}}
}

// rest follows when the service was last asked for anything.
func (st *State) rest(s model.ServiceSecond, now time.Time) {
	if st.Asked.Before(st.Since) || st.Asked.After(now) || s.Arrivals+s.Completed+s.InFlight+s.Queued > 0 {
		st.Asked = now // of what happened in a gap nothing is known
	}
}

// idle is how long a service must be idle before its last task goes, and how much
// of that is left. A task that came up for nothing is given the whole of it.
func (st *State) idle(p Policy, now time.Time) (whole, left time.Duration) {
	whole = max(shortestIdle, st.Startup.time(), p.ScaleIn)
	gone := min(since(st.Asked, now), since(st.Order.OutAt, now))
	return whole, max(0, whole-gone, minCalm-since(st.Since, now))
}

// last has the opinion of a policy that tracks keep the last task while the service
// is asked, and give it up when it is idle.
func (st *State) last(o opinion, ws *windows, cfg Config, p Policy, obs Observation, now time.Time) opinion {
	s := second{ServiceSecond: clean(obs.Second)}
	switch {
	case cfg.Min > 0, !o.known:
		return o
	case obs.Desired == 0 && p.Metric != Customized && s.Queued == 0:
		// Whatever the load was, nobody waits, and no task is there to measure.
		o.want, o.agreesIn, o.reason = 0, false, Reason{Kind: Asleep, Metric: p.Metric}
		return o
	case obs.Desired == 0, o.want > 1:
		return o
	case !s.Balanced && p.Metric == Customized:
		return o // as a queue of work, which brings tasks back
	case o.want == 1 && st.Asked.Equal(now):
		return o
	}
	whole, left := st.idle(p, now)
	why := Reason{Kind: LastTask, Metric: p.Metric, Unit: s.cores(), Need: 1, Window: whole, Left: left}
	recent := ws.within(shortestIdle)
	work := recent.CPULow.Seconds() / max(1, recent.span)
	switch {
	case !s.Balanced: // no request can bring it back
		why.Kind = Unasked
	case left > 0:
	case s.Running == 0 && since(st.Order.OutAt, now) < longestStartup:
		why.Kind = UnderWay
	case p.Metric == CPU && work > atWork*p.Target/100*s.cores():
		why.Kind = Working
		why.size(Measured, Size{Load: work, Need: 1})
	case p.Metric == Customized && o.want == 1:
		return o // the metric itself asks for one
	default:
		why.Kind, why.Need = Idle, 0
	}
	if why.Need == 1 && obs.Desired > 1 {
		return o.butOne()
	}
	o.want, o.agreesIn, o.reason = why.Need, why.Need < obs.Desired, why
	return o
}

// butOne has an opinion for fewer tasks keep one.
func (o opinion) butOne() opinion {
	if o.want == 0 {
		o.want, o.reason.Bounded, o.reason.Held = 1, byRequests, 1
	}
	return o
}

// lastStep is last for what a step policy's alarm asks for: it goes to zero only when
// the service is idle.
func (st *State) lastStep(o opinion, cfg Config, p Policy, obs Observation, now time.Time) opinion {
	if cfg.Timing != Live || cfg.Min > 0 || o.want > 0 || !o.agreesIn || !obs.Second.Balanced {
		return o
	}
	whole, left := st.idle(p, now)
	switch {
	case left == 0:
	case obs.Desired > 1:
		return o.butOne()
	default:
		o.want, o.agreesIn, o.fired = 1, false, false
		o.reason = Reason{Kind: LastTask, Need: 1, Window: whole, Left: left}
	}
	return o
}

// byRequests is what Reason.Bounded says of a count that requests hold.
const byRequests = "the last task,"

// lastly says what becomes of a last task, or brings the first.
func (r Reason) lastly() string {
	switch r.Kind {
	case First:
		return fmt.Sprintf("%d requests wait at the balancer and there is no task: needs 1", r.Waiting)
	case Idle:
		return fmt.Sprintf("no request for %s: needs 0", seconds(r.Window))
	case Asleep:
		return "no task and no request that waits: needs 0"
	case Working:
		return fmt.Sprintf("no request for %s, but the last task is at work on %s vCPU of %s", seconds(r.Window), number(r.Size.Load, 1), exact(r.Unit))
	case Unasked:
		return "the last task stays: without a load balancer no request could bring it back"
	default:
		return fmt.Sprintf("the last task stays until no request has come for %s: %s to go", seconds(r.Window), seconds(r.Left))
	}
}
