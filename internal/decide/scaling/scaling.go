// Package scaling decides how many tasks a service should have. A decision is
// a pure function: configuration, state, one second's observation and the time
// in; a desired count with its reason and the next state out. It knows no
// clock, no goroutine and no I/O, so that a recorded run decides the same again
// and the simulator decides what the server would.
//
// The live timing sizes the service for the load it is offered, in total
// CPU-seconds per second, and never multiplies a measured utilisation by a
// task count. What it believes of the load is an interval: every window of the
// recent past, from one second to hours, says with high confidence that the
// load lies between two bounds, and the newest evidence wins where windows
// contradict each other (see envelope). The count goes up only when the load is
// surely above what the present count can carry, and down only when it is
// surely below what fewer can carry. So a big step is answered by its first
// second, a small one as soon as it can be told from noise, and constant load
// moves nothing.
//
// The aws-60 and aws-20 timings do what Application Auto Scaling does on the
// state of its two alarms. Step policies follow their alarms in every timing.
package scaling

import (
	"time"

	"neargate/internal/model"
)

// Timing says how fast a policy is obeyed.
type Timing string

// The timings, as the tag neargate:timing spells them.
const (
	Live  Timing = "live"
	AWS60 Timing = "aws-60"
	AWS20 Timing = "aws-20"
)

// Valid reports whether t is one of the timings.
func (t Timing) Valid() bool { return t == Live || t == AWS60 || t == AWS20 }

// Metric is what a target-tracking policy tracks.
type Metric string

// The metrics: as PredefinedMetricType spells them, and a percentile of
// AWS/ApplicationELB TargetResponseTime, which makes the policy an SLO.
const (
	CPU               Metric = "ECSServiceAverageCPUUtilization"
	Memory            Metric = "ECSServiceAverageMemoryUtilization"
	RequestsPerTarget Metric = "ALBRequestCountPerTarget"
	ResponseTime      Metric = "TargetResponseTime"
)

// PolicyType is the kind of a policy, as PolicyType spells it.
type PolicyType string

// The types.
const (
	TargetTracking PolicyType = "TargetTrackingScaling"
	StepScaling    PolicyType = "StepScaling"
	// PredictiveScaling makes Config's Floor; among its Policies it is silent.
	PredictiveScaling PolicyType = "PredictiveScaling"
)

// Config is a scalable target with its policies.
type Config struct {
	Min, Max              int
	SuspendIn, SuspendOut bool
	Timing                Timing
	Policies              []Policy
	Floor                 Floor // of predictive policies, which are not in Policies
}

// Policy is a scaling policy.
type Policy struct {
	Name              string
	Type              PolicyType // "" is TargetTracking
	Metric            Metric
	Percentile        float64       // of ResponseTime: above 0, below 100
	Target            float64       // percent, requests per target in one minute, or seconds
	ScaleOut, ScaleIn time.Duration // cooldowns
	DisableScaleIn    bool
	HighResolution    bool               // its alarms have periods of 20 seconds
	Step              *model.StepScaling // of StepScaling
}

// Observation is what is known of a service at one moment.
type Observation struct {
	Second    model.ServiceSecond // what it did in the last second
	Measured  bool                // Second was measured; else no data of this second
	Desired   int                 // the service's desired count now
	Deploying bool                // a rolling deployment is in progress
	Alarms    []Alarms            // of the policies, for the aws timings
	Ringing   []Ringing           // alarms that ask for step policies
	Values    []MetricValue       // of customized metrics: complete datapoints, also known ones
}

// waiting is how many requests wait at the balancer.
func (o Observation) waiting() int {
	if !o.Measured {
		return 0
	}
	return max(0, o.Second.Queued)
}

// Alarms is the state of one policy's pair of managed alarms.
type Alarms struct {
	Policy    string
	High, Low bool // in state ALARM
}

// Ringing is an alarm whose state asks for a step policy.
type Ringing struct {
	Policy       string
	Alarm, State string
	Threshold    float64
	Values       []float64 // its recent datapoints
}

// State is what Decide remembers of a service: plain data, to be kept and
// passed back unread. The zero value knows nothing, and a count is never
// lowered in its first minute.
type State struct {
	Last      time.Time // of the newest measured observation; zero: none
	Since     time.Time // measured without a gap since
	Asked     time.Time // the last second of that in which there was a request
	History   History
	Demand    Demand
	Startup   Startup
	Order     Order
	Admission Admission
	Policies  []PolicyState
}

// PolicyState is what is remembered for one policy.
type PolicyState struct {
	Name   string
	Peaks  Peaks // of what the load surely does not exceed
	Lately Peaks // of what the last seconds showed
	Fired  Fired
	Steps  StepState
	// Tracked is a customized metric's; nil before its first second. It is
	// replaced, not written into.
	Tracked *Tracked
	// Response is an SLO's; nil before its first second. It is replaced, not
	// written into.
	Response *Response
}

// minCalm is how long the data must reach back without a gap before a count is
// lowered: a restarted server has no history and must not shrink anything.
const minCalm = time.Minute

// maxGap is the longest time between two observations that counts as no gap.
const maxGap = 3 * time.Second

// maxForget is the gap after which the load before it says nothing of now.
const maxForget = 5 * time.Minute

// Decide returns the desired count for the next second. The decision holds
// (Desired equals the observed one) whenever data are missing or say nothing.
func Decide(cfg Config, st State, obs Observation, now time.Time) (Decision, State) {
	cfg = cfg.Floor.raise(cfg)
	st.observe(cfg, obs, now)
	var ws windows
	if obs.Measured {
		ws.read(&st.History)
	}
	opinions := make([]opinion, len(cfg.Policies))
	for i, p := range cfg.Policies {
		switch {
		case p.Type == PredictiveScaling:
			opinions[i] = opinion{step: true, reason: Reason{Kind: NoPolicy}}
		case p.Type == StepScaling:
			opinions[i] = st.lastStep(st.stepOpinion(p, i, obs, now), cfg, p, obs, now)
		case cfg.Timing != Live:
			opinions[i] = st.alarmOpinion(&ws, cfg.Timing, p, i, obs, now)
		case obs.Measured && p.Metric == Customized:
			opinions[i] = st.last(st.customizedOpinion(p, i, obs, now), &ws, cfg, p, obs, now)
		case obs.Measured:
			opinions[i] = st.last(st.liveOpinion(&ws, cfg, i, obs, now), &ws, cfg, p, obs, now)
		default:
			opinions[i] = opinion{reason: Reason{Kind: NoData}}
		}
		r := &opinions[i].reason
		r.Policy, r.Target, r.Current = p.Name, p.Target, obs.Desired
		r.Within = p.Percentile
		opinions[i].inDisabled = p.DisableScaleIn
		opinions[i].left = st.Order.inLeft(p.ScaleIn, now)
	}
	d := cfg.first(obs, obs.waiting(), cfg.Floor.under(cfg, obs, arbitrate(cfg, obs, opinions)))
	st.Order = st.Order.note(obs, d, now)
	d.PerTask = st.Admission.PerTask
	d.Reason.PerTask = d.PerTask
	return d, st
}

// observe takes one observation into the state.
func (st *State) observe(cfg Config, obs Observation, now time.Time) {
	st.Policies = matchPolicies(st.Policies, cfg.Policies)
	st.Order = st.Order.follow(obs, now)
	if !obs.Measured {
		return
	}
	gap := now.Sub(st.Last)
	switch {
	case st.Last.IsZero(), gap < 0, gap > maxForget:
		st.Since = now
		st.History = History{}
		for i := range st.Policies {
			st.Policies[i].Peaks, st.Policies[i].Lately = Peaks{}, Peaks{}
		}
	case gap > maxGap:
		st.Since = now
	}
	st.Last = now
	st.rest(clean(obs.Second), now)
	st.Startup = st.Startup.follow(obs)
	s := second{ServiceSecond: clean(obs.Second), warm: st.Startup.warm(), young: st.Startup.young(), held: st.Demand.Waiting[0]}
	st.Demand = st.Demand.learn(s)
	if cfg.Timing == Live && len(cfg.Policies) > 0 {
		st.Admission = st.Admission.follow(st.Demand, s)
	} else {
		st.Admission = Admission{}
	}
	for i, p := range cfg.Policies {
		if p.Metric == ResponseTime && hasAnswers(s.Latency) {
			st.Policies[i].Response = st.Policies[i].Response.learn(s, p.Percentile)
		}
	}
	st.History.push(s.bucket())
	st.History.fillStall(st.Demand.countGrain(), st.Demand.workGrain(s.cores()))
}

// matchPolicies returns each configured policy its own state, in the order of
// the configuration, never writing into old.
func matchPolicies(old []PolicyState, policies []Policy) []PolicyState {
	next := make([]PolicyState, len(policies))
	for i, p := range policies {
		next[i].Name = p.Name
		if i < len(old) && old[i].Name == p.Name {
			next[i] = old[i]
			continue
		}
		for _, o := range old {
			if o.Name == p.Name {
				next[i] = o
			}
		}
	}
	return next
}
