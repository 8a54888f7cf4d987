package traffic

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
)

// Limits on what ParseTrace takes. A caller that reads a file need not read
// more than MaxTraceBytes+1.
const (
	MaxTraceBytes  = 64 << 20
	MaxTraceLength = 31 * 24 * time.Hour

	maxIntervals = 8 << 20
	maxLineBytes = 1 << 10
	maxRate      = 1e9 // requests per second
)

// Trace is a recorded load.
type Trace struct {
	// First is the time of the first interval; zero when the record has no
	// dates.
	First time.Time
	// Step is the interval of the record.
	Step time.Duration
	// Rates is the mean rate of each interval, requests per second.
	Rates []float64
	// Unit says what was read: the name of the column, or "".
	Unit string
	// Filled is how many intervals were missing and have been filled.
	Filled int
}

// Length is how long the record is.
func (t Trace) Length() time.Duration { return time.Duration(len(t.Rates)) * t.Step }

// Seconds is the rate in each second. A record by the minute gives its value
// in the middle of the minute and a straight line between: held flat, each
// minute would begin with a step that no real load had, and a scaler would be
// judged by it. A finer record is averaged over each second.
func (t Trace) Seconds() []float64 {
	if t.Step == time.Second {
		return slices.Clone(t.Rates)
	}
	n := int(math.Ceil(t.Length().Seconds() - 1e-9))
	out := make([]float64, n)
	for i := range out {
		if t.Step > time.Second {
			out[i] = t.between(float64(i) + 0.5)
		} else {
			out[i] = t.mean(float64(i), float64(i+1))
		}
	}
	return out
}

// between is the level at x seconds on the line through the intervals' middles.
func (t Trace) between(x float64) float64 {
	at := x/t.Step.Seconds() - 0.5
	i := int(math.Floor(at))
	switch {
	case i < 0:
		return t.Rates[0]
	case i+1 >= len(t.Rates):
		return t.Rates[len(t.Rates)-1]
	}
	share := at - float64(i)
	return t.Rates[i]*(1-share) + t.Rates[i+1]*share
}

// mean is the mean level from a to b seconds, intervals held flat.
func (t Trace) mean(a, b float64) float64 {
	step := t.Step.Seconds()
	b = min(b, float64(len(t.Rates))*step)
	var sum float64
	for i := int(a/step + 1e-9); i < len(t.Rates) && float64(i)*step < b; i++ {
		from, to := max(a, float64(i)*step), min(b, float64(i+1)*step)
		sum += t.Rates[i] * max(to-from, 0)
	}
	return sum / (b - a)
}

// Cut is the part of rates by the second from an offset on, for a time (0:
// to the end).
func Cut(rates []float64, from, length time.Duration) ([]float64, error) {
	total := time.Duration(len(rates)) * time.Second
	switch {
	case from < 0 || length < 0:
		return nil, fmt.Errorf("cut from %v for %v: neither may be negative", from, length)
	case from >= total:
		return nil, fmt.Errorf("cut from %v: the load ends after %v", from, total)
	case length > 0 && from+length > total:
		return nil, fmt.Errorf("cut from %v for %v: the load ends after %v", from, length, total)
	}
	if length == 0 {
		length = total - from
	}
	first := int(from / time.Second)
	last := first + int(math.Ceil(length.Seconds()))
	return rates[first:min(last, len(rates))], nil
}

// Smooth is the centred moving mean of rates by the second over window
// seconds. What a load needs is taken from it where the record is a count of
// arrivals: the noise of counts is no demand.
func Smooth(rates []float64, window int) []float64 {
	if window <= 1 {
		return slices.Clone(rates)
	}
	sums := make([]float64, len(rates)+1)
	for i, r := range rates {
		sums[i+1] = sums[i] + r
	}
	out := make([]float64, len(rates))
	for i := range out {
		lo, hi := max(i-(window-1)/2, 0), min(i+window/2+1, len(rates))
		out[i] = (sums[hi] - sums[lo]) / float64(hi-lo)
	}
	return out
}

// PeakWindow is over how many seconds ScaleToPeak smooths: long enough that
// the highest count of an hour is not mistaken for its highest rate, short
// enough that a spike stays one.
const PeakWindow = 10

// ScaleToPeak multiplies rates so that the peak of the smoothed rate is peak.
func ScaleToPeak(rates []float64, peak float64) ([]float64, error) {
	if !(peak > 0) || math.IsInf(peak, 0) {
		return nil, fmt.Errorf("peak %v must be a number above 0", peak)
	}
	var highest float64
	for _, r := range Smooth(rates, PeakWindow) {
		highest = max(highest, r)
	}
	if !(highest > 0) {
		return nil, errors.New("a load without requests cannot be scaled to a peak")
	}
	out := make([]float64, len(rates))
	for i, r := range rates {
		out[i] = r * (peak / highest)
	}
	return out, nil
}

// unit is what a column's name says about its numbers: how many seconds one
// number counts the requests of; 0 for the interval of the record.
func unit(name string) (seconds float64, known bool) {
	name = strings.NewReplacer(" ", "_", "-", "_").Replace(strings.ToLower(name))
	for _, u := range []struct {
		seconds float64
		names   []string
	}{
		{1, []string{"per_second", "per_sec", "/s", "/sec", "rps", "qps", "_per_s"}},
		{60, []string{"per_minute", "per_min", "/min", "/m", "rpm"}},
		{3600, []string{"per_hour", "/h", "/hour", "rph"}},
	} {
		for _, n := range u.names {
			if strings.HasSuffix(name, n) {
				return u.seconds, true
			}
		}
	}
	switch name {
	case "rate", "load", "arrival_rate", "request_rate":
		return 1, true
	case "requests", "count", "counts", "request_count", "arrivals", "hits", "invocations":
		return 0, true
	}
	return 1, false
}
