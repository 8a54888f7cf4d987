package strategy

import (
	"slices"
	"time"

	"neargate/internal/decide/rollout"
	"neargate/internal/model"
)

// machine is one call of Next.
type machine struct {
	in       Input
	primary  model.Deployment
	strategy model.Strategy
	p        model.Progress
	source   *model.Deployment // nil: there is none

	target, old crowd // tasks of the primary and of the source deployment
	others      crowd // of any other
}

// crowd counts tasks of one or more deployments.
type crowd struct {
	alive   int // starting or running
	healthy int
	leaving int // draining or stopping
}

func newMachine(in Input) *machine {
	m := &machine{in: in, primary: in.Service.Deployments[0]}
	m.strategy, m.p = m.primary.Strategy, m.primary.Progress
	for i, d := range in.Service.Deployments {
		if i > 0 && d.ID == m.p.Source {
			m.source = &in.Service.Deployments[i]
		}
	}
	for _, t := range in.Tasks {
		switch {
		case t.Deployment == m.primary.ID:
			m.target.add(t)
		case m.source != nil && t.Deployment == m.source.ID:
			m.old.add(t)
		default:
			m.others.add(t)
		}
	}
	return m
}

func (c *crowd) add(t rollout.Task) {
	switch t.Phase {
	case rollout.Starting, rollout.Running:
		c.alive++
		if t.Phase == rollout.Running && t.Health == rollout.Healthy {
			c.healthy++
		}
	case rollout.Draining, rollout.Stopping:
		c.leaving++
	case rollout.Ended:
	}
}

// enough is how many healthy tasks must be able to take the traffic.
func (m *machine) enough() int {
	n := m.in.Service.DesiredCount
	least := (n*m.in.Service.Rollout.MinimumHealthyPercent + 99) / 100
	return max(least, min(n, 1))
}

// enter moves to a stage, where the hooks for it pause the deployment.
func (m *machine) enter(stage model.Stage) {
	m.p.Stage, m.p.Since, m.p.Pauses = stage, m.in.Now, nil
	for _, h := range m.strategy.Hooks {
		if m.p.Back || !slices.Contains(h.Stages, stage) {
			continue
		}
		m.p.Pauses = append(m.p.Pauses, model.Pause{Status: model.PauseAwaiting, ExpiresAt: m.in.Now.Add(h.Timeout), Action: h.Action})
	}
}

// paused reports whether a pause of the stage lasts, lets those that have
// expired go on, and returns when the next one expires.
func (m *machine) paused() (waits bool, until time.Time) {
	m.p.Pauses = slices.Clone(m.p.Pauses)
	for i, pause := range m.p.Pauses {
		switch {
		case pause.Status != model.PauseAwaiting:
		case m.in.Now.Before(pause.ExpiresAt):
			waits = true
			if until.IsZero() || pause.ExpiresAt.Before(until) {
				until = pause.ExpiresAt
			}
		default:
			m.p.Pauses[i].Status = model.PauseTimedOut
		}
	}
	return waits, until
}

// side returns what to do with the tasks of one deployment, so that there are
// desired of them. It is kept as a service of its own: what it decides is what a
// service with that one deployment would.
func (m *machine) side(d model.Deployment, desired int) Side {
	svc := m.in.Service
	svc.DesiredCount = desired
	own := d
	own.RolloutState = rollout.InProgress
	svc.Rollout.CircuitBreaker = false // looked at for the whole
	svc.Deployments = []model.Deployment{own}
	tasks := slices.DeleteFunc(slices.Clone(m.in.Tasks), func(t rollout.Task) bool {
		return t.Deployment != d.ID && t.Phase != rollout.Ended
	})
	return Side{d, rollout.Next(svc, tasks, m.in.Backoff, m.in.Now)}
}

// dismiss stops all tasks of the deployments that are neither the primary nor
// the source.
func (m *machine) dismiss() Side {
	return m.stop(func(t rollout.Task) bool {
		return t.Deployment != m.primary.ID && (m.source == nil || t.Deployment != m.source.ID)
	})
}

// stop stops some of the tasks, but for those that are protected.
func (m *machine) stop(which func(rollout.Task) bool) Side {
	var step rollout.Step
	for _, t := range m.in.Tasks {
		switch {
		case !which(t) || t.Phase != rollout.Starting && t.Phase != rollout.Running:
		case t.Protected:
			step.Kept = append(step.Kept, t.ID)
		default:
			step.Stop = append(step.Stop, rollout.Stop{ID: t.ID, Why: rollout.Replaced})
		}
	}
	return Side{m.primary, step}
}

// retire names the deployments that have no tasks left and are not needed.
func (m *machine) retire() []string {
	var all []string
	for _, d := range m.in.Service.Deployments[1:] {
		needed := m.source != nil && d.ID == m.source.ID && (m.p.Stage != model.StageCleanUp || m.primary.RolloutState == rollout.Failed)
		has := slices.ContainsFunc(m.in.Tasks, func(t rollout.Task) bool { return t.Deployment == d.ID && t.Phase != rollout.Ended })
		if !needed && !has {
			all = append(all, d.ID)
		}
	}
	return all
}
