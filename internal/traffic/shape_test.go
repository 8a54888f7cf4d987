package traffic_test

import (
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"

	"neargate/internal/traffic"
)

func TestShapeLevels(t *testing.T) {
	s := traffic.RampHold(50, 10*time.Second, 20*time.Second)
	for _, row := range []struct {
		name  string
		at    time.Duration
		level float64
		users int
	}{
		{"before the start", -time.Second, 0, 0},
		{"at the start", 0, 0, 0},
		{"just begun", time.Millisecond, 0.005, 1},
		{"half up", 5 * time.Second, 25, 25},
		{"between two users", 5100 * time.Millisecond, 25.5, 26},
		{"at the top", 10 * time.Second, 50, 50},
		{"held", 29 * time.Second, 50, 50},
		{"over", 30 * time.Second, 0, 0},
	} {
		t.Run(row.name, func(t *testing.T) {
			if got := s.At(row.at); math.Abs(got-row.level) > 1e-9 {
				t.Errorf("At(%v) = %v, want %v", row.at, got, row.level)
			}
			if got := s.Users(row.at); got != row.users {
				t.Errorf("Users(%v) = %d, want %d", row.at, got, row.users)
			}
		})
	}
	if got := s.Count(30 * time.Second); got != 50*5+50*20 {
		t.Errorf("Count of the whole = %v, want 1250", got)
	}
	if got := s.Length(); got != 30*time.Second {
		t.Errorf("Length = %v", got)
	}
}

func TestValidateNamesTheStage(t *testing.T) {
	for name, s := range map[string]traffic.Shape{
		"negative time":  {{For: -1}},
		"negative level": {{For: 1, To: -2}},
		"no number":      {{For: 1, From: math.NaN()}},
		"infinite":       {{For: 1, To: math.Inf(1)}},
	} {
		if err := s.Validate(); err == nil {
			t.Errorf("%s: Validate passed", name)
		}
	}
	if err := traffic.RampHold(3, time.Second, 0).Validate(); err != nil {
		t.Error(err)
	}
}

func shapes() *rapid.Generator[traffic.Shape] {
	stage := rapid.Custom(func(t *rapid.T) traffic.Stage {
		return traffic.Stage{
			For:  time.Duration(rapid.IntRange(1, 100_000).Draw(t, "ms")) * time.Millisecond,
			From: float64(rapid.IntRange(0, 60).Draw(t, "from")),
			To:   float64(rapid.IntRange(0, 60).Draw(t, "to")),
		}
	})
	return rapid.Custom(func(t *rapid.T) traffic.Shape { return rapid.SliceOfN(stage, 1, 5).Draw(t, "stages") })
}

func TestDueIsTheInverseOfCount(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := shapes().Draw(t, "shape")
		total := s.Count(s.Length())
		n := rapid.Float64Range(0, 1).Draw(t, "share") * total
		at, ok := s.Due(n)
		if !ok {
			if n < total*(1-1e-9) {
				t.Fatalf("Due(%v) says the shape ends before; its count is %v", n, total)
			}
			return
		}
		if back := s.Count(at); math.Abs(back-n) > 1e-4*max(1, n) {
			t.Fatalf("Count(Due(%v)) = %v", n, back)
		}
	})
}

func TestUserChangeMissesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := shapes().Draw(t, "shape")
		at := time.Duration(0)
		for range 2000 {
			next, ok := s.UserChange(at)
			if !ok {
				return
			}
			if next <= at {
				t.Fatalf("UserChange(%v) = %v does not move on", at, next)
			}
			// Between at and next the number of users must be one of the two ends'.
			mid := at + (next-at)/2
			a, m, b := s.Users(at+1), s.Users(mid), s.Users(next-1)
			if m < min(a, b)-1 || m > max(a, b)+1 {
				t.Fatalf("between %v and %v users go %d, %d, %d", at, next, a, m, b)
			}
			at = next
		}
	})
}
