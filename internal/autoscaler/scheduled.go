package autoscaler

import (
	"context"
	"time"

	"neargate/internal/decide/schedule"
	"neargate/internal/model"
)

// maxScheduled is how many scheduled actions one target may have [quotas].
const maxScheduled = 200

// scheduledKey orders scheduled actions by resource ID, then name. With no name
// it is the prefix of all actions of the target.
func scheduledKey(resourceID, name string) string { return resourceID + "\n" + name }

// ScheduledChange is a request to create or update a scheduled action: nil
// fields stay as they are, but zero times take the old ones away, as at AWS.
type ScheduledChange struct {
	ResourceID, Name   string
	Schedule, Timezone *string
	Start, End         time.Time
	SetsBounds         bool // Min and Max were given, of which one may be nil
	Min, Max           *int
}

// PutScheduled creates or updates a scheduled action. ValidationException,
// ObjectNotFoundException, LimitExceededException.
func (a *Autoscaler) PutScheduled(ctx context.Context, c ScheduledChange) error {
	a.admin.Lock()
	defer a.admin.Unlock()
	target, ok := a.targets.Get(c.ResourceID)
	if !ok {
		return noTarget(c.ResourceID)
	}
	now := a.now()
	var err error
	act, known := a.scheduled.Get(scheduledKey(c.ResourceID, c.Name))
	if !known {
		if len(a.scheduled.List(scheduledKey(c.ResourceID, ""))) >= maxScheduled {
			return model.Errorf(model.Throttled, "LimitExceededException", "You have reached the limit of %d scheduled actions for the scalable target.", maxScheduled)
		}
		if act, err = c.create(now); err != nil {
			return err
		}
		act.ARN = a.cfg.Place.ScheduledActionARN(target.PolicyUUID, Namespace, c.ResourceID, c.Name)
	}
	act, _, err = c.over(act, now)
	if err != nil {
		return err
	}
	defer a.reschedule()
	return a.scheduled.Put(ctx, scheduledKey(act.ResourceID, act.Name), act)
}

// Entry returns what the request says of an action that is new, with its plan;
// the action has no ARN. ValidationException.
func (c ScheduledChange) Entry(now time.Time) (schedule.Entry, error) {
	act, err := c.create(now)
	if err != nil {
		return schedule.Entry{}, err
	}
	act, zone, err := c.over(act, now)
	if err != nil {
		return schedule.Entry{}, err
	}
	plan, err := schedule.Of(act, zone)
	return schedule.Entry{Action: act, Plan: plan}, err
}

// create returns a new action without its fields. ValidationException.
func (c ScheduledChange) create(now time.Time) (model.ScheduledAction, error) {
	if c.Schedule == nil || !c.SetsBounds {
		return model.ScheduledAction{}, invalid("Schedule and ScalableTargetAction must be specified when creating a scheduled action.")
	}
	return model.ScheduledAction{Name: c.Name, Namespace: Namespace, ResourceID: c.ResourceID, Dimension: Dimension, CreatedAt: now}, nil
}

// over puts the request's fields over an action. ValidationException.
func (c ScheduledChange) over(act model.ScheduledAction, now time.Time) (model.ScheduledAction, *time.Location, error) {
	set(&act.Schedule, c.Schedule)
	set(&act.Timezone, c.Timezone)
	act.Start, act.End = c.Start, c.End
	if c.SetsBounds {
		act.Min, act.Max = c.Min, c.Max
	}
	act.ChangedAt, act.Done = now, time.Time{}
	zone, err := location(act.Timezone)
	if err != nil {
		return act, nil, err
	}
	return act, zone, schedule.Check(act, zone, now)
}

// location finds a time zone; "" is UTC.
func location(name string) (*time.Location, error) {
	zone, err := time.LoadLocation(name)
	if err != nil || zone == time.Local {
		return nil, invalid("Invalid time zone: %s. Use the canonical name of an IANA time zone, such as Pacific/Tahiti.", name)
	}
	return zone, nil
}

// DeleteScheduled removes a scheduled action. ObjectNotFoundException.
func (a *Autoscaler) DeleteScheduled(ctx context.Context, resourceID, name string) error {
	a.admin.Lock()
	defer a.admin.Unlock()
	defer a.reschedule()
	found, err := a.scheduled.Delete(ctx, scheduledKey(resourceID, name))
	if err == nil && !found {
		return model.Errorf(model.NotFound, "ObjectNotFoundException",
			"No scheduled action found for service namespace: %s, resource ID: %s, scalable dimension: %s, scheduled action name: %s", Namespace, resourceID, Dimension, name)
	}
	return err
}

// dropScheduled removes all scheduled actions of a target.
func (a *Autoscaler) dropScheduled(ctx context.Context, resourceID string) error {
	defer a.reschedule()
	for _, act := range a.scheduled.List(scheduledKey(resourceID, "")) {
		if _, err := a.scheduled.Delete(ctx, scheduledKey(resourceID, act.Name)); err != nil {
			return err
		}
	}
	return nil
}

// Scheduled returns all scheduled actions by resource ID and name.
func (a *Autoscaler) Scheduled() []model.ScheduledAction { return a.scheduled.List("") }
