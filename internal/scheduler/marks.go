package scheduler

import (
	"reflect"
	"time"

	"neargate/internal/decide/rollout"
	"neargate/internal/decide/task"
	"neargate/internal/model"
)

// mark is what became of a task, for the counts of its deployment.
type mark struct {
	deployment  string
	kind        task.FactKind
	created     time.Time // the task
	started, at time.Time
}

// apply counts the mark in d.
func (m mark) apply(d model.Deployment, cfg model.RolloutConfig, backoff rollout.Backoff) model.Deployment {
	switch m.kind {
	case task.IsRunning:
		return rollout.Started(d)
	case task.DidNotStart:
		return rollout.NotStarted(d, m.created, m.at)
	case task.Crashed:
		return backoff.Crashed(d, m.started, m.at)
	case task.HasFailed:
		return rollout.TaskFailed(d)
	case task.IsProven:
		return rollout.TaskProved(d, cfg)
	default:
		return d
	}
}

// applyMarks counts marks in the deployments of svc, and reports whether that
// changed anything.
func applyMarks(svc *model.Service, marks []mark, backoff rollout.Backoff) (changed bool) {
	for _, m := range marks {
		svc.ChangeDeployment(m.deployment, func(d *model.Deployment) {
			next := m.apply(*d, svc.Rollout, backoff)
			if reflect.DeepEqual(next, *d) {
				return
			}
			next.UpdatedAt = m.at
			*d, changed = next, true
		})
	}
	return changed
}
