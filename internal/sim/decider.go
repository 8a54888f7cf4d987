package sim

import (
	"slices"

	"neargate/internal/decide/scaling"
	"neargate/internal/model"
)

// Decider is the server's own decisions as a Scaler: what decide/scaling says
// of a scalable target with its policies. In the aws timings it keeps the
// policies' managed alarms as the server does.
type Decider struct {
	cfg     scaling.Config
	state   scaling.State
	desired int
	alarms  *watch // nil in live timing
	busy    gauge  // utilisation of each running task in the last second
}

// NewDecider makes a Decider that begins with no memory.
func NewDecider(cfg scaling.Config, desired int) *Decider {
	d := &Decider{cfg: cfg, desired: desired}
	if cfg.Timing != scaling.Live {
		d.alarms = newWatch(cfg)
	}
	return d
}

// Wants is an Asker's.
func (d *Decider) Wants() Wants {
	byLatency := func(p scaling.Policy) bool { return p.Metric == scaling.ResponseTime }
	return Wants{Latency: slices.ContainsFunc(d.cfg.Policies, byLatency), View: d.alarms != nil}
}

// See is a Witness's.
func (d *Decider) See(v View) {
	d.busy = gauge{}
	for _, t := range v.Tasks {
		if t.Serving && !t.Draining {
			d.busy.add(t.CPU)
		}
	}
}

// Second is a Scaler's.
func (d *Decider) Second(s model.ServiceSecond) (desired int, reason string) {
	obs := scaling.Observation{Second: s, Measured: true, Desired: d.desired}
	if d.alarms != nil {
		obs.Alarms = d.alarms.states
	}
	dec, next := scaling.Decide(d.cfg, d.state, obs, s.At)
	d.state = next
	if d.alarms != nil {
		// A second's datapoints are complete half a second after its end;
		// what the alarms make of them counts for the next decision.
		d.alarms.second(s, d.busy)
	}
	if dec.Desired == d.desired {
		return d.desired, ""
	}
	d.desired = dec.Desired
	return d.desired, dec.Reason.String()
}
