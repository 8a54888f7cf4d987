package scheduler

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"neargate/internal/decide/task"
	"neargate/internal/model"
)

// groupState is what a target group has.
type groupState struct {
	targets map[model.Target]model.TargetHealth
	err     error // the group could not be read
}

// tally counts what became of targets since the last turn.
type tally struct {
	registered, deregistered int
}

// readGroup reads the targets of a group.
func readGroup(from targets, group string) groupState {
	states, err := from.TargetHealth(group)
	g := groupState{targets: map[model.Target]model.TargetHealth{}, err: err}
	for _, h := range states {
		g.targets[h.Target] = h
	}
	return g
}

// group reads a target group, once a turn.
func (o *owner) group(name string) groupState {
	g, known := o.groups[name]
	if !known {
		g = readGroup(o.s.carrier.targets, name)
		o.groups[name] = g
	}
	return g
}

// standing is where a task's targets stand with the group.
func (g groupState) standing(targets []model.Target) task.Standing {
	at := task.Out
	for _, target := range targets {
		switch h, there := g.targets[target]; {
		case !there:
		case h.State == "draining":
			at = max(at, task.Draining)
		default:
			return task.In
		}
	}
	return at
}

// watchDrain notices when targets of a task have left a group. The balancer
// tells of it; the look each second is for what it told while nobody listened.
func (o *owner) watchDrain(ctx context.Context, e *entry, now time.Time) {
	for _, name := range slices.Sorted(maps.Keys(e.Groups)) {
		if e.Groups[name].Standing != task.Draining || e.Ended() {
			continue
		}
		if o.drained(name, e.Targets(name)) {
			o.next(ctx, e, task.Drained{Group: name}, now)
		} else {
			o.later(now.Add(time.Second))
		}
	}
}

// drained reports whether a group has none of the targets any more. A group
// that no listener uses has nothing to drain.
func (o *owner) drained(group string, targets []model.Target) bool {
	has := o.group(group).targets
	for _, target := range targets {
		if h, there := has[target]; there && h.State != "unused" {
			return false
		}
	}
	return true
}

// sayGroups tells of the service's target groups that cannot be read.
func (o *owner) sayGroups(svc model.Service, now time.Time) {
	for _, arn := range svc.TargetGroups() {
		text := ""
		if err := o.group(arn).err; err != nil {
			text = fmt.Sprintf("failed to describe target health in (target-group %s) with (error %s)", arn, model.Message(err))
		}
		o.journal.state(now, "health "+arn, text)
	}
}

func (o *owner) tally(group string) *tally {
	if o.counts[group] == nil {
		o.counts[group] = &tally{}
	}
	return o.counts[group]
}

// sayTargets tells what became of targets since the last turn.
func (o *owner) sayTargets(now time.Time) {
	for _, group := range slices.Sorted(maps.Keys(o.counts)) {
		if n := o.counts[group].registered; n > 0 {
			o.journal.say(now, "registered %d targets in (target-group %s)", n, group)
		}
		if n := o.counts[group].deregistered; n > 0 {
			o.journal.say(now, "deregistered %d targets in (target-group %s)", n, group)
		}
	}
	_, service := o.name()
	for _, deployment := range slices.Sorted(maps.Keys(o.drains)) {
		o.journal.add(now, fmt.Sprintf("(service %s, taskSet %s) has begun draining connections on %d tasks.", service, deployment, o.drains[deployment]))
	}
	clear(o.counts)
	clear(o.drains)
}
