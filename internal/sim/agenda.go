package sim

import (
	"time"

	"neargate/internal/decide/scaling"
	"neargate/internal/decide/schedule"
)

// agenda is scheduled actions and when to look at them again.
type agenda struct {
	entries []schedule.Entry
	rest    schedule.Rest
}

// due returns the runs that are due now, and marks them as done.
func (g *agenda) due(now time.Time) []schedule.Run {
	if len(g.entries) == 0 || !g.rest.Over(now) {
		return nil
	}
	due, next := schedule.Agenda(g.entries, now)
	g.rest = schedule.RestAfter(now, next)
	for _, run := range due {
		for i := range g.entries {
			if g.entries[i].Action.Name == run.Action.Name {
				g.entries[i].Action.Done = run.At
			}
		}
	}
	return due
}

// runScheduled does the scheduled actions that are due: the bounds change, and
// a count outside them is put inside at once.
func (d *Decider) runScheduled(now time.Time) (reason string) {
	for _, run := range d.agenda.due(now) {
		low, high, fits := schedule.Bounds(run.Action, d.cfg.Min, d.cfg.Max)
		if !fits {
			continue
		}
		d.cfg.Min, d.cfg.Max = low, high
		if n, cause, outside := (scaling.Bounds{Min: low, Max: high}).Move(d.desired); outside {
			d.desired, reason = n, cause
		}
	}
	return reason
}
