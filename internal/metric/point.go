package metric

import (
	"cmp"
	"math"
	"slices"

	"neargate/internal/model"
)

// point is what was measured in one step of time.
type point struct {
	at       int64 // start of the step, Unix seconds
	n        float64
	sum      float64
	min, max float64 // mean nothing while n is 0
	// bins is the distribution, ordered by key; its counts add up to n. It is
	// nil when the other fields imply it: all values equal, or just two.
	bins []bin
	// blind says that values were merged before they came here, so that
	// their distribution is not known.
	blind bool
}

// pointOf returns the point of a datum: of its values, of its statistic set, or,
// when it has both, of the values with the set's exact sum.
func pointOf(d model.Datum) point {
	p := point{}
	if len(d.Values) > 0 {
		p = valuesPoint(d.Values, d.Counts)
	}
	if s := d.Stats; s != nil {
		known := len(d.Values) > 0 || s.SampleCount <= 1 || s.Minimum == s.Maximum
		p = point{n: s.SampleCount, sum: s.Sum, min: s.Minimum, max: s.Maximum, bins: p.bins, blind: !known}
	}
	return p
}

func valuesPoint(values, counts []float64) point {
	p := point{min: math.Inf(1), max: math.Inf(-1)}
	bins := make([]bin, 0, len(values))
	for i, v := range values {
		n := 1.0
		if counts != nil {
			n = counts[i]
		}
		if n == 0 {
			continue
		}
		p.n += n
		p.sum += n * v
		p.min, p.max = min(p.min, v), max(p.max, v)
		bins = append(bins, bin{binKey(v), n})
	}
	if p.n == 0 { // counted none: a zero that is known
		return point{}
	}
	slices.SortFunc(bins, func(a, b bin) int { return cmp.Compare(a.key, b.key) })
	kept := bins[:0]
	for _, b := range bins {
		if last := len(kept) - 1; last >= 0 && kept[last].key == b.key {
			kept[last].count += b.count
			continue
		}
		kept = append(kept, b)
	}
	p.bins = kept
	p.compact()
	return p
}

// dist returns the distribution; nil for a blind point.
func (p point) dist() []bin {
	switch {
	case p.blind || p.n == 0:
		return nil
	case p.bins != nil:
		return p.bins
	case p.min == p.max:
		return []bin{{binKey(p.min), p.n}}
	}
	lo, hi := binKey(p.min), binKey(p.max)
	if lo == hi {
		return []bin{{lo, p.n}}
	}
	return []bin{{lo, p.n / 2}, {hi, p.n / 2}}
}

// compact drops bins that the other fields imply.
func (p *point) compact() {
	if p.blind || p.n == 0 || p.min == p.max {
		p.bins = nil
		return
	}
	implied := point{n: p.n, min: p.min, max: p.max}
	if p.n <= 2 && slices.Equal(p.bins, implied.dist()) {
		p.bins = nil
	}
}

// add merges q into p; p keeps its time.
func (p *point) add(q point) {
	switch {
	case q.n == 0:
		return
	case p.n == 0:
		at := p.at
		*p = q
		p.at = at
		return
	}
	blind := p.blind || q.blind
	var bins []bin
	if !blind {
		bins = addBins(p.dist(), q.dist())
	}
	p.n += q.n
	p.sum += q.sum
	p.min, p.max = min(p.min, q.min), max(p.max, q.max)
	p.bins, p.blind = bins, blind
	p.compact()
}

// scaled returns p with each value counted 1/by times.
func (p point) scaled(by float64) point {
	if by == 1 {
		return p
	}
	bins := p.dist()
	p.n /= by
	p.sum /= by
	if bins != nil {
		p.bins = slices.Clone(bins)
		for i := range p.bins {
			p.bins[i].count /= by
		}
		p.compact()
	}
	return p
}

// percentile returns the value below or at which percent of the values lie.
func (p point) percentile(percent float64) (float64, bool) {
	if p.blind {
		return 0, false
	}
	if p.n == 0 || p.min == p.max {
		return p.min, true
	}
	if percent <= 0 {
		return p.min, true
	}
	if percent >= 100 {
		return p.max, true
	}
	want := percent / 100 * p.n
	seen := 0.0
	for _, b := range p.dist() {
		seen += b.count
		// Scaled counts add up only nearly.
		if seen >= want*(1-1e-9) {
			return max(p.min, min(binValue(b.key), p.max)), true
		}
	}
	return p.max, true
}
