package rollout

import "time"

// fill starts what is missing: tasks that drain come back first, then new ones
// as far as the maximum and the back-off allow. When the maximum leaves no
// room, one unwell task goes to make some, and the next only when its
// replacement is well. A new task may get the address of one that has ended:
// it waits until no target group has a target there.
func (c *counts) fill(backoff Backoff, now time.Time) {
	need := c.desired - len(c.good)
	if need <= 0 {
		return
	}
	room := max(c.maximum-c.alive(), 0)
	back := min(need, room, len(c.returning))
	for _, t := range c.returning[:back] {
		c.step.Return = append(c.step.Return, t.ID)
		t.Phase, t.Health = Running, Waiting
		c.good = append(c.good, t)
		c.leaving--
	}
	need, room = need-back, room-back
	if retry := backoff.Retry(c.primary); need > 0 && now.Before(retry) {
		c.step.Again = retry
		c.step.Impaired = c.primary.StartFailures >= impairedAfter
		return
	}
	c.step.Held = need > 0 && c.ended > 0
	if !c.step.Held {
		c.step.Start = min(need, room)
	}
	if room == 0 && !c.settling() && c.leaving == 0 {
		c.makeRoom()
	}
}

func (c *counts) makeRoom() {
	switch {
	case len(c.unwell) > 0:
		first, rest := split(c.unwell, 1)
		c.stop(Unwell, first...)
		c.unwell = rest
	case c.hasUnwellOld():
		first, rest := split(c.oldOther, 1) // unwell ones come first
		c.stop(Replaced, first...)
		c.oldOther = rest
	}
}

func (c *counts) hasUnwellOld() bool {
	for _, t := range c.oldOther {
		if t.Health == Unhealthy {
			return true
		}
	}
	return false
}

// trim stops tasks of the primary deployment beyond the desired count.
// API_UpdateService: scaling in is bound by the desired count, not by
// minimumHealthyPercent.
func (c *counts) trim() {
	surplus := len(c.good) - c.desired
	if surplus <= 0 {
		return
	}
	c.good = c.spare(Surplus, c.good, surplus)
}

// replaceOld stops tasks of replaced deployments as far as enough others are
// healthy, new ones for long enough. Those that never ran go at once.
func (c *counts) replaceOld() {
	c.oldPending = c.spare(Replaced, c.oldPending, len(c.oldPending))
	spare := c.healthy() - c.minHealthy
	if spare < 0 {
		return
	}
	c.oldOther = c.spare(Replaced, c.oldOther, len(c.oldOther))
	c.oldHealthy = c.spare(Replaced, c.oldHealthy, min(spare, len(c.oldHealthy)))
}

// clearUnwell stops unwell tasks of the primary deployment once they are not
// needed: during a deployment while enough others are healthy, else when their
// replacements are.
func (c *counts) clearUnwell() {
	enough := c.goodHealthy() >= c.desired
	if c.hasOld() {
		enough = c.healthy() >= c.minHealthy
	}
	if !enough {
		return
	}
	c.stop(Unwell, c.unwell...)
	c.unwell = nil
}

// conclude decides what the state amounts to: complete, steady or blocked. A
// service is steady after its stopped tasks are out of their target groups, as
// ECS reports it.
func (c *counts) conclude() {
	s := &c.step
	asDesired := len(c.good) == c.desired && !c.settling() && len(c.unwell) == 0 && s.Start == 0
	replaced := !c.hasOld() && c.oldLeaving == 0 && !c.stopsOld()
	completed := c.primary.RolloutState == Completed
	s.Complete = !completed && (asDesired && replaced && c.proven() == len(c.good) || c.early(replaced))
	s.Steady = (completed || s.Complete) && asDesired && replaced && len(s.Stop) == 0 && c.registered == 0
	stuck := len(c.good) < c.desired || c.hasOld()
	still := s.Start+len(s.Stop)+len(s.Return) == 0 && c.leaving+c.ended == 0 && c.proven() == len(c.good) && s.Again.IsZero()
	s.Blocked = stuck && still && !s.Complete && len(s.Kept) == 0
}

// early reports whether the deployment has succeeded before everything is
// replaced. API_DeploymentEarlySuccessCriteria.
func (c *counts) early(replaced bool) bool {
	e := c.primary.Strategy.Early
	return e.Enable && c.proven() >= ceilPercent(c.desired, e.HealthyPercent) && (replaced || e.Deferred)
}

func (c *counts) stopsOld() bool {
	for _, stop := range c.step.Stop {
		if stop.Why == Replaced {
			return true
		}
	}
	return false
}

// hold keeps a failed deployment as it is: nothing starts, and tasks beyond
// the desired count go, those of the failed deployment first.
func (c *counts) hold() Step {
	surplus := c.alive() - c.desired
	for _, tasks := range [][]Task{c.unwell, c.good, c.oldOther, c.oldPending, c.oldHealthy} {
		surplus -= len(tasks) - len(c.spare(Surplus, tasks, max(surplus, 0)))
	}
	return c.step
}

// remove stops everything of a deleted service.
func (c *counts) remove() Step {
	s := Step{Gone: len(c.all) == 0}
	for _, t := range c.all {
		if t.Phase == Starting || t.Phase == Running {
			s.Stop = append(s.Stop, Stop{t.ID, Deleted})
		}
	}
	return s
}
