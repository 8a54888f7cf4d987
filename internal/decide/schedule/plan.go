package schedule

import "time"

// Plan is a schedule with what bounds it.
type Plan struct {
	Schedule Schedule
	Zone     *time.Location // of at and cron; nil is UTC
	Created  time.Time      // nothing runs before; a rate without Start counts from here
	Start    time.Time      // zero: none
	End      time.Time      // zero: none
}

// Late is how long after its time a run may still begin: AWS's resolution. A
// run that is missed by more, since the server was down, the clock jumped or
// scheduled scaling was suspended, is not made up for.
const Late = time.Minute

// wrong is how far ahead of the clock the newest run may be until it shows that
// the clock was wrong then, and is disregarded.
const wrong = 24 * time.Hour

// Next returns the first run after after. A recurring schedule with a start runs
// at its start too, as AWS documents it. Nothing runs after the end.
func (p Plan) Next(after time.Time) (time.Time, bool) {
	zone, anchor := p.Zone, p.Created
	if zone == nil {
		zone = time.UTC
	}
	if !p.Start.IsZero() {
		anchor = p.Start
	}
	if after.Before(p.Created) {
		after = p.Created
	}
	var t time.Time
	ok := false
	if after.Before(p.Start) {
		if !p.Schedule.Once() {
			return p.within(p.Start)
		}
		after = p.Start.Add(-1)
	}
	if t, ok = p.Schedule.next(after, anchor, zone); !ok {
		return time.Time{}, false
	}
	return p.within(t)
}

func (p Plan) within(t time.Time) (time.Time, bool) {
	if !p.End.IsZero() && t.After(p.End) {
		return time.Time{}, false
	}
	return t.UTC(), true
}

// Due returns the newest run that is to begin at now, when the newest one dealt
// with was done (zero: none). A clock that goes back by hours does not bring
// back what has run: until it has passed done again, nothing is due.
func (p Plan) Due(done, now time.Time) (run time.Time, due bool) {
	from := now.Add(-Late)
	if done.After(from) && done.Sub(now) < wrong {
		from = done
	}
	for from.Before(now) {
		t, ok := p.Next(from)
		if !ok || t.After(now) {
			break
		}
		run, due, from = t, true, t
	}
	return run, due
}
