package forecast

import (
	"math"
	"slices"
)

const (
	// leastTried is how many hours a forecast must have been tried on before
	// its error says anything.
	leastTried = 12
	// triedDays is how many of the last days are foretold from those before.
	triedDays = 7
	// better is how much of the error a less plain method must leave.
	better = 0.97
)

// trial is how a method did on each of the last days, the newest first.
type trial [triedDays]struct {
	off, load float64
	hours     int
}

// choose tries all methods and gives the best with its error; NaN when the past
// is too short to try any. Two are compared on the days that both were tried on.
// As those may have no weekend among them, how well the profile knows each day
// of the past from all others counts as well.
func choose(past Series) (best method, err float64) {
	best, err = method{daily, usual}, unknown
	var done trial
	var doneBlind float64
	for _, m := range methods(len(past.Values)) {
		t := m.try(past)
		if _, hours := t.err(t); hours < leastTried {
			continue
		}
		blind := m.season.blind(past)
		if !math.IsNaN(err) {
			mine, _ := t.err(done)
			its, _ := done.err(t)
			if !(mine+blind < better*(its+doneBlind)) {
				continue
			}
		}
		best, done, doneBlind = m, t, blind
		err, _ = t.err(t)
	}
	return best, err
}

// blind says how far the profile of all other days is off from each day, as a
// share of the load; 0 where there are too few days to say.
func (s season) blind(past Series) float64 {
	if len(past.Values) < trendDays*24 {
		return 0
	}
	var off, load float64
	others := Series{Start: past.Start, Values: slices.Clone(past.Values)}
	for end := len(past.Values); end > 0; end -= 24 {
		begin := max(0, end-24)
		for i := begin; i < end; i++ {
			others.Values[i] = unknown
		}
		p := s.profile(others)
		copy(others.Values[begin:end], past.Values[begin:end])
		for i := begin; i < end; i++ {
			if v := past.Values[i]; !math.IsNaN(v) {
				off, load = off+math.Abs(p[s.slot(past.hour(i))]-v), load+v
			}
		}
	}
	return share(off, load)
}

// err is the sum of the differences as a share of the load, over the days that
// beside was tried on too, and how many hours that were.
func (t trial) err(beside trial) (err float64, hours int) {
	var off, load float64
	for i, day := range t {
		if beside[i].hours > 0 {
			off, load, hours = off+day.off, load+day.load, hours+day.hours
		}
	}
	return share(off, load), hours
}

// share is off as a share of the load.
func share(off, load float64) float64 {
	switch {
	case off == 0:
		return 0
	case load == 0:
		return wildest
	}
	return min(off/load, wildest)
}

// try foretells each of the last days by what was before it. Where the past is
// short, its newest part is foretold from the first day.
func (m method) try(past Series) (t trial) {
	for day := range t {
		end := len(past.Values) - 24*day
		begin := max(end-24, LeastPast)
		if begin >= end || known(past.Values[:begin]) < LeastPast/2 || !slices.Contains(methods(begin), m) {
			break
		}
		guess := make([]float64, end-begin)
		m.fill(past.until(begin), guess)
		for i, g := range guess {
			if v := past.Values[begin+i]; !math.IsNaN(v) {
				t[day].off += math.Abs(g - v)
				t[day].load += v
				t[day].hours++
			}
		}
	}
	return t
}
