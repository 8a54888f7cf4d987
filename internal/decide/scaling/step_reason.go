package scaling

import (
	"fmt"
	"strconv"
)

// StepReason is what an alarm's action of a step policy rests on: Adjustment,
// applied to Base as Type says, is the count wanted.
type StepReason struct {
	Alarm, State     string
	Value, Threshold float64 // of the alarm's recent datapoints, and of the alarm
	Known            bool    // the alarm came with datapoints
	Found            bool    // a step holds Value
	Type             string  // of the adjustment
	Adjustment       int
	Base             int  // tasks that it applies to
	Cooling          bool // Base is the count before the scale-out whose cooldown lasts
	Least            int  // MinAdjustmentMagnitude
}

func (r StepReason) sentence(want int) string {
	if !r.Known {
		return fmt.Sprintf("alarm %s came without datapoints: no step can be chosen", r.Alarm)
	}
	at := fmt.Sprintf("alarm %s: %s is %s threshold %s", r.Alarm, number(r.Value, 2), r.place(), exact(r.Threshold))
	if !r.Found {
		return at + ", where no step adjustment is"
	}
	return at + ", where the step " + r.does(want)
}

// place says how the value lies to the threshold.
func (r StepReason) place() string {
	switch d := r.Value - r.Threshold; {
	case d > 0:
		return number(d, 2) + " above"
	case d < 0:
		return number(-d, 2) + " below"
	}
	return "at"
}

// does says what the step makes of its base.
func (r StepReason) does(want int) string {
	if r.Type == ExactCapacity {
		return "sets " + strconv.Itoa(r.Adjustment)
	}
	s := fmt.Sprintf("%+d", r.Adjustment)
	if r.Type == PercentChangeInCapacity {
		s += " %"
	}
	s += " of " + plural(r.Base)
	if r.Cooling {
		s += " (before the scale-out whose cooldown lasts)"
	}
	if r.Type == PercentChangeInCapacity && r.Least > 0 {
		s += fmt.Sprintf(", at least %d,", r.Least)
	}
	return s + " makes " + strconv.Itoa(counted(r.Base+r.change())) + r.kept(want)
}

// kept reports that the count is already beyond what the step makes.
func (r StepReason) kept(want int) string {
	if counted(r.Base+r.change()) == want {
		return ""
	}
	return fmt.Sprintf(", and %d are ordered", want)
}
