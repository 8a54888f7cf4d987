package scaling

import (
	"math"
	"slices"
	"time"
)

// MetricValue is a complete datapoint of a policy's customized metric.
type MetricValue struct {
	Policy string
	Start  time.Time
	Period time.Duration
	Value  float64
}

// Tracked is what is remembered of a customized metric. Its slices are
// replaced, not written into.
type Tracked struct {
	Counts []Count   // the tasks in force, oldest first, each until the next
	Seen   time.Time // the last one is known up to then
	Values []Paired  // oldest first
	Came   time.Time // when the newest came
	Since  time.Time // datapoints without a pause since
	Acted  time.Time // start of the newest datapoint that tasks were added for
}

// Count is a number of tasks in force since a moment.
type Count struct {
	Since time.Time
	Tasks int
}

// Paired is a datapoint with the fewest and the most tasks that were in force
// while it was measured.
type Paired struct {
	Start       time.Time
	Period      time.Duration
	Value       float64
	Least, Most int
}

func (p Paired) end() time.Time { return p.Start.Add(p.Period) }

// How much is kept: of counts more than change in the longest period, of
// values more than runFor looks at.
const (
	keptCounts = 128
	keptValues = 32
)

// fresh is how long after its end a datapoint stands for the present: until
// the next should have come, and a minute for those who publish in batches.
func fresh(period time.Duration) time.Duration { return 2*period + time.Minute }

// late is how long after a datapoint came the next should have come; after
// that nothing goes in.
func late(period time.Duration) time.Duration { return period + 10*time.Second }

// learn takes in the present count and new datapoints; it does not write into t.
func (t *Tracked) learn(p Policy, obs Observation, now time.Time) *Tracked {
	next := Tracked{}
	if t != nil {
		next = *t
	}
	if last, ok := next.newest(); ok && last.end().After(now) { // the clock went back
		next.Values, next.Came, next.Since, next.Acted = nil, time.Time{}, time.Time{}, time.Time{}
	}
	next.count(max(0, obs.Second.Running), now)
	values := slices.Clone(obs.Values)
	slices.SortStableFunc(values, func(a, b MetricValue) int { return a.Start.Compare(b.Start) })
	for _, v := range values {
		if v.Policy == p.Name && v.Period > 0 && !math.IsNaN(v.Value) && !math.IsInf(v.Value, 0) && !v.Start.Add(v.Period).After(now) {
			next.take(v, now)
		}
	}
	return &next
}

// count notes the tasks in force.
func (t *Tracked) count(n int, now time.Time) {
	if gap := now.Sub(t.Seen); gap < 0 || gap > maxGap {
		t.Counts = nil
	}
	t.Seen = now
	if k := len(t.Counts); k == 0 || t.Counts[k-1].Tasks != n {
		t.Counts = append(slices.Clone(t.Counts[max(0, k+1-keptCounts):]), Count{now, n})
	}
}

// take keeps a datapoint that is newer than those before it, and whose count
// is known.
func (t *Tracked) take(v MetricValue, now time.Time) {
	k := len(t.Values)
	if k > 0 && t.Values[k-1].Period != v.Period { // published differently now
		t.Values, k = nil, 0
	}
	if k > 0 && !v.Start.After(t.Values[k-1].Start) {
		return
	}
	p := Paired{Start: v.Start, Period: v.Period, Value: v.Value}
	var ok bool
	if p.Least, p.Most, ok = t.between(v.Start, p.end()); !ok {
		return
	}
	if k == 0 || v.Start.Sub(t.Values[k-1].end()) > fresh(v.Period) {
		t.Since = p.end()
	}
	t.Came = now
	t.Values = append(slices.Clone(t.Values[max(0, k+1-keptValues):]), p)
}

// between returns the fewest and the most tasks in force in a span of time, a
// second more to both sides, as counts are known by the second.
func (t *Tracked) between(from, to time.Time) (least, most int, ok bool) {
	from, to = from.Add(-time.Second), to.Add(time.Second)
	if len(t.Counts) == 0 || t.Counts[0].Since.After(from) {
		return 0, 0, false
	}
	least = math.MaxInt
	for i, c := range t.Counts {
		ended := i+1 < len(t.Counts) && !t.Counts[i+1].Since.After(from)
		if ended || c.Since.After(to) {
			continue
		}
		least, most = min(least, c.Tasks), max(most, c.Tasks)
	}
	return least, most, true
}

// newest returns the newest datapoint.
func (t *Tracked) newest() (p Paired, ok bool) {
	if len(t.Values) == 0 {
		return p, false
	}
	return t.Values[len(t.Values)-1], true
}

// A value is surely above the target when a whole minute's is, or when those
// of runFor all are, and there are runOf at least: one second's value may be
// anything. The load is the mean of the last runOver.
const (
	runFor  = 8 * time.Second
	runOf   = 3
	runOver = 15 * time.Second
)

// above returns the load in values × tasks of the newest datapoints, if they are
// surely above a limit.
func (t *Tracked) above(limit float64) (load float64, sure bool) {
	var sum float64
	n := 0
	last, _ := t.newest()
	for i, p := range slices.Backward(t.Values) {
		if p.Value <= limit || i+1 < len(t.Values) && t.Values[i+1].Start.Sub(p.end()) > fresh(p.Period) {
			break
		}
		if span := last.end().Sub(p.Start); span <= runOver || n < runOf {
			sum, n = sum+p.Value*float64(p.Least), n+1
			sure = sure || last.Period >= time.Minute || span >= runFor && n >= runOf
		}
		if last.Period >= time.Minute {
			break
		}
	}
	if n == 0 {
		return 0, false
	}
	return sum / float64(n), sure
}
