package forecast

import (
	"maps"
	"math"
	"slices"
	"time"
)

// Minute is a metric's statistic over the minute from At on.
type Minute struct {
	At    time.Time
	Value float64
}

// Of is what an hour's load is of its minutes'.
type Of struct {
	Each float64 // minutes of an hour that have data, when none is missing
	Mean bool    // their mean; else their sum
}

// Dense is of metrics that are there in each minute.
func Dense() Of { return Of{Each: 60} }

// Usual is of metrics that may be published more seldom: Each is the median of
// the hours that have data.
func Usual(minutes []Minute, mean bool) Of {
	counts := map[int64]float64{}
	for _, m := range minutes {
		counts[m.At.Truncate(time.Hour).Unix()]++
	}
	return Of{Each: max(1, median(slices.Collect(maps.Values(counts)))), Mean: mean}
}

// times is what the mean of the minutes is multiplied with.
func (of Of) times() float64 {
	if of.Mean {
		return 1
	}
	return of.Each
}

// Hours gathers minutes by the hour, n hours from start on. What is missing of
// an hour is taken to have been like the rest; one that has less than half has
// no data.
func Hours(minutes []Minute, start time.Time, n int, of Of) Series {
	out := Series{Start: start, Values: make([]float64, n)}
	counts := make([]float64, n)
	for _, m := range minutes {
		if i := int(m.At.Sub(start) / time.Hour); !m.At.Before(start) && i < n {
			out.Values[i] += m.Value
			counts[i]++
		}
	}
	for i, c := range counts {
		out.Values[i] *= of.times() / max(c, 1)
		if c == 0 || 2*c < of.Each {
			out.Values[i] = unknown
		}
	}
	return out
}

// Carry says how much of an hour's load one task carries while the scaling
// metric is at the target, when the load is the sum over all tasks of what the
// metric is the average of: CPU, memory, or requests, by the minute.
func Carry(target float64) float64 { return Dense().times() * target }

// Learn says the same where load and metric are of different kinds, by what the
// metric was while so many tasks carried the load. ok is false when the past
// does not tell.
func Learn(load, metric, tasks []Minute, target float64, of Of) (carry float64, ok bool) {
	type pair struct{ metric, tasks float64 }
	at := make(map[int64]pair, len(metric))
	for _, m := range metric {
		at[m.At.Unix()] = pair{metric: m.Value}
	}
	for _, m := range tasks {
		if p, there := at[m.At.Unix()]; there {
			p.tasks = m.Value
			at[m.At.Unix()] = p
		}
	}
	var carried, loads float64
	for _, m := range load {
		if p := at[m.At.Unix()]; p.tasks > 0 {
			carried += p.metric * p.tasks
			loads += m.Value
		}
	}
	carry = of.times() * target * loads / carried
	return carry, carry > 0 && carry < wildest // false for 0/0 and x/0
}

// most bounds a count of tasks, far above any maximum.
const most = 1e6

// Tasks is how many tasks carry a load.
func Tasks(load, carry float64) int {
	return int(min(max(0, math.Ceil(load/carry-1e-9)), most))
}
