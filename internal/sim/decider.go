package sim

import (
	"errors"
	"fmt"
	"slices"

	"neargate/internal/decide/policy"
	"neargate/internal/decide/scaling"
	"neargate/internal/decide/schedule"
	"neargate/internal/model"
)

// Service is a scalable target with all that moves its count, as it was put.
type Service struct {
	Target   model.ScalableTarget // its bounds, and what is suspended
	Timing   scaling.Timing       // "" is live
	Policies []model.ScalingPolicy
	// Alarms are those that step policies hang on, as AsksFor says.
	Alarms    []model.Alarm
	Scheduled []schedule.Entry
	// Past is what the metrics of a predictive policy, by its name, had by the
	// minute before the run; History.Past makes it of a load. Without it the first forecast is made a day into
	// the run, and one that is trusted later still.
	Past map[string]policy.Past
}

// Decider is the server's own decisions as a Scaler: what decide/scaling says
// of a scalable target with its policies, what its alarms say by decide/alarm,
// what scheduled actions do by decide/schedule, and what decide/forecast
// foretells.
type Decider struct {
	cfg       scaling.Config
	state     scaling.State
	desired   int
	alarms    *watch // nil without
	agenda    agenda
	foresight []foresight
	own       []ownMetric
	perTask   int
	busy      gauge     // vCPU-seconds of each running task in the last second
	waited    []float64 // response times in it
}

// NewDecider creates a Decider that begins with no memory. In an aws timing the
// policies have their managed alarms.
func NewDecider(cfg scaling.Config, desired int) *Decider {
	d := &Decider{cfg: cfg, desired: desired}
	if cfg.Timing == scaling.Live {
		return d
	}
	d.alarms = newWatch(cfg)
	for _, p := range cfg.Policies {
		if p.Type != scaling.StepScaling {
			// A policy on a metric that is not simulated never has data.
			_ = d.enter(putOf(p), policy.Past{})
		}
	}
	return d
}

// putOf is a policy as it would have been put.
func putOf(p scaling.Policy) model.ScalingPolicy {
	t := &model.TargetTracking{Predefined: string(p.Metric), Target: p.Target, DisableScaleIn: p.DisableScaleIn}
	if p.HighResolution {
		t.Predefined += "HighResolution"
	}
	if p.Metric == scaling.ResponseTime {
		t.Predefined, t.Customized = "", &model.CustomizedMetric{
			Metric: model.MetricID{Namespace: "AWS/ApplicationELB", Name: string(responses)}, Statistic: fmt.Sprintf("p%g", p.Percentile),
		}
	}
	return model.ScalingPolicy{Name: p.Name, ResourceID: policy.Resource("sim", "sim"), Tracking: t}
}

// NewService creates a Decider for a service; it refuses alarms and policies on
// metrics that are not simulated.
func NewService(s Service, desired int) (*Decider, error) {
	t := s.Target
	cfg := scaling.Config{Min: t.Min, Max: t.Max, SuspendIn: t.SuspendIn, SuspendOut: t.SuspendOut, Timing: s.Timing, Policies: trackedBy(s.Policies)}
	if cfg.Timing == "" {
		cfg.Timing = scaling.Live
	}
	d := &Decider{cfg: cfg, desired: desired}
	if !t.SuspendSched {
		d.agenda.entries = slices.Clone(s.Scheduled)
	}
	if cfg.Timing != scaling.Live || len(s.Alarms) > 0 {
		d.alarms = newWatch(cfg)
	}
	var errs []error
	for _, p := range s.Policies {
		if err := d.enter(p, s.Past[p.Name]); err != nil {
			errs = append(errs, fmt.Errorf("policy %s: %w", p.Name, err))
		}
	}
	for _, al := range s.Alarms {
		if err := d.alarms.hang(al, cfg.Policies); err != nil {
			errs = append(errs, fmt.Errorf("alarm %s: %w", al.Name, err))
		}
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return d, nil
}

// trackedBy returns the policies that are not predictive, as decide/scaling takes
// them.
func trackedBy(policies []model.ScalingPolicy) []scaling.Policy {
	var out []scaling.Policy
	for _, p := range policies {
		if p.Predictive == nil {
			out = append(out, policy.Of(p))
		}
	}
	return out
}

// enter returns a policy what it needs besides decide/scaling: its alarms, its
// customized metric, its forecasts.
func (d *Decider) enter(p model.ScalingPolicy, past policy.Past) error {
	if p.Predictive != nil {
		f, err := newForesight(p, past)
		d.foresight = append(d.foresight, f)
		return err
	}
	i := slices.IndexFunc(d.cfg.Policies, func(q scaling.Policy) bool { return q.Name == p.Name })
	if d.cfg.Policies[i].Reads(d.cfg.Timing) {
		if err := d.readOwn(p); err != nil {
			return err
		}
	}
	if p.Step == nil && d.cfg.Timing != scaling.Live {
		return d.alarms.manage(p, i, d.cfg.Timing)
	}
	return nil
}

// Wants is an Asker's.
func (d *Decider) Wants() Wants {
	byLatency := func(p scaling.Policy) bool { return p.Metric == scaling.ResponseTime }
	return Wants{
		Latency: slices.ContainsFunc(d.cfg.Policies, byLatency), View: d.alarms != nil || len(d.foresight)+len(d.own) > 0,
		Responses: d.alarms != nil && d.alarms.timesResponses() ||
			slices.ContainsFunc(d.own, func(m ownMetric) bool { return m.timesResponses() }),
	}
}

// See is a Witness's.
func (d *Decider) See(v View) {
	d.busy = gauge{}
	for _, t := range v.Tasks {
		if t.Serving && !t.Draining {
			d.busy.add(t.CPU)
		}
	}
	d.waited = v.Responses
}

// PerTask is an Admitter's.
func (d *Decider) PerTask() int { return d.perTask }

// Second is a Scaler's.
func (d *Decider) Second(s model.ServiceSecond) (desired int, reason string) {
	before := d.desired
	reason = d.runScheduled(s.At)
	cfg := d.cfg
	cfg.Floor = d.floor(s.At)
	obs := scaling.Observation{Second: s, Measured: true, Desired: d.desired, Values: d.values(s.At)}
	if d.alarms != nil {
		obs.Alarms, obs.Ringing = d.alarms.states, d.alarms.ringing()
	}
	dec, next := scaling.Decide(cfg, d.state, obs, s.At)
	d.state, d.perTask = next, dec.PerTask
	if d.alarms != nil {
		// A second's datapoints are complete half a second after its end;
		// what the alarms make of them counts for the next decision.
		d.alarms.second(s, d.busy, d.waited)
	}
	for i := range d.foresight {
		d.foresight[i].second(s, d.busy, d.waited)
	}
	for i := range d.own {
		d.own[i].second(s, d.busy, d.waited)
	}
	if dec.Desired != d.desired {
		d.desired, reason = dec.Desired, dec.Reason.String()
	}
	if d.desired == before {
		reason = ""
	}
	return d.desired, reason
}
