package traffic

import (
	"math"
	"time"
)

// Rates returns the rate in each second. draw gives numbers evenly spread from 0
// to 1; mmpp alone asks for them.
func (p Pattern) Rates(draw func() float64) []float64 {
	out := make([]float64, int(math.Ceil(p.Length().Seconds()-1e-9)))
	level := p.level()
	if p.kind == "mmpp" {
		level = p.modulated(draw)
	}
	for i := range out {
		out[i] = level(float64(i) + 0.5)
	}
	return out
}

// level returns the rate at a time in seconds.
func (p Pattern) level() func(t float64) float64 {
	low, high := p.rates["low"], p.rates["high"]
	s := func(key string) float64 { return p.times[key].Seconds() }
	pick := func(on bool) float64 {
		if on {
			return high
		}
		return low
	}
	switch p.kind {
	case "stages":
		return func(t float64) float64 { return p.stages.At(time.Duration(t * float64(time.Second))) }
	case "ramp":
		return func(t float64) float64 { return low + (high-low)*min(t/max(s("over"), 1e-9), 1) }
	case "step":
		return func(t float64) float64 { return pick(t >= s("at")) }
	case "spike":
		return func(t float64) float64 {
			since := t - s("at")
			if every := s("every"); every > 0 && since >= 0 {
				since = math.Mod(since, every)
			}
			return pick(since >= 0 && since < s("width"))
		}
	case "sine":
		return func(t float64) float64 { return low + (high-low)*(1-math.Cos(2*math.Pi*t/s("period")))/2 }
	case "onoff":
		return func(t float64) float64 { return pick(math.Mod(t, s("on")+s("off")) >= s("off")) }
	case "flash":
		return func(t float64) float64 {
			since := t - s("at")
			switch over := s("over"); {
			case since < 0:
				return low
			case since < over:
				return low + (high-low)*since/over
			default:
				return low + (high-low)*math.Exp(-(since-over)/max(s("decay"), 1e-9))
			}
		}
	}
	return func(float64) float64 { return high }
}

// modulated returns the level of a process that stays in each of two states for
// an exponential time. It is asked for rising times only.
func (p Pattern) modulated(draw func() float64) func(t float64) float64 {
	on, end := true, 0.0
	next := func() {
		on = !on
		mean := p.times["off"].Seconds()
		if on {
			mean = p.times["on"].Seconds()
		}
		end -= mean * math.Log(1-draw())
	}
	next()
	return func(t float64) float64 {
		for t >= end {
			next()
		}
		if on {
			return p.rates["high"]
		}
		return p.rates["low"]
	}
}
