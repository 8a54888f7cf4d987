package schedule

import (
	"testing"
	"time"
)

func TestRest(t *testing.T) {
	now := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	if !(Rest{}).Over(now) {
		t.Error("the zero rest is not over")
	}
	for _, row := range []struct {
		name string
		next time.Time
		at   time.Time
		over bool
	}{
		{"before the next run", now.Add(time.Minute), now.Add(59 * time.Second), false},
		{"at the next run", now.Add(time.Minute), now.Add(time.Minute), true},
		{"no run to come", time.Time{}, now.Add(59 * time.Minute), false},
		{"no run to come, for long", time.Time{}, now.Add(time.Hour), true},
		{"a run far away, for long", now.Add(24 * time.Hour), now.Add(time.Hour), true},
		{"the clock went back", now.Add(time.Minute), now.Add(-time.Second), true},
	} {
		if got := RestAfter(now, row.next).Over(row.at); got != row.over {
			t.Errorf("%s: over is %v, want %v", row.name, got, row.over)
		}
	}
}
