package forecast

import (
	"math"
	"time"
)

// Minute is a metric's statistic over the minute from At on.
type Minute struct {
	At    time.Time
	Value float64
}

// enough is how many minutes an hour must have data of to count: what is
// missing of it is taken to have been like the rest.
const enough = 30

// Of is what an hour's load is of its minutes': their sum or their mean.
type Of float64

// The two, by what the mean of the minutes is multiplied with.
const (
	Sum  Of = 60
	Mean Of = 1
)

// Hours gathers minutes by the hour, n hours from start on.
func Hours(minutes []Minute, start time.Time, n int, of Of) Series {
	out := Series{Start: start, Values: make([]float64, n)}
	counts := make([]int, n)
	for _, m := range minutes {
		if i := int(m.At.Sub(start) / time.Hour); !m.At.Before(start) && i < n {
			out.Values[i] += m.Value
			counts[i]++
		}
	}
	for i, c := range counts {
		out.Values[i] *= float64(of) / float64(max(c, 1))
		if c < enough {
			out.Values[i] = unknown
		}
	}
	return out
}

// Carry says how much of an hour's load one task carries while the scaling
// metric is at the target, when the load is the sum over all tasks of what the
// metric is the average of: CPU, memory, or requests, by the minute.
func Carry(target float64) float64 { return float64(Sum) * target }

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
	carry = float64(of) * target * loads / carried
	return carry, carry > 0 && carry < wildest // false for 0/0 and x/0
}

// most bounds a count of tasks, far above any maximum.
const most = 1e6

// Tasks is how many tasks carry a load.
func Tasks(load, carry float64) int {
	return int(min(max(0, math.Ceil(load/carry-1e-9)), most))
}
