package autoscaler

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"neargate/internal/model"
)

// nightly changes the bounds at 12:01 each day, a minute after a rig begins.
func nightly(low, high *int) ScheduledChange {
	return ScheduledChange{ResourceID: web, Name: "nightly", Schedule: new("cron(1 12 * * ? *)"), SetsBounds: true, Min: low, Max: high}
}

func (r *rig) schedule(c ScheduledChange) {
	r.t.Helper()
	if err := r.PutScheduled(r.t.Context(), c); err != nil {
		r.t.Fatal(err)
	}
}

// clockTo lets the clock go to an hour of the rig's day, as the seconds of Run
// see it.
func (r *rig) clockTo(hour string) {
	r.t.Helper()
	at, err := time.Parse("15:04:05", hour)
	if err != nil {
		r.t.Fatal(err)
	}
	y, m, d := r.clock.Date()
	r.clock = time.Date(y, m, d, at.Hour(), at.Minute(), at.Second(), 0, time.UTC)
	r.runScheduled(r.t.Context())
}

// restart is the same service under a server that was started again.
func (r *rig) restart(path string) *rig {
	r.t.Helper()
	if err := r.db.Close(); err != nil {
		r.t.Fatal(err)
	}
	next := newRig(r.t, path)
	next.clock, next.running, next.sched, next.book = r.clock, r.running, r.sched, r.book
	next.Autoscaler.sched, next.alarms = r.sched, r.book
	return next
}

// bounds are a target's bounds and its service's desired count.
func (r *rig) bounds() [3]int {
	t, _ := r.Target(web)
	return [3]int{t.Min, t.Max, r.desired()}
}

func TestScheduledActionMovesBoundsAndCount(t *testing.T) {
	for _, c := range []struct {
		name      string
		low, high *int
		want      [3]int
		acts      []string // newest first
	}{
		{"out to the minimum", new(4), new(9), [3]int{4, 9, 4}, []string{
			"InProgress | Setting desired count to 4. | minimum capacity was set to 4 | Successfully set desired count to 4. Waiting for change to be fulfilled by ecs.",
			"Successful | Setting min capacity to 4 and max capacity to 9 | scheduled action name nightly was triggered | Successfully set min capacity to 4 and max capacity to 9",
		}},
		{"in to the maximum", new(0), new(1), [3]int{0, 1, 1}, []string{
			"InProgress | Setting desired count to 1. | maximum capacity was set to 1 | Successfully set desired count to 1. Waiting for change to be fulfilled by ecs.",
			"Successful | Setting min capacity to 0 and max capacity to 1 | scheduled action name nightly was triggered | Successfully set min capacity to 0 and max capacity to 1",
		}},
		{"the count is inside", nil, new(20), [3]int{1, 20, 2}, []string{
			"Successful | Setting max capacity to 20 | scheduled action name nightly was triggered | Successfully set max capacity to 20",
		}},
		{"minimum above the maximum of then", new(9), nil, [3]int{1, 8, 2}, []string{
			"Failed | Setting min capacity to 9 | scheduled action name nightly was triggered | Failed to set min capacity to 9. Reason: Minimum capacity 9 would be above maximum capacity 8.",
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := fresh(t)
			r.register(1, 8)
			r.schedule(nightly(c.low, c.high))
			r.clockTo("12:00:59")
			if got := r.bounds(); got != [3]int{1, 8, 2} {
				t.Fatalf("a second before: %v", got)
			}
			r.clockTo("12:01:00")
			r.clockTo("12:01:01")
			if got := r.bounds(); got != c.want {
				t.Errorf("min, max, desired = %v, want %v", got, c.want)
			}
			acts := r.Activities(web)
			// Both activities begin in the same moment.
			if len(acts) == 2 && acts[0].TriggeredByScheduled {
				acts[0], acts[1] = acts[1], acts[0]
			}
			if diff := cmp.Diff(c.acts, brief(acts)); diff != "" {
				t.Errorf("activities (-want +got):\n%s", diff)
			}
		})
	}
}

func TestScheduledActionIgnoresCooldownsAndDynamicSuspension(t *testing.T) {
	r := fresh(t)
	r.register(1, 8)
	r.put(tracking("cpu"))
	r.seconds(2, 40) // orders a scale-out, whose cooldown runs
	on := true
	if _, err := r.RegisterTarget(t.Context(), Registration{ResourceID: web, SuspendIn: &on, SuspendOut: &on}); err != nil {
		t.Fatal(err)
	}
	r.schedule(nightly(new(1), new(1)))
	r.clockTo("12:01:00")
	if got := r.bounds(); got != [3]int{1, 1, 1} {
		t.Errorf("min, max, desired = %v, want the maximum of 1", got)
	}
}

func TestSuspendedRunsAreNotMadeUpFor(t *testing.T) {
	r := fresh(t)
	r.register(1, 8)
	r.schedule(nightly(new(4), nil))
	suspend := func(on bool) {
		t.Helper()
		if _, err := r.RegisterTarget(t.Context(), Registration{ResourceID: web, SuspendSched: &on}); err != nil {
			t.Fatal(err)
		}
	}
	suspend(true)
	r.clockTo("12:01:00")
	suspend(false)
	r.clockTo("12:01:20")
	if got := r.bounds(); got != [3]int{1, 8, 2} || len(r.Activities(web)) > 0 {
		t.Errorf("min, max, desired = %v, activities %v", got, brief(r.Activities(web)))
	}
	r.clock = r.clock.AddDate(0, 0, 1)
	r.clockTo("12:01:00")
	if got := r.bounds(); got != [3]int{4, 8, 4} {
		t.Errorf("the next day: min, max, desired = %v", got)
	}
}

func TestScheduledActionsAndTheClock(t *testing.T) {
	count := func(r *rig) (n int) {
		for _, act := range r.Activities(web) {
			if act.TriggeredByScheduled {
				n++
			}
		}
		return n
	}
	for _, c := range []struct {
		name  string
		clock string // the hours that Run sees; "restart" is one between them
		want  int
	}{
		{"goes on", "12:00:59 12:01:00 12:01:01 12:02:00", 1},
		{"jumps over the run by hours", "12:00:59 15:00:00", 0},
		{"jumps over the run and comes back to it", "12:00:59 15:00:00 12:00:59 12:01:00", 1},
		{"goes back by hours after the run, and on to it again", "12:01:00 09:00:00 12:00:59 12:01:00 12:01:01", 1},
		{"the same with a restart", "12:01:00 restart 09:00:00 12:01:00", 1},
		{"the server was down for seconds", "12:00:50 restart 12:01:10", 1},
		{"the server was down for hours", "12:00:50 restart 14:00:00 14:00:01", 0},
		{"restart after the run", "12:01:00 restart 12:01:02", 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "state.db")
			r := newRig(t, path)
			r.register(1, 8)
			r.schedule(nightly(new(1), nil))
			for hour := range strings.FieldsSeq(c.clock) {
				if hour == "restart" {
					r = r.restart(path)
					continue
				}
				r.clockTo(hour)
			}
			if got := count(r); got != c.want {
				t.Errorf("%d runs, want %d: %v", got, c.want, brief(r.Activities(web)))
			}
		})
	}
}

func TestScheduledActionUpdate(t *testing.T) {
	r := fresh(t)
	r.register(1, 8)
	first := nightly(new(4), nil)
	first.Timezone, first.Start, first.End = new("Europe/Berlin"), r.clock.Add(time.Hour), r.clock.Add(48*time.Hour)
	r.schedule(first)
	created := r.Scheduled()[0]
	r.clock = r.clock.Add(time.Minute)
	r.schedule(ScheduledChange{ResourceID: web, Name: "nightly", SetsBounds: true, Max: new(9)})
	want := created
	want.Start, want.End, want.Min, want.Max, want.ChangedAt = time.Time{}, time.Time{}, nil, new(9), r.clock
	if diff := cmp.Diff([]model.ScheduledAction{want}, r.Scheduled()); diff != "" {
		t.Errorf("after an update without times and minimum (-want +got):\n%s", diff)
	}
	if err := r.DeregisterTarget(t.Context(), web); err != nil {
		t.Fatal(err)
	}
	if left := r.Scheduled(); len(left) > 0 {
		t.Errorf("deregistered, and still there: %+v", left)
	}
}

func TestScheduledActionRefusals(t *testing.T) {
	with := func(change func(*ScheduledChange)) ScheduledChange {
		c := nightly(new(1), new(2))
		change(&c)
		return c
	}
	for _, c := range []struct {
		name, code, msg string
		change          ScheduledChange
	}{
		{"no target", "ObjectNotFoundException", "No scalable target registered for service namespace: ecs, resource ID: service/c/other", with(func(c *ScheduledChange) { c.ResourceID = "service/c/other" })},
		{"no schedule", "ValidationException", "Schedule and ScalableTargetAction must", with(func(c *ScheduledChange) { c.Schedule = nil })},
		{"no action", "ValidationException", "Schedule and ScalableTargetAction must", with(func(c *ScheduledChange) { c.SetsBounds = false })},
		{"neither bound", "ValidationException", "At least one of", with(func(c *ScheduledChange) { c.Min, c.Max = nil, nil })},
		{"negative", "ValidationException", "Minimum capacity cannot be less than 0", with(func(c *ScheduledChange) { c.Min = new(-1) })},
		{"negative maximum", "ValidationException", "Maximum capacity cannot be less than 0", with(func(c *ScheduledChange) { c.Min, c.Max = nil, new(-1) })},
		{"min above max", "ValidationException", "Maximum capacity cannot be less than minimum", with(func(c *ScheduledChange) { c.Min = new(3) })},
		{"words", "ValidationException", "Invalid schedule expression. Details: Schedule expression must have", with(func(c *ScheduledChange) { c.Schedule = new("every now and then") })},
		{"at in the past", "ValidationException", "Invalid schedule expression. Details: at(2020-01-01T00:00:00) is in the past.", with(func(c *ScheduledChange) { c.Schedule = new("at(2020-01-01T00:00:00)") })},
		{"at in the spring gap", "ValidationException", "Invalid schedule expression. Details: at(2027-03-28T02:30:00) does not exist in the time zone Europe/Berlin.", with(func(c *ScheduledChange) {
			c.Schedule, c.Timezone = new("at(2027-03-28T02:30:00)"), new("Europe/Berlin")
		})},
		{"at after the end", "ValidationException", "Invalid schedule expression. Details: at(2027-03-28T12:30:00) is not between the start time and the end time.", with(func(c *ScheduledChange) { c.Schedule, c.End = new("at(2027-03-28T12:30:00)"), time.Unix(1.8e9, 0) })},
		{"never", "ValidationException", "Invalid schedule expression. Details: cron(0 0 30 2 ? *) has no run", with(func(c *ScheduledChange) { c.Schedule = new("cron(0 0 30 2 ? *)") })},
		{"ended", "ValidationException", "Invalid schedule expression. Details: cron(1 12 * * ? *) has no run", with(func(c *ScheduledChange) { c.End = time.Unix(1e9, 0) })},
		{"end before start", "ValidationException", "The end time", with(func(c *ScheduledChange) { c.Start, c.End = time.Unix(2e9, 0), time.Unix(1.9e9, 0) })},
		{"zone", "ValidationException", "Invalid time zone: Europe/Atlantis.", with(func(c *ScheduledChange) { c.Timezone = new("Europe/Atlantis") })},
		{"the machine's zone", "ValidationException", "Invalid time zone: Local.", with(func(c *ScheduledChange) { c.Timezone = new("Local") })},
		{"a path for a zone", "ValidationException", "Invalid time zone: ../../etc/passwd.", with(func(c *ScheduledChange) { c.Timezone = new("../../etc/passwd") })},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := fresh(t)
			r.register(1, 8)
			err := r.PutScheduled(t.Context(), c.change)
			e, ok := errors.AsType[*model.Error](err)
			if !ok || e.Code != c.code || !strings.HasPrefix(e.Msg, c.msg) {
				t.Errorf("error = %v, want %s: %s", err, c.code, c.msg)
			}
			if left := r.Scheduled(); len(left) > 0 {
				t.Errorf("refused, and still there: %+v", left)
			}
		})
	}
}

func TestNoMoreThan200ScheduledActions(t *testing.T) {
	r := fresh(t)
	r.register(1, 8)
	c := nightly(new(1), nil)
	for i := range maxScheduled {
		c.Name = "action-" + strings.Repeat("x", i)
		r.schedule(c)
	}
	r.schedule(c) // an update
	c.Name = "one more"
	err := r.PutScheduled(t.Context(), c)
	if e, ok := errors.AsType[*model.Error](err); !ok || e.Code != "LimitExceededException" {
		t.Errorf("error = %v, want LimitExceededException", err)
	}
}
