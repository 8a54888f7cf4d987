package sim

import (
	"fmt"
	"time"

	"neargate/internal/decide/schedule"
)

// agenda has scheduled actions and when to look at them again.
type agenda struct {
	entries     []schedule.Entry
	from, until time.Time
}

// longestIdle is how long the agenda is left alone at most.
const longestIdle = time.Hour

// due gives the runs that are due now, and marks them as done.
func (g *agenda) due(now time.Time) []schedule.Run {
	if len(g.entries) == 0 || !now.Before(g.from) && now.Before(g.until) {
		return nil
	}
	due, next := schedule.Agenda(g.entries, now)
	g.from, g.until = now, now.Add(longestIdle)
	if !next.IsZero() && next.Before(g.until) {
		g.until = next
	}
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
		switch {
		case d.desired < low && !d.cfg.SuspendOut:
			d.desired, reason = low, fmt.Sprintf("minimum capacity was set to %d", low)
		case d.desired > high && !d.cfg.SuspendIn:
			d.desired, reason = high, fmt.Sprintf("maximum capacity was set to %d", high)
		}
	}
	return reason
}
