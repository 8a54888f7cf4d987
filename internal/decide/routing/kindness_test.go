package routing_test

import (
	"testing"

	"neargate/internal/decide/routing"
)

func TestKindness(t *testing.T) {
	seen := map[string]bool{}
	for k := routing.NoKindness + 1; k < routing.Kindnesses; k++ {
		if s := k.Would(); s < 502 || s > 504 || k.String() == "" || seen[k.String()] {
			t.Errorf("%d: %q would have been %d", k, k, s)
		}
		seen[k.String()] = true
		if routing.NoKindness.Then(k) != k || k.Then(routing.FirstTask) != k {
			t.Errorf("%v: not the first one counts", k)
		}
		if k.Counts(true) != k || k.Counts(false) != routing.NoKindness {
			t.Errorf("%v: counts whatever came of it", k)
		}
	}
}
