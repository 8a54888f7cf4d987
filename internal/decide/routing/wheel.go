package routing

// Wheel picks among targets of different weight in constant time, by Walker's
// alias method: each place is shared by at most two targets. It is immutable.
type Wheel struct {
	weights []float64
	keep    []float64 // the part of a place that is its own target's
	alias   []int     // whose the rest is
}

// NewWheel makes a wheel of weights from 0 to 1; nil when all are 1, or all are 0:
// then every target is as good as another.
func NewWheel(weights []float64) *Wheel {
	total, even := 0.0, true
	for _, w := range weights {
		total += w
		even = even && w == 1
	}
	if even || total <= 0 {
		return nil
	}
	n := len(weights)
	w := &Wheel{weights: weights, keep: make([]float64, n), alias: make([]int, n)}
	var small, large []int
	for i, v := range weights {
		w.keep[i], w.alias[i] = v*float64(n)/total, i
		if w.keep[i] < 1 {
			small = append(small, i)
		} else {
			large = append(large, i)
		}
	}
	for len(small) > 0 && len(large) > 0 {
		s, l := small[len(small)-1], large[len(large)-1]
		small = small[:len(small)-1]
		w.alias[s] = l
		if w.keep[l] -= 1 - w.keep[s]; w.keep[l] < 1 {
			large = large[:len(large)-1]
			small = append(small, l)
		}
	}
	for _, i := range append(small, large...) { // 1 but for rounding
		w.keep[i] = 1
	}
	return w
}

// Pick returns the index of a target by weight, from a random draw.
func (w *Wheel) Pick(draw uint64) int {
	n := uint64(len(w.keep))
	i := draw >> 32 * n >> 32
	if float64(uint32(draw)) < w.keep[i]*(1<<32) { //nolint:gosec // the lower half of the draw
		return int(i) //nolint:gosec // an index
	}
	return w.alias[i]
}

// Takes reports whether the target whose turn it is takes it, from a random draw;
// one of less than full weight passes on a part of its turns.
func (w *Wheel) Takes(i int, draw uint64) bool {
	return float64(draw>>11) < w.weights[i]*(1<<53)
}
