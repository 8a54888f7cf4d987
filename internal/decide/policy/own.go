package policy

import (
	"slices"
	"time"

	"neargate/internal/decide/expression"
	"neargate/internal/model"
)

// How far back a customized metric is read, and how long after its end a
// datapoint is taken for complete.
const (
	ownMinutes    = 3
	ownSeconds    = 90
	completeAfter = time.Second
)

// OwnWindow is what is read of a customized metric at now: the last complete
// minutes, or with fine the last complete seconds.
func OwnWindow(fine bool, now time.Time) expression.Window {
	w := expression.Window{Period: time.Minute}
	length := ownMinutes * time.Minute
	if fine {
		w.Period, length = time.Second, ownSeconds*time.Second
	}
	w.End = now.Add(-completeAfter).UTC().Truncate(w.Period)
	w.Start = w.End.Add(-length)
	return w
}

// Fine reports whether queries may be read by the second: their statistics
// mean the same of a second as of a minute, which sums and counts do not.
func Fine(queries []model.MetricQuery) bool {
	return !slices.ContainsFunc(queries, func(q model.MetricQuery) bool {
		return q.Statistic == "Sum" || q.Statistic == "SampleCount"
	})
}
