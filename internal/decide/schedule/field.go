package schedule

import (
	"fmt"
	"strconv"
	"strings"
)

// field is one field of a cron expression: its numbers from low to high.
type field struct {
	name      string
	low, high int
	names     string // three letters each, from low on
	straight  bool   // a range must not go round the end
}

// fieldCount is how many fields a cron expression has.
const fieldCount = 6

// Where each field stands.
const (
	minutes = iota
	hours
	dayOfMonth
	months
	dayOfWeek
	year
)

func fields() [fieldCount]field {
	return [...]field{
		{name: "Minutes", low: 0, high: 59},
		{name: "Hours", low: 0, high: 23},
		{name: "Day-of-month", low: 1, high: 31},
		{name: "Month", low: 1, high: 12, names: "JANFEBMARAPRMAYJUNJULAUGSEPOCTNOVDEC"},
		{name: "Day-of-week", low: 1, high: 7, names: "SUNMONTUEWEDTHUFRISAT"},
		{name: "Year", low: firstYear, high: lastYear, straight: true},
	}
}

// wrongField says what is wrong with a field.
func (f field) wrongField(text string) error {
	return &Error{Cause: fmt.Sprintf("the field %s of a cron expression cannot be %q", f.name, shorten(text))}
}

func shorten(s string) string {
	const most = 64
	if len(s) > most {
		return strings.ToValidUTF8(s[:most], "") + "…"
	}
	return s
}

// parseCron reads the six fields.
func parseCron(body string) (*cron, error) {
	parts := strings.Fields(strings.ToUpper(body))
	if len(parts) != fieldCount {
		return nil, &Error{Cause: fmt.Sprintf("a cron expression has %d fields, not %d: Minutes Hours Day-of-month Month Day-of-week Year", fieldCount, len(parts))}
	}
	if (parts[dayOfMonth] == "?") == (parts[dayOfWeek] == "?") {
		return nil, &Error{Cause: "exactly one of the fields Day-of-month and Day-of-week of a cron expression must be ?"}
	}
	c, all := &cron{}, fields()
	for i, f := range all {
		if i == dayOfMonth || i == dayOfWeek {
			continue
		}
		set := f.set(parts[i])
		if set == nil {
			return nil, f.wrongField(parts[i])
		}
		switch i {
		case minutes:
			c.minutes = mask(set)
		case hours:
			c.hours = mask(set)
		case months:
			c.months = mask(set)
		case year:
			for _, n := range set {
				c.years[n-firstYear] = true
			}
		}
	}
	at, read := dayOfMonth, (*days).readMonth
	if parts[dayOfMonth] == "?" {
		at, read = dayOfWeek, (*days).readWeek
	}
	if !read(&c.days, all[at], parts[at]) {
		return nil, all[at].wrongField(parts[at])
	}
	return c, nil
}

// readMonth reads days of the month: L, L-3, LW, 15W, or numbers.
func (d *days) readMonth(f field, text string) bool {
	if rest, ok := strings.CutPrefix(text, "L"); ok {
		d.last = true
		if rest == "" || rest == "W" {
			d.working = rest == "W"
			return true
		}
		n, ok := number(strings.TrimPrefix(rest, "-"))
		d.before = n
		return ok && rest[0] == '-' && n < f.high
	}
	if day, ok := strings.CutSuffix(text, "W"); ok {
		n, ok := number(day)
		d.working, d.month = true, 1<<(n&63)
		return ok && n >= f.low && n <= f.high
	}
	set := f.set(text)
	d.month = mask(set)
	return set != nil
}

// readWeek reads days of the week: L (Saturday), FRIL, FRI#2, or numbers.
func (d *days) readWeek(f field, text string) bool {
	if text == "L" {
		d.week = 1 << saturday
		return true
	}
	if day, nth, ok := strings.Cut(text, "#"); ok {
		d.nthWeek, ok = f.value(day)
		n, isNumber := number(nth)
		d.nth = n
		return ok && isNumber && n >= 1 && n <= 5
	}
	if day, ok := strings.CutSuffix(text, "L"); ok {
		d.lastWeek, ok = f.value(day)
		return ok
	}
	set := f.set(text)
	d.week = mask(set)
	return set != nil
}

// set reads a list of *, a, a-b, each with /step; nil when it cannot be read.
func (f field) set(text string) []int {
	var out []int
	for item := range strings.SplitSeq(text, ",") {
		item, step, ok := f.step(item)
		if !ok {
			return nil
		}
		low, high, ok := f.span(item, step)
		if !ok {
			return nil
		}
		for n := low; n <= high; n += max(step, 1) {
			out = append(out, f.low+(n-f.low)%(f.high-f.low+1))
		}
	}
	return out
}

// step cuts the step off an item; 0 is none.
func (f field) step(item string) (rest string, step int, ok bool) {
	rest, text, stepped := strings.Cut(item, "/")
	if !stepped {
		return rest, 0, true
	}
	step, ok = number(text)
	return rest, step, ok && step >= 1 && step <= f.high-f.low+1
}

// span returns the first and last number of an item. Of a range that goes round
// the end, as FRI-MON, the last is above high.
func (f field) span(item string, step int) (low, high int, ok bool) {
	if item == "*" || item == "" && step > 0 { // Quartz reads /5 as */5
		return f.low, f.high, true
	}
	first, last, ranged := strings.Cut(item, "-")
	if low, ok = f.value(first); !ok {
		return 0, 0, false
	}
	switch {
	case ranged:
		if high, ok = f.value(last); !ok || f.straight && high < low {
			return 0, 0, false
		}
		if high < low {
			high += f.high - f.low + 1
		}
	case step > 0:
		high = f.high
	default:
		high = low
	}
	return low, high, true
}

// value reads one number or name.
func (f field) value(text string) (int, bool) {
	if i := strings.Index(f.names, text); len(text) == 3 && i >= 0 && i%3 == 0 {
		return f.low + i/3, true
	}
	n, ok := number(text)
	return n, ok && n >= f.low && n <= f.high
}

// number reads plain digits, few enough for any field.
func number(text string) (int, bool) {
	if text == "" || len(text) > 4 || strings.Trim(text, "0123456789") != "" {
		return 0, false
	}
	n, err := strconv.Atoi(text)
	return n, err == nil
}

// mask is a set of small numbers as bits.
func mask(set []int) uint64 {
	m := uint64(0)
	for _, n := range set {
		m |= 1 << n
	}
	return m
}
