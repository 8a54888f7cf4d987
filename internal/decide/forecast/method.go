package forecast

import (
	"math"
	"slices"
	"time"
)

// season is what a profile tells apart.
type season int

const (
	flat    season = iota // nothing
	daily                 // the hour of the day
	working               // the hour of the day, on working days and weekends
	weekly                // the hour of the week
)

// level is how the last days carry on.
type level int

const (
	usual  level = iota // as the profile is
	recent              // as the last day lay to the profile
	trend               // as the days went, damped
)

// method is one way to foretell.
type method struct {
	season season
	level  level
}

// String names a method: "daily profile, recent level".
func (m method) String() string {
	return [...]string{"flat", "daily profile", "profile of working days and weekends", "weekly profile"}[m.season] +
		[...]string{"", ", recent level", ", damped trend"}[m.level]
}

// methods are those that a past of so many hours can carry: a profile needs
// each of its hours to have been there, a trend some days. The plainer come
// first, and win where others are no better.
func methods(hours int) []method {
	var out []method
	for _, s := range []struct {
		season season
		hours  int
	}{{flat, 1}, {daily, 24}, {working, 7 * 24}, {weekly, 7 * 24}} {
		if hours < s.hours {
			continue
		}
		for _, l := range []level{usual, recent, trend} {
			if l != trend || hours >= trendDays*24 {
				out = append(out, method{s.season, l})
			}
		}
	}
	return out
}

// slot says which value of the profile an hour has.
func (s season) slot(at time.Time) int {
	at = at.UTC()
	weekday, hour := int(at.Weekday()), at.Hour()
	switch s {
	case daily:
		return hour
	case working:
		if weekday == 0 || weekday == 6 {
			return 24 + hour
		}
		return hour
	case weekly:
		return 24*weekday + hour
	case flat:
	}
	return 0
}

// slots is more than any season has.
const slots = 7 * 24

// profile returns the median of each slot. A slot that the past does not show has
// the median of all.
func (s season) profile(past Series) (p [slots]float64) {
	var by [slots][]float64
	var all []float64
	for i, v := range past.Values {
		if !math.IsNaN(v) {
			n := s.slot(past.hour(i))
			by[n], all = append(by[n], v), append(all, v)
		}
	}
	middle := median(all)
	for n := range p {
		p[n] = middle
		if len(by[n]) > 0 {
			p[n] = median(by[n])
		}
	}
	return p
}

// hour is when hour i begins.
func (s Series) hour(i int) time.Time { return s.Start.Add(time.Duration(i) * time.Hour) }

// median is the middle one of values, which it sorts; of none it is 0.
func median(values []float64) float64 {
	if len(values) == 0 {
		return 0
	}
	slices.Sort(values)
	n := len(values)
	return values[(n-1)/2]/2 + values[n/2]/2
}

const (
	trendDays = 3   // that a trend needs at least
	damp      = 0.8 // of a trend's growth each further day
	// A level beyond these is more likely an accident than a course.
	leastLevel, mostLevel = 0.25, 3
)

// fill foretells the hours after the past into values.
func (m method) fill(past Series, values []float64) {
	profile := m.season.profile(past)
	var at, growth float64 = 1, 0
	switch m.level {
	case usual:
	case recent:
		at = levels(past, m.season, profile, 1)[0]
	case trend:
		at, growth = line(levels(past, m.season, profile, len(past.Values)/24))
	}
	most := 0.0
	for _, v := range past.Values {
		if v > most {
			most = v
		}
	}
	for i := range values {
		days := float64(i/24 + 1)
		grown := growth * (1 - math.Pow(damp, days)) / (1 - damp)
		v := profile[m.season.slot(past.hour(len(past.Values)+i))] * min(max(at+grown, leastLevel), mostLevel)
		values[i] = min(v, 2*most)
	}
}

// levels says how the last days lay to the profile: the sum of each over the
// sum of its profile, oldest first. Days are 24 hours back from the end; one
// without data is as usual.
func levels(past Series, s season, profile [slots]float64, days int) []float64 {
	out := make([]float64, days)
	for d := range out {
		end := len(past.Values) - 24*(days-1-d)
		var came, usually float64
		for i := max(0, end-24); i < end; i++ {
			if v := past.Values[i]; !math.IsNaN(v) {
				came += v
				usually += profile[s.slot(past.hour(i))]
			}
		}
		out[d] = 1
		if usually > 0 {
			out[d] = came / usually
		}
	}
	return out
}

// line returns the last point and the slope of the line through points that half
// of their pairs lie above (Theil and Sen): one day out of line does not bend
// it.
func line(points []float64) (last, slope float64) {
	var slopes []float64
	for i := range points {
		for j := i + 1; j < len(points); j++ {
			slopes = append(slopes, (points[j]-points[i])/float64(j-i))
		}
	}
	slope = median(slopes)
	rest := make([]float64, len(points))
	for i, p := range points {
		rest[i] = p - slope*float64(i)
	}
	return median(rest) + slope*float64(len(points)-1), slope
}
