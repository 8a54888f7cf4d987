package policy

import (
	"testing"

	"neargate/internal/decide/scaling"
	"neargate/internal/model"
)

// step returns a step adjustment; nil bounds are open.
func step(lower, upper *float64, adjustment int) model.StepAdjustment {
	return model.StepAdjustment{Lower: lower, Upper: upper, Adjustment: adjustment}
}

func TestStepConfigurationsThatAWSRefuses(t *testing.T) {
	good := []model.StepAdjustment{step(new(0.0), new(10.0), 1), step(new(10.0), nil, 2)}
	many := make([]model.StepAdjustment, 21)
	for i := range many {
		many[i] = step(new(float64(i)), new(float64(i+1)), 1)
	}
	many[20].Upper = nil
	change := scaling.ChangeInCapacity
	for name, c := range map[string]struct {
		config model.StepScaling
		want   string // "" is taken
	}{
		"out":                      {model.StepScaling{AdjustmentType: change, Steps: good}, ""},
		"in any order":             {model.StepScaling{AdjustmentType: change, Steps: []model.StepAdjustment{good[1], good[0]}}, ""},
		"in":                       {model.StepScaling{AdjustmentType: change, Steps: []model.StepAdjustment{step(nil, new(0.0), -1)}}, ""},
		"both ways":                {model.StepScaling{AdjustmentType: change, Steps: []model.StepAdjustment{step(nil, new(-5.0), -1), step(new(-5.0), new(5.0), 0), step(new(5.0), nil, 1)}}, ""},
		"percent with a magnitude": {model.StepScaling{AdjustmentType: scaling.PercentChangeInCapacity, Steps: good, MinMagnitude: new(2)}, ""},
		"20 steps":                 {model.StepScaling{AdjustmentType: change, Steps: append(many[:19:19], step(new(19.0), nil, 1))}, ""},
		"no type":                  {model.StepScaling{Steps: good}, "Adjustment type must be specified"},
		"no steps":                 {model.StepScaling{AdjustmentType: change}, "There must be at least one step adjustment"},
		"21 steps":                 {model.StepScaling{AdjustmentType: change, Steps: many}, "There can be at most 20 step adjustments per scaling policy"},
		"magnitude of a change":    {model.StepScaling{AdjustmentType: change, Steps: good, MinMagnitude: new(2)}, "Minimum adjustment magnitude is only allowed for adjustment type PercentChangeInCapacity"},
		"negative capacity":        {model.StepScaling{AdjustmentType: scaling.ExactCapacity, Steps: []model.StepAdjustment{step(new(0.0), nil, -1)}}, "Scaling adjustment cannot be less than 0 when adjustment type is ExactCapacity"},
		"no bounds":                {model.StepScaling{AdjustmentType: change, Steps: []model.StepAdjustment{step(nil, nil, 1)}}, "Both lower and upper bounds of a step adjustment cannot be left unspecified"},
		"equal bounds":             {model.StepScaling{AdjustmentType: change, Steps: []model.StepAdjustment{step(new(1.0), new(1.0), 1)}}, "Lower bound must be less than upper bound for a step adjustment"},
		"two open below":           {model.StepScaling{AdjustmentType: change, Steps: []model.StepAdjustment{step(nil, new(-1.0), -1), step(nil, new(-2.0), -1)}}, "At most one step adjustment may have an unspecified lower bound"},
		"two open above":           {model.StepScaling{AdjustmentType: change, Steps: []model.StepAdjustment{step(new(1.0), nil, 1), step(new(2.0), nil, 1)}}, "At most one step adjustment may have an unspecified upper bound"},
		"overlap":                  {model.StepScaling{AdjustmentType: change, Steps: []model.StepAdjustment{step(new(0.0), new(10.0), 1), step(new(9.0), nil, 2)}}, "Step adjustment intervals cannot overlap"},
		"one inside another":       {model.StepScaling{AdjustmentType: change, Steps: []model.StepAdjustment{step(new(0.0), nil, 1), step(new(1.0), new(2.0), 2)}}, "Step adjustment intervals cannot overlap"},
		"gap":                      {model.StepScaling{AdjustmentType: change, Steps: []model.StepAdjustment{step(new(0.0), new(10.0), 1), step(new(11.0), nil, 2)}}, "Step adjustment intervals cannot have gaps between them"},
		"not open below":           {model.StepScaling{AdjustmentType: change, Steps: []model.StepAdjustment{step(new(-10.0), new(0.0), -1)}}, "There must be a step adjustment with an unspecified lower bound when one step adjustment has a negative lower bound"},
		"not open above":           {model.StepScaling{AdjustmentType: change, Steps: []model.StepAdjustment{step(new(0.0), new(10.0), 1)}}, "There must be a step adjustment with an unspecified upper bound when one step adjustment has a positive upper bound"},
		"negative cooldown":        {model.StepScaling{AdjustmentType: change, Steps: good, Cooldown: -1}, "Cooldown must not be negative."},
	} {
		t.Run(name, func(t *testing.T) {
			err := Check(model.ScalingPolicy{Type: string(scaling.StepScaling), Step: &c.config}, model.Service{})
			switch {
			case c.want == "" && err != nil:
				t.Errorf("refused: %v", err)
			case c.want != "" && (err == nil || err.Error() != "ValidationException: "+c.want):
				t.Errorf("error %v, want %s", err, c.want)
			}
		})
	}
}
