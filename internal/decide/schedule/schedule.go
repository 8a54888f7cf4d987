// Package schedule says when scheduled actions run: at, rate and cron
// expressions in the form of Application Auto Scaling, in any time zone, within
// a start and an end. It is pure: zones come in as *time.Location, the time as
// an argument, so that the server and the simulator see the same runs.
//
// Daylight saving is AWS's (EventBridge Scheduler, schedule types): a local
// time that does not exist in spring is skipped; one that exists twice in
// autumn runs once, the first time. Quartz, whose cron this is, does the same.
// So an action of every 15 minutes rests for the hour that is repeated. A rate
// counts real time and knows no zones.
package schedule

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Schedule is an expression that was read. The zero value never runs; make it
// with Parse.
type Schedule struct {
	at    time.Time     // local time, written as UTC; zero: none
	every time.Duration // 0: none
	cron  *cron
}

// syntax is what AWS answers to an expression it cannot read; the cause is ours.
const syntax = `Invalid schedule expression. Details: Schedule expression must have the following syntax: ` +
	`rate(<number>\s?(minutes?|hours?|days?)), cron(<cron_expression>) or at(yyyy-MM-dd'T'HH:mm:ss).`

// Error is an expression that cannot be read.
type Error struct {
	Cause string // what is wrong with a cron's field; "" when the form as a whole is
}

// Error returns AWS's words.
func (e *Error) Error() string {
	if e.Cause == "" {
		return syntax
	}
	return "Invalid schedule expression. Details: " + e.Cause + "."
}

// Parse reads at(yyyy-mm-ddThh:mm:ss), rate(N unit) or cron(six fields). The
// error is an *Error.
func Parse(expr string) (Schedule, error) {
	kind, rest, ok := strings.Cut(expr, "(")
	body, closed := strings.CutSuffix(rest, ")")
	if !ok || !closed {
		return Schedule{}, &Error{}
	}
	switch kind {
	case "at":
		return parseAt(body)
	case "rate":
		return parseRate(body)
	case "cron":
		c, err := parseCron(body)
		if err != nil {
			return Schedule{}, err
		}
		return Schedule{cron: c}, nil
	}
	return Schedule{}, &Error{}
}

func parseAt(body string) (Schedule, error) {
	const layout = "2006-01-02T15:04:05"
	t, err := time.Parse(layout, body)
	if err != nil || t.Format(layout) != body { // Parse also takes fractions of a second
		return Schedule{}, &Error{}
	}
	if t.Year() < firstYear || t.Year() > lastYear {
		return Schedule{}, &Error{Cause: fmt.Sprintf("the year of an at expression must be from %d to %d", firstYear, lastYear)}
	}
	return Schedule{at: t}, nil
}

// longestRate keeps a rate far inside what a time.Duration can hold.
const longestRate = 100 * 366 * 24 * time.Hour

func parseRate(body string) (Schedule, error) {
	digits := len(body) - len(strings.TrimLeft(body, "0123456789"))
	n, err := strconv.Atoi(body[:digits])
	if err != nil || n < 1 {
		return Schedule{}, &Error{}
	}
	unit := time.Duration(0)
	switch strings.TrimPrefix(body[digits:], " ") {
	case "minute", "minutes":
		unit = time.Minute
	case "hour", "hours":
		unit = time.Hour
	case "day", "days":
		unit = 24 * time.Hour
	default:
		return Schedule{}, &Error{}
	}
	if n > int(longestRate/unit) {
		return Schedule{}, &Error{Cause: "a rate must be at most 100 years"}
	}
	return Schedule{every: time.Duration(n) * unit}, nil
}

// Once reports whether the schedule is an at expression.
func (s Schedule) Once() bool { return !s.at.IsZero() }

// next returns the first time after after by the expression alone; a rate counts
// from anchor.
func (s Schedule) next(after, anchor time.Time, zone *time.Location) (time.Time, bool) {
	switch {
	case s.Once():
		t, ok := resolve(s.at, zone)
		return t, ok && t.After(after)
	case s.every > 0:
		if after.Before(anchor) {
			after = anchor
		}
		n := int64(after.Sub(anchor)/s.every) + 1
		t := anchor.Add(time.Duration(n) * s.every)
		return t, t.After(after) // false when the arithmetic is at its end
	case s.cron != nil:
		return s.cron.next(after, zone)
	}
	return time.Time{}, false
}

// resolve returns the first moment that has a local time, which is written as
// UTC; ok is false for one that does not exist in the zone.
func resolve(local time.Time, zone *time.Location) (first time.Time, ok bool) {
	const reach = 26 * time.Hour // more than any zone is away from UTC
	for _, near := range [...]time.Duration{-reach, 0, reach} {
		_, offset := local.Add(near).In(zone).Zone()
		t := local.Add(-time.Duration(offset) * time.Second)
		if _, there := t.In(zone).Zone(); there == offset && (!ok || t.Before(first)) {
			first, ok = t, true
		}
	}
	return first, ok
}
