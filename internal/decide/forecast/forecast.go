// Package forecast foretells the hourly load of a service from its past, and
// the tasks it will need: what predictive scaling policies rest on. It is pure;
// the past comes in as numbers by the minute or hour.
//
// A forecast is a profile times a level. The profile is what each hour of a day
// (or of a week, or of working days and weekends) usually has: the median, so
// that one spike day does not come back. The level says how the last days lie
// to their profile, flat or with a damped trend. Which profile and which level
// is chosen by trying all of them on the past: each is asked for the days that
// are known already, seeing only what was before them. The error of the best is
// kept with the forecast, as the share of the load by which it was off, and one
// that was off by too much, or could not be tried, is no ground for a decision.
package forecast

import (
	"math"
	"time"
)

// Hours of the past that are used, at least and at most, and of the future that
// are foretold: Application Auto Scaling's own.
const (
	LeastPast = 24
	MostPast  = 14 * 24
	Ahead     = 48
)

// unknown stands for an hour without data.
var unknown = math.NaN() //nolint:gochecknoglobals // a constant, which Go cannot declare as one

// Series is a value for each hour from Start on, which is on the hour. NaN is an
// hour without data.
type Series struct {
	Start  time.Time
	Values []float64
}

// End is the start of the hour after the last.
func (s Series) End() time.Time { return s.Start.Add(time.Duration(len(s.Values)) * time.Hour) }

// Forecast is what Make comes to.
type Forecast struct {
	Series
	Method string
	// Error is how far the method was off when it was tried on the past: the
	// sum of all differences as a share of the load; NaN when there was too
	// little past to try it.
	Error float64
}

// mostError is the largest error of a forecast that is worth following: beyond
// it, the forecast has missed as much as it has hit.
const mostError = 0.5

// Trusted reports whether the forecast is a ground for decisions.
func (f Forecast) Trusted() bool { return f.Error <= mostError } // false for NaN

// Make foretells the Ahead hours after the past. ok is false with fewer than
// LeastPast hours of data in the last MostPast; what is no finite number from 0
// up counts as no data.
func Make(past Series) (f Forecast, ok bool) {
	past = past.clean()
	if known(past.Values) < LeastPast {
		return Forecast{}, false
	}
	best, err := choose(past)
	values := make([]float64, Ahead)
	best.fill(past, values)
	return Forecast{Series: Series{Start: past.End(), Values: values}, Method: best.String(), Error: err}, true
}

// wildest is beyond every load that is meant: sums of it stay finite.
const wildest = 1e100

// clean returns the last MostPast hours with only sound numbers, from the first
// that has one.
func (s Series) clean() Series {
	skip := max(0, len(s.Values)-MostPast)
	out := Series{Start: s.Start.Add(time.Duration(skip) * time.Hour), Values: make([]float64, len(s.Values)-skip)}
	for i, v := range s.Values[skip:] {
		if !(v >= 0 && v < wildest) {
			v = unknown
		}
		out.Values[i] = v
	}
	for len(out.Values) > 0 && math.IsNaN(out.Values[0]) {
		out.Start, out.Values = out.Start.Add(time.Hour), out.Values[1:]
	}
	return out
}

// until returns the first n hours.
func (s Series) until(n int) Series { return Series{Start: s.Start, Values: s.Values[:n]} }

func known(values []float64) (n int) {
	for _, v := range values {
		if !math.IsNaN(v) {
			n++
		}
	}
	return n
}
