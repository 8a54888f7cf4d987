package schedule

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// choice is a field with the numbers that it stands for.
type choice struct {
	text string
	set  []int
}

// drawField draws a field by its numbers, so that its reading is checked too.
func drawField(t *rapid.T, name string, low, high int) choice {
	var c choice
	add := func(text string, from, to, step int) {
		c.text += "," + text
		for n := from; n <= to; n += step {
			c.set = append(c.set, n)
		}
	}
	if rapid.IntRange(0, 2).Draw(t, name+" all") == 0 {
		add("*", low, high, 1)
	} else {
		for range rapid.IntRange(1, 3).Draw(t, name+" items") {
			a := rapid.IntRange(low, high).Draw(t, name)
			b := rapid.IntRange(a, high).Draw(t, name+" to")
			step := rapid.IntRange(1, high-low+1).Draw(t, name+" step")
			switch rapid.IntRange(0, 3).Draw(t, name+" form") {
			case 0:
				add(fmt.Sprint(a), a, a, 1)
			case 1:
				add(fmt.Sprintf("%d-%d", a, b), a, b, 1)
			case 2:
				add(fmt.Sprintf("%d/%d", a, step), a, high, step)
			default:
				add(fmt.Sprintf("%d-%d/%d", a, b, step), a, b, step)
			}
		}
	}
	c.text = c.text[1:]
	return c
}

// drawDays draws the two day fields and says which days they mean, by looking
// at each day alone.
func drawDays(t *rapid.T) (month, week string, match func(time.Time) bool) {
	end := func(d time.Time) int { return time.Date(d.Year(), d.Month()+1, 0, 0, 0, 0, 0, time.UTC).Day() }
	n := rapid.IntRange(1, 28).Draw(t, "day")
	w := rapid.IntRange(1, 7).Draw(t, "weekday")
	switch rapid.IntRange(0, 6).Draw(t, "days") {
	case 0:
		c := drawField(t, "days of month", 1, 31)
		return c.text, "?", func(d time.Time) bool { return slices.Contains(c.set, d.Day()) }
	case 1:
		c := drawField(t, "days of week", 1, 7)
		return "?", c.text, func(d time.Time) bool { return slices.Contains(c.set, int(d.Weekday())+1) }
	case 2:
		return "L", "?", func(d time.Time) bool { return d.Day() == end(d) }
	case 3:
		return "?", fmt.Sprintf("%dL", w), func(d time.Time) bool { return int(d.Weekday())+1 == w && d.Day() > end(d)-7 }
	case 4:
		nth := (n-1)/7 + 1
		return "?", fmt.Sprintf("%d#%d", w, nth), func(d time.Time) bool { return int(d.Weekday())+1 == w && (d.Day()-1)/7+1 == nth }
	case 5:
		return fmt.Sprintf("%dW", n), "?", func(d time.Time) bool { return nearest(d, n, end(d)) }
	default:
		return "LW", "?", func(d time.Time) bool { return nearest(d, end(d), end(d)) }
	}
}

// nearest reports whether d is the working day of its month with the least
// distance to day n.
func nearest(d time.Time, n, end int) bool {
	working := func(day int) bool {
		w := time.Date(d.Year(), d.Month(), day, 0, 0, 0, 0, time.UTC).Weekday()
		return day >= 1 && day <= end && w != time.Saturday && w != time.Sunday
	}
	for off := range 4 {
		for _, day := range []int{n - off, n + off} {
			if working(day) {
				return d.Day() == day
			}
		}
	}
	return false
}

var someZones = []string{"UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "Pacific/Apia", "Africa/Cairo", "America/St_Johns"}

// TestCronIsWhatAScanOfEveryMinuteFinds compares the runs of some weeks with
// looking at each minute of them.
func TestCronIsWhatAScanOfEveryMinuteFinds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		minutes, hours := drawField(t, "minutes", 0, 59), drawField(t, "hours", 0, 23)
		months := drawField(t, "months", 1, 12)
		dom, dow, match := drawDays(t)
		expr := fmt.Sprintf("cron(%s %s %s %s %s *)", minutes.text, hours.text, dom, months.text, dow)
		s, err := Parse(expr)
		if err != nil {
			t.Fatalf("Parse(%q): %v", expr, err)
		}
		loc, err := time.LoadLocation(rapid.SampledFrom(someZones).Draw(t, "zone"))
		if err != nil {
			t.Fatal(err)
		}
		// The weeks around a change of the clocks are the ones to look at.
		start := rapid.SampledFrom([]string{"2026-03-01", "2026-03-20", "2026-04-01", "2026-10-20", "2026-10-28", "2028-02-20"}).Draw(t, "start")
		from, err := time.Parse(time.DateOnly, start)
		if err != nil {
			t.Fatal(err)
		}
		to := from.AddDate(0, 0, 16)
		plan, seen := Plan{Schedule: s, Zone: loc}, map[string]bool{}
		next, ok := plan.Next(from)
		for at := from.Add(-26 * time.Hour); at.Before(to); at = at.Add(time.Minute) {
			l := at.In(loc)
			local := l.Format("2006-01-02T15:04")
			runs := !seen[local] && slices.Contains(minutes.set, l.Minute()) && slices.Contains(hours.set, l.Hour()) &&
				slices.Contains(months.set, int(l.Month())) && match(l)
			seen[local] = true
			if !at.After(from) {
				continue
			}
			if got := ok && next.Equal(at); got != runs {
				t.Fatalf("%s in %s: runs at %s (%s): %v, by the fields %v; Next says %v %v", expr, loc, at, local, got, runs, next, ok)
			}
			if runs {
				next, ok = plan.Next(at)
			}
		}
	})
}

func drawPlan(t *rapid.T) Plan {
	expr := rapid.SampledFrom([]string{
		"rate(1 minute)", "rate(7 hours)", "rate(3 days)", "cron(0/7 * * * ? *)", "cron(0 9 ? * MON-FRI *)", "cron(0 0 L * ? *)",
		"cron(30 2 ? MAR SUN#2 *)", "cron(0 0 29 2 ? *)", "at(2026-05-01T12:00:30)",
	}).Draw(t, "expression")
	s, err := Parse(expr)
	if err != nil {
		t.Fatal(err)
	}
	loc, err := time.LoadLocation(rapid.SampledFrom(someZones).Draw(t, "zone"))
	if err != nil {
		t.Fatal(err)
	}
	p := Plan{Schedule: s, Zone: loc, Created: time.Unix(rapid.Int64Range(1.7e9, 1.8e9).Draw(t, "created"), 0)}
	if rapid.Bool().Draw(t, "has start") {
		p.Start = p.Created.Add(time.Duration(rapid.IntRange(-1e6, 1e6).Draw(t, "start")) * time.Second)
	}
	if rapid.Bool().Draw(t, "has end") {
		p.End = p.Created.Add(time.Duration(rapid.IntRange(0, 1e7).Draw(t, "end")) * time.Second)
	}
	return p
}

func TestNextIsLaterAndInBounds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := drawPlan(t)
		after := time.Unix(rapid.Int64Range(0, 9e9).Draw(t, "after"), 0)
		next, ok := p.Next(after)
		if !ok {
			return
		}
		if !next.After(after) || !next.After(p.Created) || next.Before(p.Start) || !p.End.IsZero() && next.After(p.End) {
			t.Fatalf("Next(%s) = %s of a plan %+v", after.UTC(), next, p)
		}
		if between := after.Add(next.Sub(after) / 2); between.After(after) {
			if again, ok := p.Next(between); !ok || !again.Equal(next) {
				t.Fatalf("Next(%s) = %s, but from half way %s", after.UTC(), next, again)
			}
		}
	})
}

// TestNothingRunsTwiceWhateverTheClockDoes lets a clock run, stand and jump by
// hours, and a server be down meanwhile.
func TestNothingRunsTwiceWhateverTheClockDoes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, ran := drawPlan(t), map[time.Time]bool{}
		now, done, latest := p.Created, time.Time{}, p.Created
		for range rapid.IntRange(1, 300).Draw(t, "steps") {
			if rapid.IntRange(0, 9).Draw(t, "jumps") == 0 {
				now = now.Add(time.Duration(rapid.IntRange(-4*3600, 4*3600).Draw(t, "jump")) * time.Second)
			} else {
				now = now.Add(time.Duration(rapid.IntRange(0, 90).Draw(t, "goes on")) * time.Second)
			}
			if now.After(latest) {
				latest = now
			}
			if latest.Sub(now) > wrong/2 { // hours, not days
				now = latest
			}
			run, due := p.Due(done, now)
			if !due {
				continue
			}
			if ran[run] || run.After(now) || now.Sub(run) >= Late {
				t.Fatalf("at %s the run of %s is due (ran already: %v)", now.UTC(), run, ran[run])
			}
			ran[run], done = true, run
		}
	})
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"at(2026-05-01T12:00:00)", "rate(5 minutes)", "cron(0/15 8-18 ? JAN-MAR MON#1 2026/2)", "cron(0 0 L-3 * ? *)", "cron(0 0 LW 2 ? *)", "cron(* * 30 2 ? *)", "rate(99999999999 days)"} {
		f.Add(s)
	}
	after := time.Date(2026, 5, 1, 0, 0, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, expr string) {
		s, err := Parse(expr)
		if err != nil {
			if !strings.HasPrefix(err.Error(), "Invalid schedule expression") {
				t.Errorf("error %q", err)
			}
			return
		}
		p := Plan{Schedule: s, Created: after}
		if next, ok := p.Next(after); ok && !next.After(after) {
			t.Errorf("%q: Next = %s", expr, next)
		}
	})
}
