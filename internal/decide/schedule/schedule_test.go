package schedule

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func parse(t *testing.T, expr string) Schedule {
	t.Helper()
	s, err := Parse(expr)
	if err != nil {
		t.Fatalf("Parse(%q): %v", expr, err)
	}
	return s
}

func zone(t *testing.T, name string) *time.Location {
	t.Helper()
	loc, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return loc
}

func moment(t *testing.T, s string) time.Time {
	t.Helper()
	m, err := time.Parse(time.RFC3339, s)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// runs returns the next n runs.
func runs(p Plan, after time.Time, n int) []string {
	var out []string
	for range n {
		next, ok := p.Next(after)
		if !ok {
			return append(out, "none")
		}
		out = append(out, next.Format(time.RFC3339))
		after = next
	}
	return out
}

func TestRuns(t *testing.T) {
	const none = "none"
	for _, c := range []struct{ name, expr, zone, after, want string }{
		{"at is local time", "at(2026-07-01T09:00:00)", "Europe/Berlin", "2026-01-01T00:00:00Z", "2026-07-01T07:00:00Z none"},
		{"at has passed", "at(2026-07-01T09:00:00)", "UTC", "2026-07-01T09:00:00Z", none},
		{"at in the spring gap does not exist", "at(2026-03-29T02:30:00)", "Europe/Berlin", "2026-01-01T00:00:00Z", none},
		{"at in the autumn hour runs the first time", "at(2026-10-25T02:30:00)", "Europe/Berlin", "2026-01-01T00:00:00Z", "2026-10-25T00:30:00Z none"},
		{"every Monday", "cron(30 6 ? * MON *)", "UTC", "2026-05-01T00:00:00Z", "2026-05-04T06:30:00Z 2026-05-11T06:30:00Z"},
		{"days of the week begin with Sunday", "cron(0 0 ? * 1 *)", "UTC", "2026-05-01T00:00:00Z", "2026-05-03T00:00:00Z"},
		{"working days", "cron(0 18 ? * MON-FRI *)", "UTC", "2026-05-01T18:00:00Z", "2026-05-04T18:00:00Z 2026-05-05T18:00:00Z"},
		{"a range round the end of the week", "cron(0 0 ? * FRI-MON *)", "UTC", "2026-05-04T00:00:00Z", "2026-05-08T00:00:00Z 2026-05-09T00:00:00Z 2026-05-10T00:00:00Z 2026-05-11T00:00:00Z 2026-05-15T00:00:00Z"},
		{"lists and steps", "cron(0,50/5 10-12/2 * * ? *)", "UTC", "2026-05-01T10:50:30Z", "2026-05-01T10:55:00Z 2026-05-01T12:00:00Z 2026-05-01T12:50:00Z"},
		{"last day of the month", "cron(0 0 L * ? *)", "UTC", "2027-12-31T00:00:00Z", "2028-01-31T00:00:00Z 2028-02-29T00:00:00Z 2028-03-31T00:00:00Z"},
		{"third day before the last", "cron(0 0 L-3 2 ? *)", "UTC", "2026-01-01T00:00:00Z", "2026-02-25T00:00:00Z"},
		{"last working day", "cron(0 0 LW * ? *)", "UTC", "2026-05-01T00:00:00Z", "2026-05-29T00:00:00Z 2026-06-30T00:00:00Z"},
		{"nearest working day to a Saturday", "cron(0 0 15W 8 ? *)", "UTC", "2026-01-01T00:00:00Z", "2026-08-14T00:00:00Z"},
		{"nearest working day to a Sunday", "cron(0 0 15W 11 ? *)", "UTC", "2026-01-01T00:00:00Z", "2026-11-16T00:00:00Z"},
		{"nearest working day stays in its month", "cron(0 0 1W 8 ? *)", "UTC", "2026-01-01T00:00:00Z", "2026-08-03T00:00:00Z"},
		{"nearest working day to a Sunday at the end", "cron(0 0 31W 5 ? *)", "UTC", "2026-01-01T00:00:00Z", "2026-05-29T00:00:00Z"},
		{"last Friday", "cron(0 0 ? * 6L *)", "UTC", "2026-05-01T00:00:00Z", "2026-05-29T00:00:00Z 2026-06-26T00:00:00Z"},
		{"second Friday", "cron(0 0 ? * FRI#2 *)", "UTC", "2026-05-01T00:00:00Z", "2026-05-08T00:00:00Z 2026-06-12T00:00:00Z"},
		{"fifth Friday is not in every month", "cron(0 0 ? * 6#5 *)", "UTC", "2026-05-01T00:00:00Z", "2026-05-29T00:00:00Z 2026-07-31T00:00:00Z"},
		{"L alone is Saturday", "cron(0 0 ? * L *)", "UTC", "2026-05-01T00:00:00Z", "2026-05-02T00:00:00Z"},
		{"months by name, in small letters", "cron(0 0 1 jan,jul ? *)", "UTC", "2026-05-01T00:00:00Z", "2026-07-01T00:00:00Z 2027-01-01T00:00:00Z"},
		{"years", "cron(0 0 1 1 ? 2027-2029/2)", "UTC", "2026-05-01T00:00:00Z", "2027-01-01T00:00:00Z 2029-01-01T00:00:00Z none"},
		{"29 February", "cron(0 0 29 2 ? *)", "UTC", "2026-05-01T00:00:00Z", "2028-02-29T00:00:00Z"},
		{"30 February never comes", "cron(0 0 30 FEB ? *)", "UTC", "2026-05-01T00:00:00Z", none},
		{"a year that has passed", "cron(* * * * ? 1999)", "UTC", "2026-05-01T00:00:00Z", none},
		{"only in the spring gap: never", "cron(30 2 ? 3 SUN#2 *)", "America/New_York", "2026-05-01T00:00:00Z", none},
		{"noon follows summer time", "cron(0 12 * * ? *)", "Europe/Berlin", "2026-03-28T00:00:00Z", "2026-03-28T11:00:00Z 2026-03-29T10:00:00Z"},
		{"a time in the spring gap is skipped", "cron(30 2 * * ? *)", "Europe/Berlin", "2026-03-28T00:00:00Z", "2026-03-28T01:30:00Z 2026-03-30T00:30:00Z"},
		{"a time that comes twice runs once", "cron(30 2 * * ? *)", "Europe/Berlin", "2026-10-24T20:00:00Z", "2026-10-25T00:30:00Z 2026-10-26T01:30:00Z"},
		{"each half hour rests in the repeated hour", "cron(0/30 * * * ? *)", "Europe/Berlin", "2026-10-25T00:29:00Z", "2026-10-25T00:30:00Z 2026-10-25T02:00:00Z"},
		{"asked in the repeated hour", "cron(0/30 * * * ? *)", "Europe/Berlin", "2026-10-25T01:10:00Z", "2026-10-25T02:00:00Z"},
		{"half an hour of summer time", "cron(45 1 * * ? *)", "Australia/Lord_Howe", "2026-04-04T10:00:00Z", "2026-04-04T14:45:00Z 2026-04-05T15:15:00Z"},
		{"a day that a zone left out", "cron(0 9 30,31 12 ? *)", "Pacific/Apia", "2011-12-29T00:00:00Z", "2011-12-30T19:00:00Z"},
		{"rate counts from creation", "rate(5 minutes)", "Europe/Berlin", "2026-05-01T00:07:00Z", "2026-05-01T00:10:00Z 2026-05-01T00:15:00Z"},
		{"rate of one day counts hours, not days", "rate(1 day)", "Europe/Berlin", "2026-03-28T12:00:00Z", "2026-03-29T00:00:00Z 2026-03-30T00:00:00Z"},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := Plan{Schedule: parse(t, c.expr), Zone: zone(t, c.zone), Created: moment(t, "2026-01-01T00:00:00Z")}
			if moment(t, c.after).Before(p.Created) {
				p.Created = time.Time{}
			}
			want := strings.Fields(c.want)
			if diff := cmp.Diff(want, runs(p, moment(t, c.after), len(want))); diff != "" {
				t.Errorf("%s after %s (-want +got):\n%s", c.expr, c.after, diff)
			}
		})
	}
}

func TestPlanStartAndEnd(t *testing.T) {
	created := moment(t, "2026-05-01T10:00:20Z")
	for _, c := range []struct{ name, expr, start, end, after, want string }{
		{"cron runs at its start too", "cron(0 12 * * ? *)", "2026-05-02T08:30:00Z", "", "2026-05-01T10:00:20Z", "2026-05-02T08:30:00Z 2026-05-02T12:00:00Z"},
		{"rate runs at its start and counts from it", "rate(1 hour)", "2026-05-02T08:30:00Z", "", "2026-05-01T10:00:20Z", "2026-05-02T08:30:00Z 2026-05-02T09:30:00Z"},
		{"a start before the creation only anchors a rate", "rate(1 hour)", "2026-05-01T08:30:00Z", "", "2026-05-01T00:00:00Z", "2026-05-01T10:30:00Z"},
		{"nothing runs before the creation", "cron(0 * * * ? *)", "", "", "2026-05-01T00:00:00Z", "2026-05-01T11:00:00Z"},
		{"the end ends it", "rate(30 minutes)", "2026-05-01T11:00:00Z", "2026-05-01T11:30:00Z", "2026-05-01T10:30:00Z", "2026-05-01T11:00:00Z 2026-05-01T11:30:00Z none"},
		{"at inside", "at(2026-05-01T12:00:00)", "2026-05-01T12:00:00Z", "2026-05-01T12:00:00Z", "2026-05-01T00:00:00Z", "2026-05-01T12:00:00Z none"},
		{"at before the start", "at(2026-05-01T11:59:59)", "2026-05-01T12:00:00Z", "", "2026-05-01T00:00:00Z", "none"},
		{"at after the end", "at(2026-05-01T12:00:01)", "", "2026-05-01T12:00:00Z", "2026-05-01T00:00:00Z", "none"},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := Plan{Schedule: parse(t, c.expr), Created: created}
			if c.start != "" {
				p.Start = moment(t, c.start)
			}
			if c.end != "" {
				p.End = moment(t, c.end)
			}
			want := strings.Fields(c.want)
			if diff := cmp.Diff(want, runs(p, moment(t, c.after), len(want))); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestDue(t *testing.T) {
	p := Plan{Schedule: parse(t, "cron(0 12 * * ? *)")}
	for _, c := range []struct{ name, done, now, want string }{
		{"a second before", "", "2026-05-01T11:59:59Z", ""},
		{"on time", "", "2026-05-01T12:00:00Z", "2026-05-01T12:00:00Z"},
		{"half a minute late", "", "2026-05-01T12:00:30Z", "2026-05-01T12:00:00Z"},
		{"done", "2026-05-01T12:00:00Z", "2026-05-01T12:00:30Z", ""},
		{"missed: the server was down, or the clock jumped", "2026-04-30T12:00:00Z", "2026-05-01T15:00:00Z", ""},
		{"the clock went back after it ran", "2026-05-01T12:00:00Z", "2026-05-01T09:00:00Z", ""},
		{"and comes to the same time again", "2026-05-01T12:00:00Z", "2026-05-01T12:00:00Z", ""},
		{"and to the next day", "2026-05-01T12:00:00Z", "2026-05-02T12:00:01Z", "2026-05-02T12:00:00Z"},
		{"the clock was years ahead once", "2050-01-01T12:00:00Z", "2026-05-01T12:00:00Z", "2026-05-01T12:00:00Z"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var done time.Time
			if c.done != "" {
				done = moment(t, c.done)
			}
			run, due := p.Due(done, moment(t, c.now))
			got := ""
			if due {
				got = run.Format(time.RFC3339)
			}
			if got != c.want {
				t.Errorf("Due = %q, want %q", got, c.want)
			}
		})
	}
}

func TestParseRefuses(t *testing.T) {
	for name, expr := range map[string]string{
		"empty": "", "no kind": "(5 minutes)", "other kind": "every(5 minutes)", "not closed": "rate(5 minutes", "more behind it": "rate(5 minutes) ",
		"rate of zero": "rate(0 minutes)", "negative rate": "rate(-1 hours)", "rate without unit": "rate(5)", "rate of seconds": "rate(30 seconds)",
		"fraction of a rate": "rate(1.5 hours)", "rate beyond all": "rate(9223372036854775807 days)", "rate beyond int": "rate(99999999999999999999 days)",
		"at without time": "at(2026-01-01)", "at with zone": "at(2026-01-01T00:00:00Z)", "at with fraction": "at(2026-01-01T00:00:00.5)",
		"at on 30 February": "at(2026-02-30T00:00:00)", "at in the year 0": "at(0000-01-01T00:00:00)",
		"five fields": "cron(0 12 * * ?)", "seven fields": "cron(0 0 12 * * ? *)", "no question mark": "cron(0 12 * * * *)",
		"two question marks": "cron(0 12 ? * ? *)", "question mark elsewhere": "cron(? 12 * * ? *)",
		"minute 60": "cron(60 * * * ? *)", "hour 24": "cron(0 24 * * ? *)", "day 0": "cron(0 0 0 * ? *)", "day 32": "cron(0 0 32 * ? *)",
		"month 13": "cron(0 0 1 13 ? *)", "month name": "cron(0 0 1 JANUARY ? *)", "weekday 0": "cron(0 0 ? * 0 *)", "weekday 8": "cron(0 0 ? * 8 *)",
		"year 1969": "cron(0 0 1 1 ? 1969)", "year 2200": "cron(0 0 1 1 ? 2200)", "years backwards": "cron(0 0 1 1 ? 2030-2020)",
		"step 0": "cron(0/0 * * * ? *)", "step beyond": "cron(0/61 * * * ? *)", "empty item": "cron(0,,5 * * * ? *)", "half a range": "cron(5- * * * ? *)",
		"words": "cron(a b c d ? f)", "sixth Friday": "cron(0 0 ? * FRI#6 *)", "two nth days": "cron(0 0 ? * 3#1,6#3 *)", "32W": "cron(0 0 32W * ? *)",
		"L with a list": "cron(0 0 1,L * ? *)", "L too early": "cron(0 0 L-31 * ? *)", "a sign": "cron(+5 * * * ? *)",
	} {
		t.Run(name, func(t *testing.T) {
			s, err := Parse(expr)
			if _, ok := errors.AsType[*Error](err); !ok || !strings.HasPrefix(err.Error(), "Invalid schedule expression. Details: ") {
				t.Errorf("Parse(%q) = %+v, %v, want an Error", expr, s, err)
			}
		})
	}
}
