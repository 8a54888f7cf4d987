package scaling

import (
	"fmt"
	"strconv"
	"time"
)

// Floor is the count that predictive policies forecast to be needed: the
// desired count is raised to it, and no scale-in of other policies goes below
// it; it never lowers a count itself. The zero value is none.
type Floor struct {
	Policy string
	Tasks  int
	// Max is the maximum while the forecast comes close to it, where the policy
	// may increase it; 0 leaves the target's.
	Max  int
	Hour time.Time // that is forecast
	// Load over Carry, what one task carries in an hour at the target,
	// rounded up, is Tasks.
	Load, Carry float64
	Error       float64 // of the forecast when it was tried on the past: share of the load
}

// raise returns the configuration with the maximum that the floor allows.
func (f Floor) raise(cfg Config) Config {
	cfg.Max = max(cfg.Max, f.Max)
	return cfg
}

// under joins the floor with what the other policies came to. It needs no data
// of this second, and no cooldown holds it.
func (f Floor) under(cfg Config, obs Observation, d Decision) Decision {
	n := min(f.Tasks, cfg.Max)
	alone := d.Reason.Kind == NoPolicy
	switch {
	case f.Tasks == 0 || n <= d.Desired && !alone:
	case n <= d.Desired:
		d.Policy, d.Reason = f.Policy, f.reason(obs)
	case n <= obs.Desired: // a scale-in that goes too far
		d.Desired, d.Reason.Bounded, d.Reason.Held = n, byForecast, n
	case cfg.SuspendOut:
		d.Desired, d.Policy, d.Reason = obs.Desired, f.Policy, f.reason(obs)
		d.Reason.Kind = Suspended
	default:
		d = Decision{Desired: n, Policy: f.Policy, Reason: f.reason(obs)}
		if f.Tasks > n {
			d.Reason.Bounded, d.Reason.Held = "max", n
		}
	}
	return d
}

// byForecast is what Reason.Bounded says of a count that a floor holds.
const byForecast = "forecast"

func (f Floor) reason(obs Observation) Reason {
	return Reason{Kind: Forecast, Policy: f.Policy, Need: f.Tasks, Current: obs.Desired, Forecast: f}
}

// sentence names the forecast load, with so many digits that what is printed
// needs the same count, and what a task carries.
func (f Floor) sentence() string {
	load := ""
	for digits := range 8 {
		load = number(f.Load, digits)
		if x, err := strconv.ParseFloat(load, 64); err == nil && ceil(x/f.Carry) == f.Tasks {
			break
		}
	}
	return fmt.Sprintf("forecast load %s of the hour from %s at %s per task needs %d (tried on the past it was off by %s %%)",
		load, f.Hour.UTC().Format("2006-01-02 15:04 MST"), exact(f.Carry), f.Tasks, number(100*f.Error, 0))
}
