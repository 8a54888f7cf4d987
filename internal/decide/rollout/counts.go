package rollout

import "neargate/internal/model"

// counts is a service's tasks sorted by what may be done with them, and the
// step as it grows.
type counts struct {
	desired    int
	minHealthy int // tasks that must stay healthy while old ones are stopped
	maximum    int // tasks that may be there, draining ones not counted
	primary    model.Deployment
	all        []Task

	good       []Task // primary, Starting or Running and not Unhealthy
	unwell     []Task // primary, Unhealthy
	returning  []Task // primary, Draining, may be taken back
	oldPending []Task // of other deployments, not RUNNING yet
	oldHealthy []Task
	oldOther   []Task // RUNNING and not healthy
	leaving    int    // Draining or Stopping, any deployment
	oldLeaving int    // the same, of other deployments
	registered int    // Draining and Registered, any deployment
	ended      int    // Ended, any deployment

	step Step
}

func count(svc model.Service, tasks []Task) *counts {
	c := &counts{
		desired:    svc.DesiredCount,
		minHealthy: ceilPercent(svc.DesiredCount, svc.Rollout.MinimumHealthyPercent),
		maximum:    svc.DesiredCount * svc.Rollout.MaximumPercent / 100,
	}
	if len(svc.Deployments) > 0 {
		c.primary = svc.Deployments[0]
	}
	for _, t := range tasks {
		if t.Phase == Ended {
			c.ended++
			continue
		}
		c.all = append(c.all, t)
		c.sort(t)
	}
	for _, d := range svc.Deployments[min(1, len(svc.Deployments)):] {
		if !anyOf(c.all, d.ID) {
			c.step.Retire = append(c.step.Retire, d.ID)
		}
	}
	return c
}

func (c *counts) sort(t Task) {
	mine := t.Deployment == c.primary.ID
	switch {
	case t.Phase == Draining || t.Phase == Stopping:
		c.leaving++
		if !mine {
			c.oldLeaving++
		}
		if t.Phase == Draining && t.Registered {
			c.registered++
		}
		if mine && t.Phase == Draining && t.CanReturn {
			c.returning = append(c.returning, t)
		}
	case mine && t.Phase == Running && t.Health == Unhealthy:
		c.unwell = append(c.unwell, t)
	case mine:
		c.good = append(c.good, t)
	case t.Phase == Starting:
		c.oldPending = append(c.oldPending, t)
	case t.Health == Healthy:
		c.oldHealthy = append(c.oldHealthy, t)
	default:
		c.oldOther = append(c.oldOther, t)
	}
}

func anyOf(tasks []Task, deployment string) bool {
	for _, t := range tasks {
		if t.Deployment == deployment {
			return true
		}
	}
	return false
}

// alive is how many tasks count against the maximum.
func (c *counts) alive() int {
	return len(c.good) + len(c.unwell) + len(c.oldPending) + len(c.oldHealthy) + len(c.oldOther)
}

func (c *counts) goodHealthy() int {
	n := 0
	for _, t := range c.good {
		if healthy(t) {
			n++
		}
	}
	return n
}

// proven is how many tasks of the primary deployment can be counted on.
func (c *counts) proven() int {
	n := 0
	for _, t := range c.good {
		if healthy(t) && t.Proven {
			n++
		}
	}
	return n
}

func (c *counts) healthy() int { return c.proven() + len(c.oldHealthy) }

// settling reports that a task of the primary deployment is on its way to being
// healthy.
func (c *counts) settling() bool { return len(c.good) > c.goodHealthy() }

func (c *counts) hasOld() bool {
	return len(c.oldPending)+len(c.oldHealthy)+len(c.oldOther) > 0
}

func healthy(t Task) bool { return t.Phase == Running && t.Health == Healthy }

// ceilPercent is percent of n, rounded up.
func ceilPercent(n, percent int) int { return (n*percent + 99) / 100 }

func (c *counts) stop(why Why, tasks ...Task) {
	for _, t := range tasks {
		c.step.Stop = append(c.step.Stop, Stop{t.ID, why})
	}
}

// spare stops the n tasks that should go first, but for those that are
// protected, and returns what is left. Others go in their place; not a healthy
// one for one that is not.
func (c *counts) spare(why Why, tasks []Task, n int) []Task {
	var left []Task
	for _, t := range tasks {
		switch {
		case n > 0 && t.Protected && !healthy(t):
			c.step.Kept = append(c.step.Kept, t.ID)
			left = append(left, t)
			n--
		case n > 0 && !t.Protected:
			c.stop(why, t)
			n--
		default:
			left = append(left, t)
		}
	}
	for _, t := range left {
		if n > 0 && t.Protected && healthy(t) {
			c.step.Kept = append(c.step.Kept, t.ID)
			n--
		}
	}
	return left
}

// split returns the n tasks that should go first, and the rest.
func split(tasks []Task, n int) (first, rest []Task) {
	n = min(n, len(tasks))
	return tasks[:n], tasks[n:]
}
