package scaling

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

// constantRates are the rates held for a day: the edges between two counts,
// where noise tempts most, and what lies beside them. NEARGATE_LONG=1 takes
// every rate on a grid of 0.5 from 5 to 85.
func constantRates() []float64 {
	if os.Getenv("NEARGATE_LONG") == "" {
		return []float64{10, 40.5, 79.5}
	}
	var all []float64
	for r := 5.0; r <= 85; r += 0.5 {
		all = append(all, r)
	}
	return all
}

// A day of constant Poisson load: at most one action once the first ten
// minutes have found the count.
func TestConstantLoadMovesNothing(t *testing.T) {
	for _, rate := range constantRates() {
		t.Run(fmt.Sprint(rate), func(t *testing.T) {
			p := newPlant(uint64(rate*10), live(2, 20, cpuPolicy(50)), 2)
			p.run(600, constant(rate))
			first := p.actions
			if first > 5 {
				t.Errorf("%d actions to find the count, want at most 5:\n%s", first, p.text())
			}
			p.run(86400, constant(rate))
			if got := p.actions - first; got > 1 {
				t.Errorf("%d actions in a day of constant load, want at most 1:\n%s", got, strings.Join(p.trace[first:], "\n"))
			}
		})
	}
}
