// Package traffic says when the next request is due: a level of users or of
// requests per second over time, made of straight stages, and what follows
// from it. It is pure: the load tester follows a shape in real time, the
// simulator in virtual time. Times are offsets from the start of the load.
package traffic

import (
	"fmt"
	"math"
	"time"
)

// Stage is a straight line from one level to another.
type Stage struct {
	For      time.Duration
	From, To float64
}

// Shape is a level over time: its stages one after the other. The level is
// zero before and after them.
type Shape []Stage

// RampHold rises from zero to level over ramp, holds it, and ends.
func RampHold(level float64, ramp, hold time.Duration) Shape {
	var s Shape
	if ramp > 0 {
		s = append(s, Stage{For: ramp, To: level})
	}
	if hold > 0 {
		s = append(s, Stage{For: hold, From: level, To: level})
	}
	return s
}

// Validate refuses negative durations and levels, and levels that are no numbers.
func (s Shape) Validate() error {
	for i, st := range s {
		switch {
		case st.For < 0:
			return fmt.Errorf("stage %d: duration %v is negative", i, st.For)
		case !(st.From >= 0 && st.To >= 0) || math.IsInf(st.From+st.To, 0):
			return fmt.Errorf("stage %d: levels %v to %v must be numbers of at least 0", i, st.From, st.To)
		}
	}
	return nil
}

// Length is the time from start to end.
func (s Shape) Length() time.Duration {
	var d time.Duration
	for _, st := range s {
		d += st.For
	}
	return d
}

// Peak is the highest level.
func (s Shape) Peak() float64 {
	var p float64
	for _, st := range s {
		p = max(p, st.From, st.To)
	}
	return p
}

// At is the level at offset t.
func (s Shape) At(t time.Duration) float64 {
	if t < 0 {
		return 0
	}
	for _, st := range s {
		if t < st.For {
			return st.From + (st.To-st.From)*float64(t)/float64(st.For)
		}
		t -= st.For
	}
	return 0
}

// Users is how many users are active at t: the level, rounded up, so that the
// first user is there as soon as a ramp begins.
func (s Shape) Users(t time.Duration) int {
	return int(math.Ceil(s.At(t) - 1e-9))
}

// UserChange returns the next time after t at which Users may change, and false
// when the shape has ended by then. A follower that sleeps until then and asks
// Users again misses no change.
func (s Shape) UserChange(t time.Duration) (time.Duration, bool) {
	var begin time.Duration
	for _, st := range s {
		end := begin + st.For
		if t < end {
			return s.stageChange(st, begin, max(t, begin)), true
		}
		begin = end
	}
	return 0, false
}

func (s Shape) stageChange(st Stage, begin, t time.Duration) time.Duration {
	end := begin + st.For
	if st.From == st.To {
		return end
	}
	slope := (st.To - st.From) / float64(st.For) // per nanosecond
	level := st.From + slope*float64(t-begin)
	next := math.Floor(level) // falling: where the level reaches the next whole number below
	if slope > 0 {
		next = math.Ceil(level)
	}
	at := begin + time.Duration((next-st.From)/slope)
	if at <= t { // the level stands on a whole number: look a whole user further
		at = t + max(time.Duration(1/math.Abs(slope)), 1)
	}
	return min(at, end)
}

// Count is how many arrivals are due before t when the level is a rate per
// second: its integral.
func (s Shape) Count(t time.Duration) float64 {
	var n float64
	for _, st := range s {
		if t <= 0 {
			break
		}
		d := min(t, st.For)
		end := st.From + (st.To-st.From)*float64(d)/float64(max(st.For, 1))
		n += (st.From + end) / 2 * d.Seconds()
		t -= st.For
	}
	return n
}

// Due is when the n-th arrival is due (the inverse of Count), and false when
// the shape ends before.
func (s Shape) Due(n float64) (time.Duration, bool) {
	var begin time.Duration
	for _, st := range s {
		total := (st.From + st.To) / 2 * st.For.Seconds()
		if n <= total && total > 0 {
			return begin + time.Duration(solve(st, n)*float64(time.Second)), true
		}
		n -= total
		begin += st.For
	}
	return 0, false
}

// solve returns the seconds x into the stage at which from·x + slope·x²/2 = n.
func solve(st Stage, n float64) float64 {
	slope := (st.To - st.From) / st.For.Seconds()
	root := math.Sqrt(max(st.From*st.From+2*slope*n, 0))
	if st.From+root == 0 {
		return 0
	}
	return 2 * n / (st.From + root) // the form that does not cancel when slope is near 0
}
