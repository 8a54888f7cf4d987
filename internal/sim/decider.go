package sim

import (
	"neargate/internal/decide/scaling"
	"neargate/internal/model"
)

// Decider is the server's own decisions as a Scaler: what decide/scaling says
// of a scalable target with its policies.
type Decider struct {
	cfg     scaling.Config
	state   scaling.State
	desired int
}

// NewDecider makes a Decider that begins with no memory.
func NewDecider(cfg scaling.Config, desired int) *Decider {
	return &Decider{cfg: cfg, desired: desired}
}

// Second is a Scaler's.
func (d *Decider) Second(s model.ServiceSecond) (desired int, reason string) {
	obs := scaling.Observation{Second: s, Measured: true, Desired: d.desired}
	dec, next := scaling.Decide(d.cfg, d.state, obs, s.At)
	d.state = next
	if dec.Desired == d.desired {
		return d.desired, ""
	}
	d.desired = dec.Desired
	return d.desired, dec.Reason.String()
}
