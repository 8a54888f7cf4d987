package strategy

import (
	"neargate/internal/decide/rollout"
	"neargate/internal/model"
)

// act is what the stage calls for.
func (m *machine) act() Step {
	var out Step
	out.Retire = m.retire()
	out.Shift = m.reroute()
	desired := m.in.Service.DesiredCount
	if m.p.Placed {
		out.take(m.side(m.primary, desired))
	}
	switch {
	case m.p.Stage == model.StageCleanUp:
		m.cleanUp(&out)
	case m.source != nil && m.source.RolloutState != rollout.Failed: // a failed deployment starts no tasks
		out.take(m.side(*m.source, desired))
	}
	if m.p.Stage == model.StageReconcile && m.atSource() && (m.source == nil || m.old.healthy >= m.enough()) {
		out.take(m.dismiss())
	}
	return out
}

// take adds a side, and to what holds for the service what holds for it.
func (s *Step) take(side Side) {
	s.Sides = append(s.Sides, side)
	s.Held = s.Held || side.Held
	s.Blocked = s.Blocked || side.Blocked
	s.Impaired = s.Impaired || side.Impaired
	s.Kept = append(s.Kept, side.Kept...)
	s.Again = sooner(s.Again, side.Again)
}

// cleanUp stops what has been replaced, while the new tasks can do without it.
func (m *machine) cleanUp(out *Step) {
	switch {
	case !m.atTarget() || m.target.healthy < m.enough():
		return
	case m.p.Back:
		out.take(m.stop(func(t rollout.Task) bool { return m.source != nil && t.Deployment == m.source.ID }))
	case m.source != nil:
		out.take(m.side(*m.source, 0)) // as surplus, so that they can come back
	}
	out.take(m.dismiss())
	gone := m.old.alive+m.old.leaving+m.others.alive+m.others.leaving == 0
	out.Complete = gone && len(out.Sides) > 0 && out.Sides[0].Complete
}

// reroute returns what the rules are to say when they say something else. No
// group gets traffic that has not enough healthy targets.
func (m *machine) reroute() *Shift {
	now := m.in.Traffic
	want := m.wanted()
	if !now.Routed {
		want.Production = now.Production
	}
	if !now.Tested {
		want.Test = now.Test
	}
	ready := m.able()
	if m.p.Stage == model.StageReconcile {
		ready = m.sourceAble()
	}
	if want == (Shift{now.Production, now.Test}) || !ready {
		return nil
	}
	return &want
}

// wanted is what the rules are to say at this stage.
func (m *machine) wanted() Shift {
	now := Shift{m.in.Traffic.Production, m.in.Traffic.Test}
	after := func(stage model.Stage) bool { return reached(m.p, stage) }
	switch {
	case m.p.Stage == model.StageReconcile && m.source != nil:
		return Shift{0, 0}
	case m.p.Back && m.p.Stage == model.StageScaleUp:
		return now
	case m.p.Stage == model.StageProductionShift && m.p.Shifting:
		return Shift{m.share(m.p.Shifts + 1), Whole}
	case after(model.StagePostProduction) || m.p.Back && m.p.Shifts > 0:
		return Shift{Whole, Whole}
	case after(model.StagePreProductionShift) && m.p.Shifts > 0:
		return Shift{m.share(m.p.Shifts), Whole}
	case after(model.StageTestShift):
		return Shift{now.Production, Whole}
	}
	return now
}

// held keeps a service whose primary deployment has failed and that is not to go
// back: traffic is on the deployment before it, and tasks beyond the desired
// count go, those of the failed one first.
func (m *machine) held() Step {
	if !m.strategy.Shifts() || m.source == nil && !m.p.Back {
		return plain(m.in)
	}
	var out Step
	out.Progress, out.Retire = m.p, m.retire()
	if m.p.Back || m.source.RolloutState == rollout.Failed { // neither revision is better
		return out
	}
	out.take(m.side(*m.source, m.in.Service.DesiredCount))
	switch {
	case m.atSource() && m.old.healthy >= m.in.Service.DesiredCount:
		out.take(m.side(m.primary, 0))
		out.take(m.dismiss())
	case m.atSource() || m.old.healthy == 0 || m.old.healthy < min(m.target.healthy, m.enough()):
	case m.in.Traffic.Tested:
		out.Shift = &Shift{0, 0}
	default:
		out.Shift = &Shift{0, m.in.Traffic.Test}
	}
	return out
}
