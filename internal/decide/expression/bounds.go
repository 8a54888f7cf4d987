package expression

import "fmt"

const (
	// maxLength is of an expression, in characters [API_MetricDataQuery].
	maxLength = 2048
	// maxSeries is how many time series one array holds at most: as many as a
	// request may name metrics [API_GetMetricData].
	maxSeries = 500
	// maxPoints bounds a series that is made from nothing.
	maxPoints = 100_800
	// maxWork bounds the datapoints that all expressions of a request handle
	// between them, each series counting one more. It is far above what can be
	// answered (100,800), and about 100 MB if all were kept.
	maxWork = 5_000_000
)

// Work counts the datapoints that expressions have handled. The zero value is
// ready; expressions that count towards one bound share one.
type Work struct{ points int }

// spend counts n datapoints.
func (w *Work) spend(n int) error {
	if w.points += n; w.points > maxWork {
		return fmt.Errorf("more than %d datapoints would be handled", maxWork)
	}
	return nil
}

// on counts the datapoints of values that are about to be handled.
func (w *Work) on(values ...Value) error {
	for _, v := range values {
		n := len(v.Series)
		for _, s := range v.Series {
			n += len(s.At)
		}
		if err := w.spend(n); err != nil {
			return err
		}
	}
	return nil
}

// checkArray refuses arrays of too many time series.
func checkArray(n int) error {
	if n > maxSeries {
		return fmt.Errorf("an array holds at most %d time series", maxSeries)
	}
	return nil
}
