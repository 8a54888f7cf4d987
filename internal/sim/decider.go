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
	// Alarms are those that step policies hang on. An action is a policy's
	// when it is its name, or an ARN that ends with policyName/ and its name.
	Alarms    []model.Alarm
	Scheduled []schedule.Entry
	// Past is what the metrics of a predictive policy, by its name, had by the
	// minute before the run. Without it the first forecast is made a day into
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
	busy      gauge     // vCPU-seconds of each running task in the last second
	waited    []float64 // response times in it
}

// NewDecider makes a Decider that begins with no memory. In an aws timing the
// policies have their managed alarms.
func NewDecider(cfg scaling.Config, desired int) *Decider {
	d := &Decider{cfg: cfg, desired: desired}
	if cfg.Timing == scaling.Live {
		return d
	}
	d.alarms = newWatch(cfg)
	for i, p := range cfg.Policies {
		if p.Type == scaling.StepScaling {
			continue
		}
		put := model.ScalingPolicy{
			Name: p.Name, ResourceID: policy.Resource("sim", "sim"),
			Tracking: &model.TargetTracking{Predefined: string(p.Metric), Target: p.Target, DisableScaleIn: p.DisableScaleIn},
		}
		// Without data of its metric a policy does nothing, as in the server.
		_ = d.alarms.manage(put, i, cfg)
	}
	return d
}

// NewService makes a Decider for a service; it refuses alarms and policies on
// metrics that are not simulated.
func NewService(s Service, desired int) (*Decider, error) {
	t := s.Target
	cfg := scaling.Config{Min: t.Min, Max: t.Max, SuspendIn: t.SuspendIn, SuspendOut: t.SuspendOut, Timing: s.Timing, Policies: policy.All(s.Policies)}
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
	tracking := 0
	for _, p := range s.Policies {
		var err error
		switch {
		case p.Predictive != nil:
			err = d.foresee(p, s.Past[p.Name])
			tracking-- // it is not among the configuration's
		case p.Step == nil && cfg.Timing != scaling.Live:
			err = d.alarms.manage(p, tracking, cfg)
		}
		tracking++
		if err != nil {
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

// Wants is an Asker's.
func (d *Decider) Wants() Wants {
	byLatency := func(p scaling.Policy) bool { return p.Metric == scaling.ResponseTime }
	return Wants{
		Latency: slices.ContainsFunc(d.cfg.Policies, byLatency), View: d.alarms != nil || len(d.foresight) > 0,
		Responses: d.alarms != nil && d.alarms.timesResponses(),
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

// Second is a Scaler's.
func (d *Decider) Second(s model.ServiceSecond) (desired int, reason string) {
	before := d.desired
	reason = d.runScheduled(s.At)
	cfg := d.cfg
	cfg.Floor = d.floor(s.At)
	obs := scaling.Observation{Second: s, Measured: true, Desired: d.desired}
	if d.alarms != nil {
		obs.Alarms, obs.Ringing = d.alarms.states, d.alarms.ringing()
	}
	dec, next := scaling.Decide(cfg, d.state, obs, s.At)
	d.state = next
	if d.alarms != nil {
		// A second's datapoints are complete half a second after its end;
		// what the alarms make of them counts for the next decision.
		d.alarms.second(s, d.busy, d.waited)
	}
	for i := range d.foresight {
		d.foresight[i].second(s, d.busy, d.waited)
	}
	if dec.Desired != d.desired {
		d.desired, reason = dec.Desired, dec.Reason.String()
	}
	if d.desired == before {
		reason = ""
	}
	return d.desired, reason
}
