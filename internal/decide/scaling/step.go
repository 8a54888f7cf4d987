package scaling

import (
	"math"
	"time"

	"neargate/internal/model"
)

// The types of adjustments, as AdjustmentType spells them.
const (
	ChangeInCapacity        = "ChangeInCapacity"
	ExactCapacity           = "ExactCapacity"
	PercentChangeInCapacity = "PercentChangeInCapacity"
)

// StepState is what is remembered for a step policy.
type StepState struct {
	Ran []AlarmRun // of the alarms that ask for it now
	// In the scale-out cooldown: Base is the count before the first of the
	// scale-outs that the cooldown has joined. Capacity added since already
	// counts, so that each run of the action reckons from Base.
	Cooling bool
	Base    int
}

// AlarmRun is when an alarm's action last ran.
type AlarmRun struct {
	Alarm string
	At    time.Time
}

// stepOpinion is what the alarms of a step policy ask for. An alarm's action
// runs when it begins to ring and once a minute while it does; between the runs
// the policy wants nothing, and it never keeps others from scaling.
func (st *State) stepOpinion(p Policy, i int, obs Observation, now time.Time) opinion {
	s := &st.Policies[i].Steps
	s.cool(st.Order, p.ScaleOut, now)
	before := s.Ran
	s.Ran = nil // what is kept belongs to older states too
	o := opinion{known: true, step: true, want: obs.Desired}
	o.reason = Reason{Kind: Quiet, Need: obs.Desired}
	asked := false
	for _, r := range obs.Ringing {
		if r.Policy != p.Name || p.Step == nil {
			continue
		}
		run := AlarmRun{r.Alarm, now}
		for _, b := range before {
			if gone := now.Sub(b.At); b.Alarm == r.Alarm && gone >= 0 && gone < actionEvery {
				run = b
			}
		}
		s.Ran = append(s.Ran, run)
		asks := s.run(*p.Step, r, obs)
		switch {
		case !run.At.Equal(now):
			if !asked {
				o.reason = asks.reason
				o.reason.Kind = Resting
			}
		case !asked || asks.want > o.want:
			o, asked = asks, true
		}
	}
	return o
}

// cool follows the scale-out cooldown, which a scale-in ends.
func (s *StepState) cool(o Order, cooldown time.Duration, now time.Time) {
	switch {
	case o.outLeft(cooldown, now) == 0, o.To < o.From:
		s.Cooling = false
	case !s.Cooling:
		s.Cooling, s.Base = true, o.From
	}
}

// run is the action of an alarm.
func (s *StepState) run(c model.StepScaling, r Ringing, obs Observation) opinion {
	o := opinion{known: true, step: true, want: obs.Desired}
	why := StepReason{Alarm: r.Alarm, State: r.State, Threshold: r.Threshold, Type: c.AdjustmentType}
	why.Value, why.Known = aggregate(c.Aggregation, r.Values)
	var step model.StepAdjustment
	if why.Known {
		step, why.Found = find(c.Steps, why.Value-r.Threshold)
	}
	if why.Found {
		why.Adjustment = step.Adjustment
		if c.MinMagnitude != nil {
			why.Least = *c.MinMagnitude
		}
		o.want = s.want(&why, obs)
		o.fired, o.agreesIn = true, o.want < obs.Desired
	}
	o.reason = Reason{Kind: StepAction, Step: why, Need: o.want}
	return o
}

// want applies a step to the count, and notes the count that it took.
func (s *StepState) want(why *StepReason, obs Observation) int {
	if why.Type == ExactCapacity {
		return why.Adjustment
	}
	running := obs.Desired
	if obs.Measured {
		running = max(0, obs.Second.Running)
	}
	if why.Adjustment >= 0 {
		// From the running count, so that tasks that find no place do not
		// call for ever more.
		why.Base = running
		if s.Cooling && s.Base < why.Base {
			why.Base, why.Cooling = s.Base, true
		}
		return max(obs.Desired, counted(why.Base+why.change()))
	}
	// Tasks that are starting are there: fewer running ones are no reason to
	// take away more.
	why.Base = max(running, min(obs.Desired, running+max(0, obs.Second.Starting)))
	return min(obs.Desired, counted(why.Base+why.change()))
}

func counted(n int) int { return min(max(n, 0), 1e6) }

// change is what a step adds to its base. Percent are rounded towards zero,
// but never to none: 12.7 is 12, 0.3 is 1, -6.67 is -6.
func (r StepReason) change() int {
	if r.Type != PercentChangeInCapacity || r.Adjustment == 0 {
		return r.Adjustment
	}
	sign := 1
	if r.Adjustment < 0 {
		sign = -1
	}
	size := math.Abs(float64(r.Adjustment) * float64(r.Base) / 100)
	if size > 0 {
		size = max(1, math.Floor(size))
	}
	return sign * max(int(size), r.Least)
}

// aggregate joins an alarm's recent datapoints by MetricAggregationType.
func aggregate(how string, values []float64) (value float64, ok bool) {
	sum, least, most := 0.0, math.Inf(1), math.Inf(-1)
	for _, v := range values {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return 0, false
		}
		sum, least, most = sum+v, min(least, v), max(most, v)
	}
	switch {
	case len(values) == 0:
		return 0, false
	case how == "Minimum":
		return least, true
	case how == "Maximum":
		return most, true
	}
	return sum / float64(len(values)), true
}

// find returns the step whose interval holds a metric that is d above the
// threshold. Above it, intervals contain their lower bounds; below, their
// upper ones; the threshold itself belongs to whichever step contains it.
func find(steps []model.StepAdjustment, d float64) (step model.StepAdjustment, ok bool) {
	if d >= 0 {
		for _, s := range steps {
			if (s.Lower == nil || *s.Lower <= d) && (s.Upper == nil || d < *s.Upper) {
				return s, true
			}
		}
	}
	if d <= 0 {
		for _, s := range steps {
			if (s.Lower == nil || *s.Lower < d) && (s.Upper == nil || d <= *s.Upper) {
				return s, true
			}
		}
	}
	return step, false
}
