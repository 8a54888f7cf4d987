package schedule

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"neargate/internal/model"
)

func TestAgendaKeepsTheOrderOfTimesAndNames(t *testing.T) {
	now := moment(t, "2026-05-01T12:00:30Z")
	entry := func(name, expr string) Entry {
		act := model.ScheduledAction{ResourceID: "service/c/web", Name: name, Schedule: expr, ChangedAt: now.Add(-time.Hour)}
		p, err := Of(act, time.UTC)
		if err != nil {
			t.Fatal(err)
		}
		return Entry{act, p}
	}
	done := entry("a: done", "cron(0 * * * ? *)")
	done.Action.Done = moment(t, "2026-05-01T12:00:00Z")
	due, next := Agenda([]Entry{
		entry("c", "cron(0 * * * ? *)"), entry("b", "cron(0 12 * * ? *)"), done,
		entry("later by name, earlier by time", "at(2026-05-01T11:59:45)"), entry("not yet", "at(2026-05-01T12:20:00)"),
	}, now)
	var got []string
	for _, r := range due {
		got = append(got, r.At.Format(time.TimeOnly)+" "+r.Action.Name)
	}
	want := []string{"11:59:45 later by name, earlier by time", "12:00:00 b", "12:00:00 c"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if want := moment(t, "2026-05-01T12:20:00Z"); !next.Equal(want) {
		t.Errorf("next = %s, want %s", next, want)
	}
}

func TestBounds(t *testing.T) {
	n := func(v int) *int { return &v }
	for _, c := range []struct {
		name      string
		min, max  *int
		low, high int
		ok        bool
		words     string
	}{
		{"both", n(0), n(4), 0, 4, true, "min capacity to 0 and max capacity to 4"},
		{"minimum alone", n(10), nil, 10, 10, true, "min capacity to 10"},
		{"maximum alone", nil, n(2), 2, 2, true, "max capacity to 2"},
		{"minimum above the present maximum", n(11), nil, 11, 10, false, "min capacity to 11"},
		{"maximum below the present minimum", nil, n(1), 2, 1, false, "max capacity to 1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			act := model.ScheduledAction{Min: c.min, Max: c.max}
			low, high, ok := Bounds(act, 2, 10)
			if low != c.low || high != c.high || ok != c.ok || Words(act) != c.words {
				t.Errorf("Bounds = %d, %d, %v, %q", low, high, ok, Words(act))
			}
		})
	}
}
