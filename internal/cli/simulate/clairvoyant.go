package simulate

import (
	"math"

	"neargate/internal/model"
	"neargate/internal/sim"
)

// script gives a count for each second.
type script []int

// Second is a Scaler's.
func (s script) Second(x model.ServiceSecond) (int, string) {
	return s[min(int(x.At.Unix()), len(s)-1)], "" // At is the second's end: the next one's index
}

func optimum(p *plan) float64 { return sim.Optimum(p.need, p.Start.Seconds(), p.first()) }

// first is how many tasks run at the beginning: what the first second needs.
func (p *plan) first() int { return p.need[0] }

// clairvoyant has each task ordered a start-up time before it is needed, and
// keeps it where that costs no more than to start another.
func (p *plan) clairvoyant(initial int) sim.Scaler {
	start := int(math.Ceil(p.Start.Seconds()))
	out := make(script, len(p.need))
	for k := 1; k <= p.hi; k++ {
		end := 0 // where the k-th task has been until
		if k > initial {
			end = -start - 1 // before all: no gap to keep it over
		}
		for i, n := range p.need {
			if n < k {
				continue
			}
			from := max(i-start, end) // a short gap is kept
			for j := max(from, 0); j <= i; j++ {
				out[j] = max(out[j], k)
			}
			end = i + 1
		}
	}
	return out
}
