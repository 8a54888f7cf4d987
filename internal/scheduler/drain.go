package scheduler

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"neargate/internal/model"
	"neargate/internal/random"
)

// enter registers the task's targets.
func (o *owner) enter(ctx context.Context, t *task) {
	t.place = entering
	record := t.Task
	o.s.work.Go(func() {
		stand := out
		if o.register(ctx, record) {
			stand = in
		}
		o.post(func() { o.entered(t, stand) })
	})
}

func (o *owner) entered(t *task, stand place) {
	t.place = stand
	if stand == in {
		o.countTargets(t, 1)
	} else {
		t.retryAt = time.Now().Add(time.Second)
	}
}

// register puts a task into its target groups; false when one refused it.
func (o *owner) register(ctx context.Context, record model.Task) bool {
	t := task{Task: record}
	for group, targets := range t.addresses() {
		if err := o.s.targets.RegisterTargets(ctx, group, targets); err != nil {
			o.s.log.Warn("register targets", "task", t.ID, "target_group", group, "err", err)
			return false
		}
	}
	return true
}

// leave deregisters the task's targets, which begins to drain them; those of a
// task that has ended are lost. A group that refuses has lost them already.
func (o *owner) leave(ctx context.Context, t *task) {
	t.place = leaving
	groups := t.addresses()
	deregister := o.s.targets.DeregisterTargets
	if t.LastStatus == model.TaskStopped {
		deregister = o.s.targets.DeregisterLostTargets
	}
	o.s.work.Go(func() {
		for group, targets := range groups {
			if err := deregister(ctx, group, targets); err != nil {
				o.s.log.Warn("deregister targets", "task", t.ID, "target_group", group, "err", err)
			}
		}
		o.post(func() { o.left(t) })
	})
}

func (o *owner) left(t *task) {
	t.place = out
	o.countTargets(t, -1)
	o.drains[t.DeploymentID]++
}

// drained says that no group has the task's targets any more.
func (o *owner) drained(t *task) bool {
	for group, targets := range t.addresses() {
		health := o.groupHealth(group)
		for _, target := range targets {
			if h, there := health[target]; there && h.State != "unused" {
				return false
			}
		}
	}
	return true
}

// groupHealth reads a target group's targets, once a turn.
func (o *owner) groupHealth(group string) map[model.Target]model.TargetHealth {
	if known, ok := o.health[group]; ok {
		return known
	}
	all := map[model.Target]model.TargetHealth{}
	states, err := o.s.targets.TargetHealth(group)
	if err != nil {
		o.s.log.Warn("read target health", "target_group", group, "err", err)
	}
	for _, h := range states {
		all[h.Target] = h
	}
	o.health[group] = all
	return all
}

// countTargets notes targets registered (n > 0) or deregistered for the events.
func (o *owner) countTargets(t *task, n int) {
	for group, targets := range t.addresses() {
		c := o.counts[group]
		if c == nil {
			c = &tally{}
			o.counts[group] = c
		}
		if n > 0 {
			c.registered += len(targets)
		} else {
			c.deregistered += len(targets)
		}
	}
}

// tellTargets says what became of targets since the last turn.
func (o *owner) tellTargets() {
	for _, group := range slices.Sorted(maps.Keys(o.counts)) {
		if n := o.counts[group].registered; n > 0 {
			o.say("registered %d targets in (target-group %s)", n, group)
		}
		if n := o.counts[group].deregistered; n > 0 {
			o.say("deregistered %d targets in (target-group %s)", n, group)
		}
	}
	_, service := o.name()
	for _, deployment := range slices.Sorted(maps.Keys(o.drains)) {
		o.news = append(o.news, model.ServiceEvent{
			ID: random.UUID(), CreatedAt: time.Now(),
			Message: fmt.Sprintf("(service %s, taskSet %s) has begun draining connections on %d tasks.", service, deployment, o.drains[deployment]),
		})
	}
	clear(o.counts)
	clear(o.drains)
}
