package scaling

import (
	"math"
	"slices"
	"time"
)

// Saturated tasks hide the load: their CPU cannot rise above their quota, and
// users who wait for answers send no new requests. What cannot be hidden is
// the number of requests that wait.

// A count that is off by less than a quarter works the backlog off nearly as
// soon: no order for that.

// waitingProof is how sure the waiting requests must be, in nats: the chance
// of so many waiting at the target utilisation is e^-18.
const waitingProof = 18

// How fast a backlog should be worked off, and how busy tasks may be meanwhile.
const (
	slowDrain  = 10 * time.Second
	quickDrain = 4 * time.Second
	fullUse    = 0.95
	// callersWait is how many arrivals an answer may bring while callers wait:
	// some join.
	callersWait = 1.2
)

// saturation raises o when requests pile up on busy tasks. Beyond the tasks in
// service each waiting request halves (at target 50 %) the chance that this
// happens within the target, as in a queue at that utilisation.
func (st *State) saturation(ws *windows, o opinion, q queue, s second, obs Observation, now time.Time) opinion {
	if !s.Balanced || s.Running == 0 {
		return o
	}
	recent := ws.within(2 * time.Second)
	capacity := float64(s.Running) * s.cores()
	used := min(recent.CPUHigh.Seconds()/recent.span, capacity)
	target := min(max(q.use, 0.2), 0.95)
	if used < target*capacity {
		return o // whatever they wait for, it is not CPU
	}
	waiting := float64(s.InFlight + s.Queued)
	flow := ws.within(8 * time.Second)
	rate := float64(flow.Arrivals) / flow.span
	usual := 1.5*st.Demand.Response*rate + float64(s.Running)
	if (waiting-usual)*math.Log(1/target) < waitingProof && !q.crowded(st.Demand.Waiting[:2]) {
		return o
	}
	each := st.Demand.perRequest()
	if each == 0 && recent.Completed > 0 {
		each = recent.CPULow.Seconds() / float64(recent.Completed)
	}
	need := st.backlogNeed(backlog{
		each: each, used: used, offered: rate * each, cores: s.cores(), target: q.use,
		now: waiting - usual, lasting: float64(slices.Min(st.Demand.Waiting[:])) - usual,
		hidden: recent.Completed <= recent.Arrivals && float64(flow.Arrivals) <= callersWait*float64(flow.Completed),
	})
	need.Metric, need.Unit, need.Waiting = o.reason.Metric, s.cores(), s.InFlight+s.Queued
	switch {
	case need.Need > o.want && 4*need.Need >= 5*obs.Desired && !st.Order.unseen(obs, now):
		o.want, o.reason = need.Need, need
	case o.want < obs.Desired: // in no case fewer now
		o.want, o.reason.Kind, o.reason.Waiting = obs.Desired, Busy, need.Waiting
	}
	o.agreesIn = false
	return o
}

// queue is what a policy lets its tasks do.
type queue struct {
	use   float64 // how busy they may be
	crowd float64 // requests in flight that an SLO cannot stand; 0: any
}

// crowded reports that there were as many all the time.
func (q queue) crowded(waiting []int) bool {
	return q.crowd > 0 && float64(slices.Min(waiting)) >= q.crowd
}

// backlog is what is known of requests that wait on busy tasks.
type backlog struct {
	each, used, offered float64 // CPU-seconds of a request; vCPU used; vCPU that arrive
	cores, target       float64
	now, lasting        float64 // requests too many now, and all through the last seconds
	hidden              bool    // as many arrive as are answered: callers wait
}

// backlogNeed is the count that ends a backlog: what arrives, with the backlog
// worked off in the time that a start takes. Callers who wait for an answer
// before they ask again show as a backlog that neither grows nor shrinks;
// they hide what they would ask, so those are answered faster, and at the
// least the busy tasks' use is taken at the target. Where more arrives than is
// answered, or less, the arrivals tell the load.
func (st *State) backlogNeed(b backlog) Reason {
	drain := max(slowDrain, st.Startup.time())
	need := b.within(drain, b.offered, b.now)
	if !b.hidden {
		return need
	}
	quick := max(quickDrain, time.Duration(4*b.each/b.cores*float64(time.Second)))
	if r := b.within(quick, b.used, b.lasting); r.Need > need.Need {
		need = r
	}
	if n := ceil(b.used / (b.target * b.cores)); n > need.Need {
		need = Reason{Kind: Saturated, Share: 100 * b.target}
		need.size(Measured, Size{Load: b.used, Need: n})
	}
	return need
}

// within is the need of a load and of so many requests too many, to be worked
// off in drain by tasks that are all but busy.
func (b backlog) within(drain time.Duration, load, requests float64) Reason {
	r := Reason{Kind: Saturated, Share: 100 * fullUse, Drain: drain}
	r.Backlog = max(0, requests) * b.each / drain.Seconds()
	r.size(Measured, Size{Load: load + r.Backlog, Need: ceil((load + r.Backlog) / (fullUse * b.cores))})
	return r
}

func ceil(x float64) int { return int(min(math.Ceil(x-1e-9), 1e6)) }
