package report

import (
	"fmt"
	"math"
)

// scale puts values of a panel to heights.
type scale struct {
	top, height float64
	low, high   float64
	log         bool
	ticks       []float64
}

func newScale(p panel, top float64) scale {
	sc := scale{top: top, height: p.tall(), high: p.floor, log: p.log}
	for _, s := range p.series {
		for _, v := range s.values {
			if !math.IsNaN(v) {
				sc.low, sc.high = min(sc.low, v), max(sc.high, v)
			}
		}
	}
	if p.log {
		sc.decades(p)
		return sc
	}
	step := niceStep((sc.high - sc.low) / (p.tall() / 30))
	sc.low = math.Floor(sc.low/step+1e-9) * step
	sc.high = math.Ceil(sc.high/step-1e-9) * step
	for v := sc.low; v <= sc.high+step/2; v += step {
		sc.ticks = append(sc.ticks, v)
	}
	return sc
}

// decades returns a logarithmic scale that begins at the decade of the least
// value, at 1 or above.
func (sc *scale) decades(p panel) {
	least := sc.high
	for _, s := range p.series {
		for _, v := range s.values {
			if v >= 1 {
				least = min(least, v)
			}
		}
	}
	bottom := math.Floor(math.Log10(max(least, 1)) + 1e-9)
	top := max(math.Ceil(math.Log10(max(sc.high, 1))-1e-9), bottom+1)
	sc.low, sc.high = math.Pow(10, bottom), math.Pow(10, top)
	for d := bottom; d <= top; d++ {
		sc.ticks = append(sc.ticks, math.Pow(10, d))
	}
}

// y is the height of a value; on a logarithmic scale all below it are at its foot.
func (sc scale) y(v float64) float64 {
	share := (v - sc.low) / (sc.high - sc.low)
	if sc.log {
		share = math.Log10(max(v, sc.low)/sc.low) / math.Log10(sc.high/sc.low)
	}
	return sc.top + sc.height*(1-share)
}

// niceStep returns 1, 2 or 5 times a power of ten, at least as big as x.
func niceStep(x float64) float64 {
	p := math.Pow(10, math.Floor(math.Log10(max(x, 1e-9))))
	for _, m := range []float64{1, 2, 5} {
		if x <= m*p*(1+1e-9) {
			return max(m*p, 1)
		}
	}
	return max(10*p, 1)
}

// niceTime returns a step of whole seconds, minutes, hours or days, at least x seconds.
func niceTime(x float64) float64 {
	for _, s := range []float64{5, 10, 15, 30, 60, 120, 300, 600, 1800, 3600, 7200, 4 * 3600, 12 * 3600} {
		if x <= s {
			return s
		}
	}
	return math.Ceil(x/86400) * 86400
}

// moment is a time on the axis of a run of so many seconds.
func moment(total, s float64) string {
	if total >= 2*3600 {
		return fmt.Sprintf("%d:%02d h", int(s)/3600, int(s)%3600/60)
	}
	return fmt.Sprintf("%d:%02d", int(s)/60, int(s)%60)
}

func number(v float64) string {
	if math.Abs(v) >= 10000 {
		return fmt.Sprintf("%.0fk", v/1000)
	}
	return fmt.Sprintf("%.0f", v)
}
