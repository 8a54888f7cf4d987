package strategy

import (
	"time"

	"neargate/internal/model"
)

// rolling is the step of a rolling update, with what its strategy puts around
// it: PRE_SCALE_UP ▶ SCALE_UP (the update itself) ▶ POST_SCALE_UP ▶ BAKE_TIME.
// One without hooks, alarms and bake time has no stages.
func (m *machine) rolling() Step {
	if f := m.failure(); f != nil {
		return Step{Failure: f}
	}
	s := m.strategy
	if m.p.Back || len(s.Hooks) == 0 && s.Bake == 0 && !s.Alarms.Enable {
		return plain(m.in)
	}
	out := plain(m.in)
	complete := out.Complete
	moved, again := false, out.Again
	switch m.p.Stage {
	case "":
		m.p.AlarmsOff, moved = len(m.in.Alarms) > 0, true
		m.enter(model.StagePreScaleUp)
	case model.StagePreScaleUp:
		moved, again = m.unlessPaused(model.StageScaleUp)
		out = m.waiting()
	case model.StageScaleUp:
		if moved = complete; moved {
			m.enter(model.StagePostScaleUp)
		}
	case model.StagePostScaleUp:
		moved, again = m.unlessPaused(model.StageBake)
	case model.StageBake:
		if end := m.p.Since.Add(m.bake()); m.in.Now.Before(end) {
			again = end
			break
		}
		out.Progress = m.p
		return out
	default: // it has no other stage
	}
	if moved {
		return Step{Advanced: true, Progress: m.p}
	}
	out.Complete, out.Steady, out.Progress = false, false, m.p
	out.Again = sooner(out.Again, again)
	return out
}

// waiting keeps the service as it is before a rolling update starts tasks.
func (m *machine) waiting() Step {
	var out Step
	if len(m.in.Service.Deployments) > 1 {
		out.take(m.side(m.in.Service.Deployments[1], m.in.Service.DesiredCount))
	}
	out.Retire = nil
	return out
}

// bake is how long a deployment is looked at when it is done otherwise: as long
// as its service says, and with alarms that count until each has seen nothing
// else. ECS computes the time "based on the alarm configuration"; the longest
// evaluation time counts. [Amazon ECS developer guide, "How CloudWatch alarms
// detect deployment failures"; aws/copilot-cli pull request 4294].
func (m *machine) bake() time.Duration {
	if !m.strategy.Alarms.Enable || m.p.AlarmsOff || m.p.Back {
		return m.strategy.Bake
	}
	return max(m.strategy.Bake, m.in.Window)
}
