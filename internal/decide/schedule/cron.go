package schedule

import "time"

// The years that a cron expression may name.
const (
	firstYear = 1970
	lastYear  = 2199
)

// cron is six fields as sets of numbers: bit n stands for n. Days are chosen by
// one of the two day fields; the other one is "?".
type cron struct {
	minutes, hours, months uint64
	years                  [lastYear - firstYear + 1]bool
	days                   days
}

// days chooses days of a month.
type days struct {
	month uint64 // days of the month, 1 to 31
	week  uint64 // days of the week, 1 (Sunday) to 7

	last    bool // the last day of the month, before that minus before
	before  int
	working bool // the working day nearest to month's only one, or to the last

	lastWeek int // the last of this day of the week
	nthWeek  int // the nth of this day of the week
	nth      int
}

// next returns the first time after after in the zone: each matching local time
// that exists runs once, where it comes first.
func (c *cron) next(after time.Time, zone *time.Location) (time.Time, bool) {
	l := after.In(zone)
	start := time.Date(l.Year(), l.Month(), l.Day(), l.Hour(), l.Minute(), 0, 0, time.UTC)
	for year := max(start.Year(), firstYear); year <= lastYear; year++ {
		if !c.years[year-firstYear] {
			continue
		}
		for month := time.January; month <= time.December; month++ {
			if c.months>>month&1 == 0 || year == start.Year() && month < start.Month() {
				continue
			}
			set := c.days.of(year, month)
			for day := from(set, 0); day < none; day = from(set, day+1) {
				midnight := time.Date(year, month, day, 0, 0, 0, 0, time.UTC)
				if t, ok := c.onDay(midnight, start, after, zone); ok {
					return t, true
				}
			}
		}
	}
	return time.Time{}, false
}

// onDay returns the first time of a day that is after after; local times before
// start are none.
func (c *cron) onDay(midnight, start, after time.Time, zone *time.Location) (time.Time, bool) {
	const day = 24 * time.Hour
	if midnight.Add(day).Before(start) {
		return time.Time{}, false
	}
	for h := from(c.hours, 0); h < none; h = from(c.hours, h+1) {
		hour := midnight.Add(time.Duration(h) * time.Hour)
		if hour.Add(time.Hour).Before(start) {
			continue
		}
		for m := from(c.minutes, 0); m < none; m = from(c.minutes, m+1) {
			if t, ok := resolve(hour.Add(time.Duration(m)*time.Minute), zone); ok && t.After(after) {
				return t, true
			}
		}
	}
	return time.Time{}, false
}

// none is beyond every number of a set.
const none = 64

// from returns the lowest number of a set that is not below n.
func from(set uint64, n int) int {
	for n < none && set>>n&1 == 0 {
		n++
	}
	return n
}

// of returns the chosen days of one month.
func (d days) of(year int, month time.Month) uint64 {
	end := time.Date(year, month+1, 0, 0, 0, 0, 0, time.UTC).Day()
	all := uint64(2)<<end - 2
	switch {
	case d.last:
		return d.bit(end-d.before, year, month, end) & all
	case d.working:
		return d.bit(from(d.month, 0), year, month, end) & all
	case d.lastWeek > 0:
		return 1 << (end - (weekday(year, month, end)-d.lastWeek+7)%7)
	case d.nth > 0:
		return 1 << (1 + (d.nthWeek-weekday(year, month, 1)+7)%7 + 7*(d.nth-1)) & all
	case d.week > 0:
		set := uint64(0)
		for day := 1; day <= end; day++ {
			set |= d.week >> weekday(year, month, day) & 1 << day
		}
		return set
	}
	return d.month & all
}

// bit is one day, or the working day nearest to it in the same month.
func (d days) bit(day, year int, month time.Month, end int) uint64 {
	if day < 1 || day > end {
		return 0
	}
	if d.working {
		switch weekday(year, month, day) {
		case saturday:
			day--
			if day == 0 {
				day = 3
			}
		case sunday:
			day++
			if day > end {
				day = end - 2
			}
		}
	}
	return 1 << day
}

// Days of the week as cron counts them.
const (
	sunday   = 1
	saturday = 7
)

func weekday(year int, month time.Month, day int) int {
	return int(time.Date(year, month, day, 0, 0, 0, 0, time.UTC).Weekday()) + sunday
}
