package alarm

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"neargate/internal/decide/expression"
	"neargate/internal/model"
)

func TestWindowEndsAtTheLastTurn(t *testing.T) {
	now := time.Date(2026, 5, 1, 12, 34, 56, 789, time.UTC)
	for _, row := range []struct{ period, end, start time.Duration }{
		{time.Minute, 34 * time.Minute, 29 * time.Minute},
		{5 * time.Minute, 34 * time.Minute, 9 * time.Minute},
		{20 * time.Second, 34*time.Minute + 50*time.Second, 33*time.Minute + 10*time.Second},
	} {
		a := model.Alarm{Period: row.period, EvaluationPeriods: 3}
		hour := now.Truncate(time.Hour)
		want := expression.Window{Start: hour.Add(row.start), End: hour.Add(row.end), Period: row.period}
		if diff := cmp.Diff(want, Window(a, now)); diff != "" {
			t.Errorf("period %s (-want +got):\n%s", row.period, diff)
		}
	}
}

func TestFill(t *testing.T) {
	start := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	w := expression.Window{Start: start, End: start.Add(3 * time.Minute), Period: time.Minute}
	points := Points(w)
	Fill(points, w, []expression.Point{
		{At: start.Add(-time.Minute), Value: 1}, {At: start.Add(time.Minute), Value: 2}, {At: start.Add(3 * time.Minute), Value: 3},
	})
	want := []Point{
		{At: start, Missing: true}, {At: start.Add(time.Minute), Value: 2}, {At: start.Add(2 * time.Minute), Missing: true},
	}
	if diff := cmp.Diff(want, points); diff != "" {
		t.Errorf("points (-want +got):\n%s", diff)
	}
}
