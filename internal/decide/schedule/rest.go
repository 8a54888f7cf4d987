package schedule

import "time"

// LongestRest bounds how long actions are not looked at where none will run.
const LongestRest = time.Hour

// Rest is the time in which no scheduled action has to be looked at: from the
// last look on, until the next run. A clock that goes back ends it. The zero
// value is over.
type Rest struct{ From, Until time.Time }

// Over reports whether the actions are to be looked at.
func (r Rest) Over(now time.Time) bool { return now.Before(r.From) || !now.Before(r.Until) }

// RestAfter is the rest after a look at now that found the next run to be at
// next; zero: never.
func RestAfter(now, next time.Time) Rest {
	r := Rest{From: now, Until: now.Add(LongestRest)}
	if !next.IsZero() && next.Before(r.Until) {
		r.Until = next
	}
	return r
}
