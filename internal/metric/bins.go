package metric

import "math"

// Values are counted in bins whose borders are the powers of binGrowth, as in
// DDSketch: a value differs from the middle of its bin by at most 1 %, and two
// histograms are added by adding the counts of equal keys.
const (
	binGrowth = 1.02
	logGrowth = 0.019802627296179712 // ln 1.02
	// binOffset makes the keys of positive values positive down to 2^-360,
	// the smallest magnitude CloudWatch takes; anything smaller counts as 0.
	binOffset = 13000
)

// bin is how many values fell near one value. Keys order as values do; 0 is
// the value 0.
type bin struct {
	key   int32
	count float64
}

func binKey(v float64) int32 {
	if v == 0 {
		return 0
	}
	i := math.Ceil(math.Log(math.Abs(v)) / logGrowth)
	key := int32(max(0, min(i+binOffset, 2*binOffset)))
	if v < 0 {
		return -key
	}
	return key
}

func binValue(key int32) float64 {
	if key == 0 {
		return 0
	}
	sign := 1.0
	if key < 0 {
		sign, key = -1, -key
	}
	// The middle in the sense of equal relative distance to both borders.
	return sign * 2 * math.Pow(binGrowth, float64(key-binOffset)) / (binGrowth + 1)
}

// addBins merges two histograms into a new one; both are ordered by key.
func addBins(a, b []bin) []bin {
	out := make([]bin, 0, len(a)+len(b))
	for len(a) > 0 && len(b) > 0 {
		switch {
		case a[0].key < b[0].key:
			out, a = append(out, a[0]), a[1:]
		case a[0].key > b[0].key:
			out, b = append(out, b[0]), b[1:]
		default:
			out = append(out, bin{a[0].key, a[0].count + b[0].count})
			a, b = a[1:], b[1:]
		}
	}
	return append(append(out, a...), b...)
}
