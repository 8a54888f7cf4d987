package autoscaler

import (
	"context"
	"fmt"
	"time"

	"neargate/internal/decide/scaling"
	"neargate/internal/decide/schedule"
	"neargate/internal/model"
)

// reschedule has the scheduled actions looked at again: they have changed.
func (a *Autoscaler) reschedule() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.rest = schedule.Rest{}
}

// runScheduled runs the scheduled actions that are due.
func (a *Autoscaler) runScheduled(ctx context.Context) {
	now := a.now()
	a.mu.Lock()
	if !a.rest.Over(now) {
		a.mu.Unlock()
		return
	}
	a.rest = schedule.RestAfter(now, time.Time{})
	a.mu.Unlock()
	due, next := schedule.Agenda(a.entries(ctx), now)
	a.mu.Lock()
	if a.rest.From.Equal(now) { // else something has changed meanwhile
		a.rest = schedule.RestAfter(now, next)
	}
	a.mu.Unlock()
	for _, run := range due {
		a.report(ctx, "scheduled action not run", run.Action.ResourceID, a.runAction(ctx, run, now))
	}
}

// entries reads the scheduled actions with their plans.
func (a *Autoscaler) entries(ctx context.Context) []schedule.Entry {
	acts := a.scheduled.List("")
	out := make([]schedule.Entry, 0, len(acts))
	zones := map[string]*time.Location{}
	for _, act := range acts {
		zone, known := zones[act.Timezone]
		if !known {
			var err error
			if zone, err = location(act.Timezone); err != nil {
				a.report(ctx, "scheduled action not read", act.ResourceID, err)
				continue
			}
			zones[act.Timezone] = zone
		}
		plan, err := schedule.Of(act, zone)
		if err != nil {
			a.report(ctx, "scheduled action not read", act.ResourceID, err)
			continue
		}
		out = append(out, schedule.Entry{Action: act, Plan: plan})
	}
	return out
}

// runAction does one run: the bounds change, and a desired count outside them
// goes to the nearer one, whatever the cooldowns. While scheduled scaling is
// suspended the run counts as done.
func (a *Autoscaler) runAction(ctx context.Context, run schedule.Run, now time.Time) error {
	t, ok, err := a.setBounds(ctx, run)
	if err != nil || !ok {
		return err
	}
	act, words := newActivity(t.ResourceID, now), schedule.Words(run.Action)
	act.Description, act.Cause = "Setting "+words, fmt.Sprintf("scheduled action name %s was triggered", run.Action.Name)
	act.EndedAt, act.TriggeredByScheduled = now, true
	low, high, fits := schedule.Bounds(run.Action, t.Min, t.Max)
	if !fits {
		act.Status = failed
		act.StatusMessage = fmt.Sprintf("Failed to set %s. Reason: Minimum capacity %d would be above maximum capacity %d.", words, low, high)
		return a.record(ctx, act)
	}
	act.Status, act.StatusMessage = successful, "Successfully set "+words
	a.log.Info("scheduled action run", "resource", t.ResourceID, "action", run.Action.Name, "min", low, "max", high)
	if err := a.record(ctx, act); err != nil {
		return err
	}
	return a.intoBound(ctx, t, scaling.Bounds{Min: t.Min, Max: t.Max})
}

// setBounds marks a run as done and gives the target its bounds, unless they do
// not fit. ok is false when there is nothing to be done: the action or its
// target is gone or has changed, or scheduled scaling is suspended. The mark
// goes first: a run that a crash loses is better than one that comes twice.
func (a *Autoscaler) setBounds(ctx context.Context, run schedule.Run) (t model.ScalableTarget, ok bool, err error) {
	a.admin.Lock()
	defer a.admin.Unlock()
	id := run.Action.ResourceID
	key := scheduledKey(id, run.Action.Name)
	act, known := a.scheduled.Get(key)
	t, there := a.targets.Get(id)
	if !known || !there || !act.ChangedAt.Equal(run.Action.ChangedAt) {
		return t, false, nil
	}
	act.Done = run.At
	if err := a.scheduled.Put(ctx, key, act); err != nil {
		return t, false, err
	}
	if t.SuspendSched {
		a.log.Info("scheduled action suspended", "resource", id, "action", act.Name)
		return t, false, nil
	}
	low, high, fits := schedule.Bounds(act, t.Min, t.Max)
	if !fits {
		return t, true, nil
	}
	t.Min, t.Max = low, high
	return t, true, a.targets.Put(ctx, id, t)
}
