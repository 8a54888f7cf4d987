package renewal_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"neargate/internal/decide/renewal"
)

const day = 24 * time.Hour

func TestDecide(t *testing.T) {
	now := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	issued := func(ago, life time.Duration) renewal.State {
		return renewal.State{NotBefore: now.Add(-ago), NotAfter: now.Add(life - ago), InUse: true}
	}
	failed := func(s renewal.State, failures int, ago time.Duration) renewal.State {
		s.Failures, s.FailedAt = failures, now.Add(-ago)
		return s
	}
	asked := issued(day, 198*day)
	asked.Asked, asked.InUse = true, false
	unused := issued(197*day, 198*day)
	unused.InUse = false
	for name, row := range map[string]struct {
		state renewal.State
		want  renewal.Decision
	}{
		"just requested":               {renewal.State{Requested: now}, renewal.Order},
		"never validated":              {renewal.State{Requested: now.Add(-72 * time.Hour)}, renewal.Lapse},
		"failed a moment ago":          {failed(renewal.State{Requested: now.Add(-time.Hour)}, 1, 59*time.Second), renewal.Wait},
		"failed a minute ago":          {failed(renewal.State{Requested: now.Add(-time.Hour)}, 1, time.Minute), renewal.Order},
		"failed three times":           {failed(renewal.State{Requested: now.Add(-time.Hour)}, 3, 3*time.Minute), renewal.Wait},
		"failed a thousand times":      {failed(renewal.State{Requested: now.Add(-day)}, 1000, 12*time.Hour), renewal.Order},
		"new":                          {issued(day, 198*day), renewal.Wait},
		"61 days left":                 {issued(137*day, 198*day), renewal.Wait},
		"60 days left":                 {issued(138*day, 198*day), renewal.Order},
		"of 90 days with 31 left":      {issued(59*day, 90*day), renewal.Wait},
		"of 90 days with 30 left":      {issued(60*day, 90*day), renewal.Order},
		"of six days with two left":    {issued(4*day, 6*day), renewal.Order},
		"expired":                      {issued(199*day, 198*day), renewal.Order},
		"asked for":                    {asked, renewal.Order},
		"in nobody's use":              {unused, renewal.Wait},
		"due, and failed a moment ago": {failed(issued(150*day, 198*day), 1, time.Second), renewal.Wait},
	} {
		if got := row.state.Decide(now); got != row.want {
			t.Errorf("%s: got %v, want %v", name, got, row.want)
		}
	}
}

// However often orders fail, the next one comes within twelve hours, and what is in
// use is ordered before it ends.
func TestOrdersGoOn(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		now := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
		s := renewal.State{
			NotBefore: now, NotAfter: now.Add(time.Duration(rapid.IntRange(1, 9000).Draw(t, "hours")) * time.Hour), InUse: true,
			Failures: rapid.IntRange(0, 1<<30).Draw(t, "failures"),
		}
		if due := s.Due(); !due.Before(s.NotAfter) || due.Before(s.NotBefore) {
			t.Fatalf("due at %v of %v to %v", due, s.NotBefore, s.NotAfter)
		}
		s.FailedAt = s.Due()
		if got := s.Decide(s.FailedAt.Add(12 * time.Hour)); got != renewal.Order {
			t.Fatalf("got %v", got)
		}
	})
}
