package schedule

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"neargate/internal/model"
)

// Of returns the plan of a scheduled action; zone is what its time zone names.
// The error is an *Error.
func Of(act model.ScheduledAction, zone *time.Location) (Plan, error) {
	s, err := Parse(act.Schedule)
	return Plan{Schedule: s, Zone: zone, Created: act.ChangedAt, Start: act.Start, End: act.End}, err
}

// Check refuses what Application Auto Scaling refuses of a scheduled action at
// now, with a ValidationException; and, before anybody waits for it in vain,
// one that will never run.
func Check(act model.ScheduledAction, zone *time.Location, now time.Time) error {
	p, err := Of(act, zone)
	switch {
	case err != nil:
		return invalid("%s", err)
	case act.Min == nil && act.Max == nil:
		return invalid("At least one of MinCapacity and MaxCapacity must be specified for a scheduled action.")
	case act.Min != nil && *act.Min < 0:
		return invalid("Minimum capacity cannot be less than 0")
	case act.Max != nil && *act.Max < 0:
		return invalid("Maximum capacity cannot be less than 0")
	case act.Min != nil && act.Max != nil && *act.Max < *act.Min:
		return invalid("Maximum capacity cannot be less than minimum capacity")
	case !p.End.IsZero() && p.End.Before(p.Start):
		return invalid("The end time of a scheduled action must be after its start time.")
	}
	if _, ok := p.Next(now); ok {
		return nil
	}
	return invalid("Invalid schedule expression. Details: %s %s.", act.Schedule, p.never(now))
}

// never says why a plan without a next run has none.
func (p Plan) never(now time.Time) string {
	if !p.Schedule.Once() {
		return "has no run between now and its end"
	}
	zone := cmp.Or(p.Zone, time.UTC)
	switch t, ok := resolve(p.Schedule.at, zone); {
	case !ok:
		return "does not exist in the time zone " + zone.String()
	case !t.After(now):
		return "is in the past"
	}
	return "is not between the start time and the end time"
}

func invalid(format string, args ...any) error {
	return model.Errorf(model.Invalid, "ValidationException", format, args...)
}

// Bounds returns the bounds of a scalable target after a run of the action; ok is
// false where the minimum would be above the maximum.
func Bounds(act model.ScheduledAction, low, high int) (newLow, newHigh int, ok bool) {
	if act.Min != nil {
		low = *act.Min
	}
	if act.Max != nil {
		high = *act.Max
	}
	return low, high, low <= high
}

// Words names what the action sets: "min capacity to 0 and max capacity to 4".
func Words(act model.ScheduledAction) string {
	switch {
	case act.Min == nil:
		return fmt.Sprintf("max capacity to %d", *act.Max)
	case act.Max == nil:
		return fmt.Sprintf("min capacity to %d", *act.Min)
	}
	return fmt.Sprintf("min capacity to %d and max capacity to %d", *act.Min, *act.Max)
}

// Entry is an action in an Agenda.
type Entry struct {
	Action model.ScheduledAction
	Plan   Plan
}

// Run is a run of an action that is due.
type Run struct {
	Action model.ScheduledAction
	At     time.Time
}

// Agenda returns the runs due at now in the order of their times and names, and
// the next time at which another may be; zero: never.
func Agenda(entries []Entry, now time.Time) (due []Run, next time.Time) {
	for _, e := range entries {
		if at, ok := e.Plan.Due(e.Action.Done, now); ok {
			due = append(due, Run{e.Action, at})
		}
		if at, ok := e.Plan.Next(now); ok && (next.IsZero() || at.Before(next)) {
			next = at
		}
	}
	slices.SortFunc(due, func(a, b Run) int {
		return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.Action.ResourceID, b.Action.ResourceID), cmp.Compare(a.Action.Name, b.Action.Name))
	})
	return due, next
}
