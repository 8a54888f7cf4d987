package scaling

import (
	"time"

	"neargate/internal/model"
)

// Decision is what Decide came to.
type Decision struct {
	Desired   int    // the count for the next second; the observed one: change nothing
	Policy    string // the policy that asked for it
	Reason    Reason
	NotScaled string // AWS's code when a policy wanted a change that was not made; else ""
	// PerTask is how many requests the balancer may have in flight at a task in
	// the next second; what exceeds it waits there. 0 is any number.
	PerTask int
}

// AWS's codes for not scaling, of the type NotScaledReason.
const (
	AtMax      = "AlreadyAtMaxCapacity"
	AtMin      = "AlreadyAtMinCapacity"
	Unscalable = "TargetServicePutResourceAsUnscalable"
	AtDesired  = "AlreadyAtDesiredCapacity"
)

// NotScaledReason is the decision's reason for not scaling in AWS's form.
func (d Decision) NotScaledReason(cfg Config) model.NotScaledReason {
	r := model.NotScaledReason{Code: d.NotScaled}
	switch d.NotScaled {
	case AtMax:
		r.Max = cfg.Max
	case AtMin:
		r.Min = cfg.Min
	case AtDesired:
		r.CurrentSize = d.Desired
	}
	return r
}

// opinion is what one policy wants.
type opinion struct {
	known      bool // the policy has data to judge by
	step       bool // of a step policy: it asks or is silent, and has no veto
	want       int  // the count it wants, unbounded; above the desired count: out
	agreesIn   bool // it agrees to want, which is lower than the desired count
	resting    bool // between two runs of its alarm's action: it agrees, but starts nothing
	fired      bool // its alarm's action ran
	inDisabled bool
	left       time.Duration // of its scale-in cooldown
	reason     Reason
}

// arbitrate joins the opinions of all policies: out if any wants it, in only
// if all target-tracking policies that may scale in agree, or a step policy's
// alarm asks for it, and the largest count wins both ways.
func arbitrate(cfg Config, obs Observation, opinions []opinion) Decision {
	d := join(cfg, obs, opinions)
	if d.Desired != obs.Desired || d.NotScaled != "" {
		return d
	}
	// What an alarm's action came to is said in the second in which it ran.
	for _, o := range opinions {
		if o.reason.Kind == StepAction && o.want == obs.Desired {
			d.Reason, d.Policy = o.reason, o.reason.Policy
		}
	}
	return d
}

func join(cfg Config, obs Observation, opinions []opinion) Decision {
	hold := Decision{Desired: obs.Desired, Reason: Reason{Kind: NoPolicy, Current: obs.Desired}}
	if len(opinions) == 0 {
		return hold
	}
	top := opinions[0]
	for _, o := range opinions[1:] {
		if o.known && (!top.known || o.want > top.want || o.want == top.want && o.louder(top)) {
			top = o
		}
	}
	hold.Reason, hold.Policy = top.reason, top.reason.Policy
	switch {
	case !top.known:
		return hold
	case top.want > obs.Desired:
		return scaleOut(cfg, obs, top, hold)
	case top.fired && top.want == obs.Desired && obs.Desired >= cfg.Max:
		hold.NotScaled = AtMax
		return hold
	case top.fired && top.want == obs.Desired:
		hold.NotScaled = AtDesired
		return hold
	}
	return scaleIn(cfg, obs, opinions, hold)
}

// louder reports that an opinion tells more of a count than another: its alarm
// rings.
func (o opinion) louder(than opinion) bool {
	return o.fired && !than.fired || o.reason.Kind == Resting && than.reason.Kind == Quiet
}

// scaleOut goes up to what top wants, at most to the maximum. A count below
// the minimum goes to the minimum first.
func scaleOut(cfg Config, obs Observation, top opinion, hold Decision) Decision {
	d := hold
	switch {
	case cfg.SuspendOut:
		d.Reason.Kind = Suspended
		return d
	case obs.Desired < cfg.Min:
		d.Desired = cfg.Min
		d.Reason.Kind, d.Reason.Bounded, d.Reason.Held = ToBound, "min", cfg.Min
		return d
	case top.want > cfg.Max:
		d.Reason.Bounded, d.Reason.Held = "max", cfg.Max
	}
	if obs.Desired >= cfg.Max {
		d.NotScaled = AtMax
		return d
	}
	d.Desired = min(top.want, cfg.Max)
	return d
}

// scaleIn goes down to what target tracking agrees on or a step policy's alarm
// asks for, the larger of the two, if nothing forbids it.
func scaleIn(cfg Config, obs Observation, opinions []opinion, hold Decision) Decision {
	d := hold
	top, against, resting := agreed(opinions)
	if asks := stepIn(opinions); asks != nil {
		silent := top == nil || resting || top.left > 0
		if silent || asks.left == 0 && asks.want >= top.want {
			top, resting = asks, false
		}
	}
	switch {
	case top == nil && against != nil:
		d.Reason, d.Policy = against.reason, against.reason.Policy
		return d
	case top == nil:
		if opinions[0].agreesIn {
			d.Reason.Kind = InDisabled
		}
		return d
	}
	d.Reason, d.Policy = top.reason, top.reason.Policy
	want := max(top.want, cfg.Min)
	if want > top.want {
		d.Reason.Bounded, d.Reason.Held = "min", cfg.Min
	}
	if obs.Desired > cfg.Max { // to the bound first
		want = cfg.Max
		d.Reason.Bounded, d.Reason.Held = "max", cfg.Max
	}
	switch {
	case resting:
	case top.want >= obs.Desired && obs.Desired > cfg.Min: // rounded up, the count is right
		d.NotScaled = AtDesired
	case want >= obs.Desired:
		d.NotScaled = AtMin
	case cfg.SuspendIn:
		d.Reason.Kind = Suspended
	case obs.Deploying:
		d.Reason.Kind, d.NotScaled = Deployment, Unscalable
	case top.left > 0:
		d.Reason.Kind, d.Reason.Left = Cooldown, top.left
	default:
		d.Desired = want
	}
	return d
}

// agreed returns the largest count that target tracking agrees to go down to, or
// the opinion that is against it. With neither, no policy may scale in.
func agreed(opinions []opinion) (top, against *opinion, resting bool) {
	resting = true
	for i := range opinions {
		o := &opinions[i]
		if o.step || o.inDisabled {
			continue
		}
		if !o.known || !o.agreesIn {
			return nil, o, false
		}
		if top == nil || o.want > top.want {
			top = o
		}
		resting = resting && o.resting
	}
	return top, nil, resting
}

// stepIn returns the largest of the lower counts that alarms of step policies ask
// for; one that is not in its cooldown before those that are.
func stepIn(opinions []opinion) *opinion {
	var top *opinion
	for i := range opinions {
		o := &opinions[i]
		if !o.step || !o.agreesIn {
			continue
		}
		free, cooling := o.left == 0, top != nil && top.left > 0
		if top == nil || free && cooling || free != cooling && o.want > top.want {
			top = o
		}
	}
	return top
}
