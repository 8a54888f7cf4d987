package strategy

import (
	"slices"

	"neargate/internal/model"
)

// steps is the share of production traffic after n steps of a strategy.
func steps(s model.Strategy, n int) int {
	switch {
	case n == 0:
		return 0
	case s.Kind == model.Linear:
		return min(n*s.Step, Whole)
	case s.Kind == model.Canary && n == 1:
		return min(s.Step, Whole)
	}
	return Whole
}

// Requested returns the shares of traffic that a deployment asks for where it has
// come to.
func Requested(d model.Deployment) Shift {
	p := d.Progress
	var out Shift
	if reached(p, model.StageTestShift) || p.Back {
		out.Test = Whole
	}
	switch {
	case p.Back || reached(p, model.StagePostProduction):
		out.Production = Whole
	case p.Shifting:
		out.Production = steps(d.Strategy, p.Shifts+1)
	default:
		out.Production = steps(d.Strategy, p.Shifts)
	}
	return out
}

// reached reports whether a deployment is at a stage or beyond it.
func reached(p model.Progress, stage model.Stage) bool {
	return slices.Index(order(), p.Stage) >= slices.Index(order(), stage)
}

// order is the order of the stages.
func order() []model.Stage {
	return []model.Stage{
		model.StageReconcile, model.StagePreScaleUp, model.StageScaleUp, model.StagePostScaleUp, model.StageTestShift, model.StagePostTestShift,
		model.StagePreProductionShift, model.StageProductionShift, model.StagePostProduction, model.StageBake, model.StageCleanUp,
	}
}
