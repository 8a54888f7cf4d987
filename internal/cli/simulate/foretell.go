package simulate

import (
	"errors"
	"fmt"

	"neargate/internal/decide/forecast"
	"neargate/internal/decide/policy"
	"neargate/internal/decide/schedule"
	"neargate/internal/model"
	"neargate/internal/sim"
)

// foretell shows the predictive policies their past, and notes what the
// forecast is worth that they begin with, and which scheduled actions will
// fail. The load must have been scaled.
func (p *plan) foretell(files []policyFile) error {
	for i := range files {
		f := &files[i]
		f.past = map[string]policy.Past{}
		if err := p.noteScheduled(*f); err != nil {
			return err
		}
		for _, pol := range f.policies {
			if pol.Predictive == nil {
				continue
			}
			p.clocked = true
			past, note, err := p.pastOf(*f, pol)
			if err != nil {
				return fmt.Errorf("policy %s: %s %w", f.name, pol.Name, err)
			}
			f.past[pol.Name] = past
			p.notes = append(p.notes, fmt.Sprintf("%s: %s %s", f.name, pol.Name, note))
		}
	}
	return nil
}

// noteScheduled notes the scheduled actions that the bounds stand against: the
// server takes them as well, and fails when their time comes.
func (p *plan) noteScheduled(f policyFile) error {
	lo, hi, err := p.bounds(f)
	for _, e := range f.scheduled {
		p.clocked = true
		if _, _, fits := schedule.Bounds(e.Action, lo, hi); !fits {
			p.notes = append(p.notes, fmt.Sprintf("%s: %s sets %s, which fails while there may be %d to %d tasks", f.name, e.Action.Name, schedule.Words(e.Action), lo, hi))
		}
	}
	return err
}

// pastOf returns the past of one policy, and says what is foretold from it.
func (p *plan) pastOf(f policyFile, pol model.ScalingPolicy) (past policy.Past, note string, err error) {
	if p.History == 0 {
		return past, "", errors.New("forecasts from the load before the run: say by --history how much of the load that is, such as 168h")
	}
	lo, hi, err := p.bounds(f)
	if err != nil {
		return past, "", err
	}
	h := sim.History{
		End: p.begin, Rates: p.history, Demand: p.Demand, TaskVCPU: p.vcpu(),
		Tasks: func(rate float64) int { return min(max(p.needOf(rate), lo), hi) },
	}
	if past, err = h.Past(pol); err != nil {
		return past, "", fmt.Errorf("cannot be simulated: %w", err)
	}
	first, ok := policy.Foretell(pol, past, p.begin)
	if !ok {
		return past, "", fmt.Errorf("finds less than %d whole hours of load in the history, too little for a forecast", forecast.LeastPast)
	}
	return past, verdict(first, pol.Predictive.Mode), nil
}

// verdict says how a forecast was made and whether it is followed.
func verdict(f model.Forecast, mode string) string {
	said := "foretells by the " + f.Method
	switch {
	case f.Trusted && mode != policy.ForecastAndScale:
		return fmt.Sprintf("%s, off by %.0f %% when tried on the history; its mode is ForecastOnly, so nothing follows it", said, 100*f.Error)
	case f.Trusted:
		return fmt.Sprintf("%s, off by %.0f %% when tried on the history", said, 100*f.Error)
	case f.Error > 0:
		return fmt.Sprintf("%s, off by %.0f %% when tried on the history: it is not followed", said, 100*f.Error)
	}
	return said + "; the history is too short to try it on: it is not followed"
}
