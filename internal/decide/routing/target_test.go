package routing_test

import (
	"path"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"neargate/internal/decide/routing"
	"neargate/internal/model"
)

func TestServing(t *testing.T) {
	rows := []struct {
		name     string
		states   string
		min      routing.Minimum
		want     []int
		failOpen bool
	}{
		{"nothing registered", "", routing.Minimum{}, nil, false},
		{"only the healthy", "healthy unhealthy initial healthy draining", routing.Minimum{}, []int{0, 3}, false},
		{"none healthy: all that are registered", "unhealthy initial draining", routing.Minimum{}, []int{0, 1}, true},
		{"only draining ones", "draining draining", routing.Minimum{}, nil, false},
		{"fewer healthy than asked for", "healthy unhealthy initial", routing.Minimum{Count: 2}, []int{0, 1, 2}, true},
		{"a smaller share healthy than asked for", "healthy unhealthy unhealthy", routing.Minimum{Percent: 50}, []int{0, 1, 2}, true},
		{"the share is reached", "healthy unhealthy draining", routing.Minimum{Percent: 50}, []int{0}, false},
	}
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			got, failOpen := routing.Serving(strings.Fields(r.states), r.min)
			if d := cmp.Diff(got, r.want); d != "" {
				t.Errorf("got -, want +:\n%s", d)
			}
			if failOpen != r.failOpen {
				t.Errorf("fail-open = %v", failOpen)
			}
		})
	}
}

// Requests that never end pile up evenly; equal targets take turns.
func TestPickLeastIsFair(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		loads := rapid.SliceOfN(rapid.IntRange(0, 9), 1, 30).Draw(t, "loads")
		turn := rapid.Uint64().Draw(t, "turn")
		index := make([]int, len(loads))
		for i := range index {
			index[i] = i
		}
		for range rapid.IntRange(1, 200).Draw(t, "requests") {
			i := routing.Pick(routing.LeastOutstanding, index, func(i int) int { return loads[i] }, turn, 0)
			for _, l := range loads {
				if l < loads[i] {
					t.Fatalf("picked a target with %d in flight, another has %d", loads[i], l)
				}
			}
			loads[i]++
			turn++
		}
	})
}

func TestPickTakesTurnsAmongIdle(t *testing.T) {
	idle := make([]int, 5)
	for _, a := range []routing.Algorithm{routing.LeastOutstanding, routing.RoundRobin} {
		took := make([]int, len(idle))
		for turn := range uint64(100) {
			took[routing.Pick(a, idle, load, turn, 0)]++
		}
		if d := cmp.Diff(took, []int{20, 20, 20, 20, 20}); d != "" {
			t.Errorf("algorithm %d: got -, want +:\n%s", a, d)
		}
	}
	if got := routing.Pick(routing.LeastOutstanding, nil, load, 7, 7); got != -1 {
		t.Errorf("picked %d of none", got)
	}
}

func TestWeighted(t *testing.T) {
	weights := []int{1, 0, 3}
	took := make([]int, 3)
	for draw := range uint64(400) {
		took[routing.Weighted(weights, load, draw)]++
	}
	if d := cmp.Diff(took, []int{100, 0, 300}); d != "" {
		t.Errorf("got -, want +:\n%s", d)
	}
	if got := routing.Weighted([]int{0, 0}, load, 5); got != -1 {
		t.Errorf("chose %d where all weights are 0", got)
	}
}

// The matcher agrees with the standard library's, whose "*" stops at slashes.
func TestPatternAgainstPathMatch(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := rapid.StringMatching(`[ab*?]{0,8}`).Draw(t, "pattern")
		s := rapid.StringMatching(`[ab]{0,12}`).Draw(t, "text")
		want, err := path.Match(p, s)
		if err != nil {
			t.Fatal(err)
		}
		table := routing.Compile([]model.Rule{{Conditions: values("path-pattern", p)}, {}}, parse)
		if got := table.Match(&routing.Request{Path: s}) == 0; got != want {
			t.Fatalf("%q against %q: %v, want %v", s, p, got, want)
		}
	})
}
