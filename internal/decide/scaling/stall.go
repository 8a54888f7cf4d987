package scaling

import (
	"math"
	"time"
)

// A stall holds work up: for a second or some, callers wait, the machine or the
// network pauses. What was held up comes at once when the stall is over. That
// is a burst, but no more load than before, so a burst fills the stall before
// it first: the sums over all windows that hold both stay what they are.

// How long ago a stall may have begun, and how far back the usual load is read.
const (
	longestStall = 8
	usualSpan    = 30 * time.Second
)

// stallProof is how sure a stall must be, in nats: at the usual load the chance
// of so little is e^-9.
const stallProof = 9

// fillStall moves what the newest second has above the usual into stalled
// seconds right before it. The grains are the variance over mean of arrivals
// and of CPU.
func (h *History) fillStall(arrivalGrain, cpuGrain float64) {
	if h.Len <= longestStall+1 {
		return
	}
	for i, x := range h.held(&evidence{grain: arrivalGrain, each: 1}) {
		h.Buckets[i].Arrivals += int64(x)
		h.Buckets[0].Arrivals -= int64(x)
	}
	for i, x := range h.held(&evidence{grain: cpuGrain}) {
		work := time.Duration(x * float64(time.Second))
		h.Buckets[i].CPULow += work
		h.Buckets[i].CPUHigh += work
		h.Buckets[0].CPULow -= work
		h.Buckets[0].CPUHigh -= work
	}
}

// held is how much of the newest second's work each second before it held up,
// by the usual rate. Work is known between two bounds: what starting tasks may
// have used neither hides a stall nor makes one.
func (h *History) held(e *evidence) (moved [longestStall + 1]float64) {
	var before Bucket
	for i := longestStall + 1; i < h.Len && before.Span < usualSpan; i++ {
		before.add(&h.Buckets[i])
	}
	usual, _ := e.rough(&before)
	usual /= before.Span.Seconds()
	excess, _ := e.rough(&h.Buckets[0])
	excess -= usual * h.Buckets[0].Span.Seconds()
	if excess <= 0 {
		return moved
	}
	stalled, has, mean := 0, 0.0, 0.0
	for i := 1; i <= longestStall; i++ {
		_, high := e.rough(&h.Buckets[i])
		has += high / e.grain
		mean += usual * h.Buckets[i].Span.Seconds() / e.grain
		if tooFew(has, mean) >= stallProof || h.Buckets[i].Stalled {
			stalled = i
		}
	}
	for i := 1; i <= stalled; i++ {
		_, high := e.rough(&h.Buckets[i])
		h.Buckets[i].Stalled = true // what follows it may take some seconds
		moved[i] = min(max(0, usual*h.Buckets[i].Span.Seconds()-high), excess)
		excess -= moved[i]
	}
	return moved
}

// rough is the work of a bucket, whether or not it goes on.
func (e *evidence) rough(b *Bucket) (low, high float64) {
	if e.each > 0 {
		x := float64(b.Arrivals) * e.each
		return x, x
	}
	return float64(b.CPULow) / 1e9, float64(b.CPUHigh) / 1e9
}

// tooFew is how unlikely it is, in nats, that no more than n events come where
// mean are expected.
func tooFew(n, mean float64) float64 {
	switch {
	case n >= mean:
		return 0
	case n <= 0:
		return mean
	}
	return mean - n + n*math.Log(n/mean)
}
