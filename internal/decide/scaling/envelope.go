package scaling

import (
	"math"
	"time"
)

// envelope is what the evidence says of a rate: surely at least Low, surely at
// most High, most likely about Mean.
//
// It is made by going through the windows that end now, shortest first. Each
// window has a confidence interval; the envelope is their intersection. Where
// a longer window's interval does not meet the intersection so far, the load
// has changed inside that window: the newest evidence wins, the rest is
// forgotten for now, and Change says how long ago it was and in which
// direction. More load in the newest second never lowers Low or High.
type envelope struct {
	Low, High float64
	Mean      float64       // over the window that gives Low: not yet diluted by what was before a rise
	Under     float64       // the mean over the window that gives High: not held up by what was before a fall
	Since     time.Duration // the length of that window
	Spread    float64       // one standard deviation of Mean
	Span      time.Duration // of the longest window that agrees with all shorter ones
	Change    int           // +1 the load rose before it, -1 it fell, 0 no change in sight
}

// evidence is one sum of work over windows of the past: CPU, or arrivals times
// what each is worth. The zero value is none.
type evidence struct {
	grain   float64 // work of one event: the variance of a sum is grain × sum
	longest time.Duration
	each    float64 // work of an arrival; 0: the work is CPU
	idle    float64 // of the CPU of a task, what it uses without requests
}

func (e *evidence) known() bool { return e.grain > 0 }

// work returns the work of a window, at least and at most.
func (e *evidence) work(w *Bucket) (low, high float64) {
	if e.each > 0 {
		x := float64(w.Arrivals) * e.each
		return x, x
	}
	low, high = float64(w.CPULow)/1e9, float64(w.CPUHigh)/1e9
	if e.idle > 0 {
		base := e.idle * float64(w.TaskTime) / 1e9
		low, high = max(0, low-base), max(0, high-base)
	}
	if w.Completed > w.Arrivals { // a backlog was worked off: no load that goes on
		part := float64(w.Arrivals) / float64(w.Completed)
		low *= part
		if part < 0.9 {
			high *= part
		}
	}
	return low, high
}

// window is a span of the past that ends now.
type window struct {
	Bucket
	span  float64 // seconds
	every float64 // 1/span
	z     float64 // standard deviations at which it is believed
}

// windows are all windows of a history, shortest first.
type windows struct {
	n   int
	all [maxBuckets]window
}

// read returns the windows of a history.
func (ws *windows) read(h *History) {
	var sum Bucket
	z, at := 0.0, 0.0
	for i := range h.Len {
		sum.add(&h.Buckets[i])
		span := float64(sum.Span) / 1e9
		if span > 1.4*at { // it changes slowly
			z, at = confidence(span), span
		}
		w := &ws.all[i]
		w.Bucket, w.span, w.every, w.z = sum, span, 1/span, z
	}
	ws.n = h.Len
}

// within returns the shortest window that spans at least d, else the longest; an
// empty one when there is none.
func (ws *windows) within(d time.Duration) *window {
	for i := range ws.n {
		if ws.all[i].Span >= d {
			return &ws.all[i]
		}
	}
	return &ws.all[max(ws.n-1, 0)]
}

// envelope reads the evidence. Strictness scales the confidence: 1 is wrong
// about once in some days.
func (e *evidence) envelope(ws *windows, strictness float64) envelope {
	env := envelope{High: math.Inf(1)}
	perGrain := 1 / e.grain
	for i := range ws.n {
		w := &ws.all[i]
		if e.longest > 0 && w.Span > e.longest && i > 0 {
			break
		}
		low, high := e.work(&w.Bucket)
		scale := e.grain * w.every
		lo := lowerBound(low*perGrain, strictness*w.z) * scale
		up := upperBound(high*perGrain, strictness*w.z) * scale
		if lo > env.High {
			env.Change = -1
			break
		}
		if up < env.Low {
			env.Change = +1
			break
		}
		if up < env.High {
			env.High, env.Under, env.Since = up, high*w.every, w.Span
		}
		env.Span = w.Span
		if lo >= env.Low {
			env.Low = lo
			env.Mean = low * w.every
			env.Spread = math.Sqrt(low*e.grain) * w.every
		}
	}
	return env
}

// confidence is the number of standard deviations at which a window of so many
// seconds is believed. A day has many short windows and few long ones; each
// length gets the same share of false alarms: 5.5 at one second, 4.7 at a
// minute, 3.7 at an hour.
func confidence(span float64) float64 {
	const looks = 86400 * 40
	return math.Sqrt(2 * math.Log(looks/min(max(span, 1), 7200)))
}

// lowerBound is the smallest Poisson mean that explains n events at z standard
// deviations, by the square root that evens out the variance; a little below
// the exact bound for small n, so on the safe side.
func lowerBound(n, z float64) float64 {
	r := math.Sqrt(n) - z/2
	if r <= 0 {
		return 0
	}
	return r * r
}

// upperBound is the largest such mean, by Wilson's score; a little above the
// exact bound for small n.
func upperBound(n, z float64) float64 {
	return n + z*z/2 + z*math.Sqrt(n+z*z/4)
}
