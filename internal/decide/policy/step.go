package policy

import (
	"cmp"
	"math"
	"slices"

	"neargate/internal/decide/scaling"
	"neargate/internal/model"
)

// maxSteps is how many step adjustments a policy may have [quotas].
const maxSteps = 20

// checkStep refuses what Application Auto Scaling refuses of a step scaling
// configuration, in its words.
func checkStep(c model.StepScaling) error {
	switch {
	case c.AdjustmentType == "":
		return invalid("Adjustment type must be specified")
	case len(c.Steps) == 0:
		return invalid("There must be at least one step adjustment")
	case len(c.Steps) > maxSteps:
		return invalid("There can be at most %d step adjustments per scaling policy", maxSteps)
	case c.MinMagnitude != nil && c.AdjustmentType != scaling.PercentChangeInCapacity:
		return invalid("Minimum adjustment magnitude is only allowed for adjustment type PercentChangeInCapacity")
	case c.MinMagnitude != nil && *c.MinMagnitude <= 0:
		return invalid("Minimum adjustment magnitude must be greater than 0")
	case c.Cooldown < 0:
		return invalid("Cooldown must not be negative.")
	}
	for _, s := range c.Steps {
		if c.AdjustmentType == scaling.ExactCapacity && s.Adjustment < 0 {
			return invalid("Scaling adjustment cannot be less than 0 when adjustment type is ExactCapacity")
		}
		if err := checkBounds(s); err != nil {
			return err
		}
	}
	return checkIntervals(c.Steps)
}

func checkBounds(s model.StepAdjustment) error {
	for _, b := range []*float64{s.Lower, s.Upper} {
		if b != nil && (math.IsNaN(*b) || math.IsInf(*b, 0)) {
			return invalid("The bounds of a step adjustment must be finite numbers")
		}
	}
	switch {
	case s.Lower == nil && s.Upper == nil:
		return invalid("Both lower and upper bounds of a step adjustment cannot be left unspecified")
	case s.Lower != nil && s.Upper != nil && *s.Lower >= *s.Upper:
		return invalid("Lower bound must be less than upper bound for a step adjustment")
	}
	return nil
}

// checkIntervals wants intervals that touch, without a gap and without an
// overlap, and that leave nothing uncovered on the side they are on.
func checkIntervals(steps []model.StepAdjustment) error {
	inOrder := slices.SortedFunc(slices.Values(steps), func(a, b model.StepAdjustment) int {
		return cmp.Compare(lower(a), lower(b))
	})
	openBelow, openAbove := 0, 0
	for _, s := range inOrder {
		if s.Lower == nil {
			openBelow++
		}
		if s.Upper == nil {
			openAbove++
		}
	}
	switch {
	case openBelow > 1:
		return invalid("At most one step adjustment may have an unspecified lower bound")
	case openAbove > 1:
		return invalid("At most one step adjustment may have an unspecified upper bound")
	}
	for i, s := range inOrder[1:] {
		switch end := upper(inOrder[i]); {
		case lower(s) < end:
			return invalid("Step adjustment intervals cannot overlap")
		case lower(s) > end:
			return invalid("Step adjustment intervals cannot have gaps between them")
		}
	}
	switch {
	case openBelow == 0 && lower(inOrder[0]) < 0:
		return invalid("There must be a step adjustment with an unspecified lower bound when one step adjustment has a negative lower bound")
	case openAbove == 0 && upper(inOrder[len(inOrder)-1]) > 0:
		return invalid("There must be a step adjustment with an unspecified upper bound when one step adjustment has a positive upper bound")
	}
	return nil
}

func lower(s model.StepAdjustment) float64 {
	if s.Lower == nil {
		return math.Inf(-1)
	}
	return *s.Lower
}

func upper(s model.StepAdjustment) float64 {
	if s.Upper == nil {
		return math.Inf(1)
	}
	return *s.Upper
}
