package strategy

import (
	"time"

	"neargate/internal/decide/rollout"
	"neargate/internal/model"
)

// shifting is the step of a deployment that shifts traffic:
//
//	RECONCILE ▶ PRE_SCALE_UP ▶ SCALE_UP ▶ POST_SCALE_UP ▶ TEST_SHIFT ▶ POST_TEST_SHIFT
//	    ▶ PRE_PRODUCTION_SHIFT ▶ PRODUCTION_SHIFT ▶ POST_PRODUCTION_SHIFT ▶ BAKE_TIME ▶ CLEAN_UP
//	        ▲                        │ more steps to take
//	        └────────────────────────┘
//
// One that goes back has SCALE_UP, PRODUCTION_SHIFT and CLEAN_UP.
func (m *machine) shifting() Step {
	if f := m.failure(); f != nil {
		return Step{Failure: f}
	}
	moved := false
	var again time.Time
	for {
		next, at := m.advance()
		again = at
		if !next {
			break
		}
		moved = true
	}
	if moved {
		return Step{Advanced: true, Progress: m.p}
	}
	out := m.act()
	out.Progress = m.p
	out.Again = sooner(out.Again, again)
	return out
}

// advance moves to the next stage when this one is over. again is when time
// alone ends it.
func (m *machine) advance() (moved bool, again time.Time) {
	switch m.p.Stage {
	case "":
		m.begin()
	case model.StageReconcile:
		if !m.reconciled() {
			return false, again
		}
		m.enter(model.StagePreScaleUp)
	case model.StagePreScaleUp:
		moved, again = m.unlessPaused(model.StageScaleUp)
		m.p.Placed = m.p.Placed || moved
		return moved, again
	case model.StageScaleUp:
		return m.scaledUp(), again
	case model.StagePostScaleUp:
		return m.unlessPaused(model.StageTestShift)
	case model.StageTestShift:
		if m.in.Traffic.Tested && m.in.Traffic.Test != Whole {
			return false, again
		}
		m.enter(model.StagePostTestShift)
	case model.StagePostTestShift:
		return m.unlessPaused(model.StagePreProductionShift)
	case model.StagePreProductionShift:
		moved, again = m.unlessPaused(model.StageProductionShift)
		m.p.Shifting = moved
		return moved, again
	case model.StageProductionShift:
		return m.shifted()
	case model.StagePostProduction:
		return m.unlessPaused(model.StageBake)
	case model.StageBake:
		if end := m.p.Since.Add(m.bake()); m.in.Now.Before(end) {
			return false, end
		}
		m.enter(model.StageCleanUp)
	default: // CLEAN_UP is the last
		return false, again
	}
	return true, again
}

func (m *machine) begin() {
	m.p.AlarmsOff = len(m.in.Alarms) > 0
	switch {
	case m.p.Back:
		m.enter(model.StageScaleUp)
		m.p.Placed = true
	case !m.reconciled():
		m.enter(model.StageReconcile)
	default:
		m.enter(model.StagePreScaleUp)
	}
}

// unlessPaused moves to a stage when the hooks of this one let it.
func (m *machine) unlessPaused(next model.Stage) (moved bool, again time.Time) {
	waits, until := m.paused()
	if waits {
		return false, until
	}
	m.enter(next)
	return true, until
}

func (m *machine) scaledUp() bool {
	switch {
	case m.p.Back && m.able():
		m.enter(model.StageProductionShift)
		m.p.Shifting, m.p.Shifts = true, 0
	case !m.p.Back && m.side(m.primary, m.in.Service.DesiredCount).Complete:
		m.enter(model.StagePostScaleUp)
	default:
		return false
	}
	return true
}

// shifted takes note of a step of production traffic, and goes on when the
// traffic has been there for long enough.
func (m *machine) shifted() (moved bool, again time.Time) {
	switch {
	case m.p.Shifting:
		if m.in.Traffic.Routed && m.in.Traffic.Production != m.share(m.p.Shifts+1) {
			return false, again
		}
		m.p.Shifting, m.p.Since = false, m.in.Now
		m.p.Shifts++
		return true, again
	case m.share(m.p.Shifts) == Whole:
		next := model.StagePostProduction
		if m.p.Back {
			next = model.StageCleanUp
		}
		m.enter(next)
		return true, again
	}
	if end := m.p.Since.Add(m.strategy.StepBake); m.in.Now.Before(end) {
		return false, end
	}
	m.enter(model.StagePreProductionShift)
	return true, again
}

// share is the share of production traffic that the deployment has after n
// steps: all, where nobody else can take the rest.
func (m *machine) share(n int) int {
	switch {
	case n == 0:
		return 0
	case m.p.Back || m.old.healthy == 0:
		return Whole
	}
	return steps(m.strategy, n)
}

// reconciled reports whether the deployment before this one serves alone, as far
// as it can: one that has failed is not waited for, nor where nothing serves.
func (m *machine) reconciled() bool {
	if m.source != nil && (m.source.RolloutState == rollout.Failed || m.old.healthy+m.others.healthy == 0) {
		return true
	}
	return m.others.alive == 0 && m.atSource()
}

// atSource reports whether the deployment before this one has all traffic, if
// there is one.
func (m *machine) atSource() bool {
	t := m.in.Traffic
	return m.source == nil || (!t.Routed || t.Production == 0) && (!t.Tested || t.Test == 0)
}

// atTarget reports whether this deployment has all traffic.
func (m *machine) atTarget() bool {
	t := m.in.Traffic
	return (!t.Routed || t.Production == Whole) && (!t.Tested || t.Test == Whole)
}

// able reports whether enough tasks of the primary deployment are healthy to
// take the traffic. Going back, as many as the failed deployment has are enough.
func (m *machine) able() bool {
	return m.target.healthy >= m.enough() || m.p.Back && m.target.healthy > 0 && m.target.healthy >= m.old.healthy
}

// sourceAble reports the same of the deployment before this one, beside those
// that were to follow it.
func (m *machine) sourceAble() bool {
	return m.old.healthy >= m.enough() || m.old.healthy > 0 && m.old.healthy >= m.others.healthy
}

func sooner(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}
