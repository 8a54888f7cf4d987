package routing_test

import (
	"testing"

	"neargate/internal/decide/routing"
)

func TestUnready(t *testing.T) {
	for _, tc := range []struct {
		states []string
		want   bool
	}{
		{nil, true},
		{[]string{"draining"}, true},
		{[]string{"unused"}, true},
		{[]string{"initial"}, true},
		{[]string{"initial", "unhealthy"}, true},
		{[]string{"unhealthy"}, false}, // who is not healthy gets all, as on AWS
		{[]string{"unavailable", "draining"}, false},
		{[]string{"healthy", "initial"}, false},
		{[]string{"draining", "healthy"}, false},
	} {
		if got := routing.Unready(tc.states); got != tc.want {
			t.Errorf("%q: unready %v", tc.states, got)
		}
	}
}
