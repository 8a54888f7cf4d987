package sim

import (
	"fmt"
	"slices"
	"time"

	"neargate/internal/decide/scaling"
	"neargate/internal/decide/schedule"
	"neargate/internal/model"
)

// Service is a scalable target with all that moves its count.
type Service struct {
	Config scaling.Config
	// Alarms are those that step policies hang on. An action is a policy's
	// when it is its name, or an ARN that ends with policyName/ and its name.
	Alarms    []model.Alarm
	Scheduled []schedule.Entry
}

// Decider is the server's own decisions as a Scaler: what decide/scaling says
// of a scalable target with its policies, what its alarms say by decide/alarm,
// and what scheduled actions do by decide/schedule.
type Decider struct {
	cfg     scaling.Config
	state   scaling.State
	desired int
	alarms  *watch // nil without
	agenda  agenda
	busy    gauge     // vCPU-seconds of each running task in the last second
	waited  []float64 // response times in it
}

// NewDecider makes a Decider that begins with no memory.
func NewDecider(cfg scaling.Config, desired int) *Decider {
	d := &Decider{cfg: cfg, desired: desired}
	if cfg.Timing != scaling.Live {
		d.alarms = newWatch(cfg)
	}
	return d
}

// NewService makes a Decider for a service; it refuses alarms that the
// simulator has no metric for.
func NewService(s Service, desired int) (*Decider, error) {
	d := NewDecider(s.Config, desired)
	d.agenda.entries = slices.Clone(s.Scheduled)
	if len(s.Alarms) == 0 {
		return d, nil
	}
	if d.alarms == nil {
		d.alarms = &watch{}
	}
	for _, al := range s.Alarms {
		if err := d.alarms.hang(al, s.Config.Policies); err != nil {
			return nil, fmt.Errorf("alarm %s: %w", al.Name, err)
		}
	}
	return d, nil
}

// Wants is an Asker's.
func (d *Decider) Wants() Wants {
	byLatency := func(p scaling.Policy) bool { return p.Metric == scaling.ResponseTime }
	return Wants{
		Latency: slices.ContainsFunc(d.cfg.Policies, byLatency), View: d.alarms != nil,
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
	obs := scaling.Observation{Second: s, Measured: true, Desired: d.desired}
	if d.alarms != nil {
		obs.Alarms, obs.Ringing = d.alarms.states, d.alarms.ringing()
	}
	dec, next := scaling.Decide(d.cfg, d.state, obs, s.At)
	d.state = next
	if d.alarms != nil {
		// A second's datapoints are complete half a second after its end;
		// what the alarms make of them counts for the next decision.
		d.alarms.second(s, d.busy, d.waited)
	}
	if dec.Desired != d.desired {
		d.desired, reason = dec.Desired, dec.Reason.String()
	}
	if d.desired == before {
		reason = ""
	}
	return d.desired, reason
}

// agenda has scheduled actions and when to look at them again.
type agenda struct {
	entries     []schedule.Entry
	from, until time.Time
}

// longestIdle is how long the agenda is left alone at most.
const longestIdle = time.Hour

// due gives the runs that are due now, and marks them as done.
func (g *agenda) due(now time.Time) []schedule.Run {
	if len(g.entries) == 0 || !now.Before(g.from) && now.Before(g.until) {
		return nil
	}
	due, next := schedule.Agenda(g.entries, now)
	g.from, g.until = now, now.Add(longestIdle)
	if !next.IsZero() && next.Before(g.until) {
		g.until = next
	}
	for _, run := range due {
		for i := range g.entries {
			if g.entries[i].Action.Name == run.Action.Name {
				g.entries[i].Action.Done = run.At
			}
		}
	}
	return due
}

// runScheduled does the scheduled actions that are due: the bounds change, and
// a count outside them is put inside at once.
func (d *Decider) runScheduled(now time.Time) (reason string) {
	for _, run := range d.agenda.due(now) {
		low, high, fits := schedule.Bounds(run.Action, d.cfg.Min, d.cfg.Max)
		if !fits {
			continue
		}
		d.cfg.Min, d.cfg.Max = low, high
		switch {
		case d.desired < low && !d.cfg.SuspendOut:
			d.desired, reason = low, fmt.Sprintf("minimum capacity was set to %d", low)
		case d.desired > high && !d.cfg.SuspendIn:
			d.desired, reason = high, fmt.Sprintf("maximum capacity was set to %d", high)
		}
	}
	return reason
}
