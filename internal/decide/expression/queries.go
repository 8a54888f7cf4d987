package expression

import (
	"slices"
	"strings"

	"neargate/internal/model"
)

// Queries evaluates metric queries that refer to each other by ID, each once.
// Make it with NewQueries.
type Queries struct {
	list []model.MetricQuery
	data Data

	byID   map[string]model.MetricQuery
	values map[string]Value
	open   map[string]bool // being evaluated, to notice circles
	missed error           // of reading for METRICS, which cannot return one
	work   Work            // of all expressions
}

// Data is what queries are about.
type Data struct {
	// Read returns the series of a query's metric.
	Read func(model.MetricQuery) (Series, error)
	// Frame returns the window of the request in periods of some seconds, for
	// expressions that make a series of their own; it has no points.
	Frame func(period int64) Series
	// Period is that of such expressions when no metric gives one, in seconds.
	Period int64
}

// NewQueries prepares queries, whose IDs must be unique.
func NewQueries(list []model.MetricQuery, data Data) *Queries {
	q := &Queries{list: list, data: data, byID: map[string]model.MetricQuery{}, values: map[string]Value{}, open: map[string]bool{}}
	for _, one := range list {
		q.byID[one.ID] = one
	}
	return q
}

// Series returns the time series that a query returns. An error is one of Data,
// or in CloudWatch's words for the author of the queries: ValidationError.
func (q *Queries) Series(id string) ([]Series, error) {
	v, err := q.value(id)
	if err != nil {
		return nil, err
	}
	if v.Kind == Number {
		return nil, invalid("Error in expression '%s': the result of the expression is a number, not a time series.", id)
	}
	return v.Series, nil
}

// Returned returns the one series that the one entry to be answered returns.
func (q *Queries) Returned() (Series, error) {
	i := slices.IndexFunc(q.list, model.MetricQuery.Returns)
	if i < 0 {
		return Series{}, invalid("Exactly one element of the metrics list should return data.")
	}
	all, err := q.Series(q.list[i].ID)
	if err == nil && len(all) != 1 {
		err = invalid("Error in expression '%s': the result of the expression is an array of time series, not one.", q.list[i].ID)
	}
	if err != nil {
		return Series{}, err
	}
	return all[0], nil
}

// Check refuses queries that no alarm can watch: one of them has to return a
// single time series, whatever the data. ValidationError.
func Check(list []model.MetricQuery) error {
	returned := 0
	for _, q := range list {
		if q.Returns() {
			returned++
		}
	}
	if returned != 1 {
		return invalid("Exactly one element of the metrics list should return data.")
	}
	window := func(period int64) Series { return Series{End: period, Period: period} }
	_, err := NewQueries(list, Data{
		Read:   func(q model.MetricQuery) (Series, error) { return window(int64(q.Period.Seconds())), nil },
		Frame:  window,
		Period: 60,
	}).Returned()
	return err
}

func invalid(format string, args ...any) error {
	return model.Errorf(model.Invalid, "ValidationError", format, args...)
}

// value returns what an id stands for.
func (q *Queries) value(id string) (Value, error) {
	if v, ok := q.values[id]; ok {
		return v, nil
	}
	one, ok := q.byID[id]
	switch {
	case !ok:
		return Value{}, invalid("Error in expression: the id '%s' is not in MetricDataQueries.", id)
	case q.open[id]:
		return Value{}, invalid("Error in expression '%s': expressions refer to each other in a circle.", id)
	}
	q.open[id] = true
	defer delete(q.open, id)
	var v Value
	var err error
	if one.Expression == "" {
		var s Series
		s, err = q.data.Read(one)
		v = OneSeries(s)
	} else {
		v, err = q.evaluate(one)
	}
	if err == nil {
		q.values[id] = v
	}
	return v, err
}

// evaluate returns the value of an expression. Its label is its id; the series
// of an array keep their metrics' names.
func (q *Queries) evaluate(one model.MetricQuery) (Value, error) {
	e, err := Parse(one.Expression)
	if err != nil {
		return Value{}, invalid("Error in expression '%s': %v", one.ID, err)
	}
	var inner error // of what the expression refers to; it speaks for itself
	lookup := func(id string) (Value, error) {
		v, err := q.value(id)
		if err != nil {
			inner = err
		}
		return v, err
	}
	q.missed = nil
	v, err := e.Eval(Env{Lookup: lookup, Metrics: q.metrics, Frame: q.data.Frame(q.framePeriod(one)), Work: &q.work})
	switch {
	case inner != nil:
		return Value{}, inner
	case q.missed != nil:
		return Value{}, q.missed
	case err != nil:
		return Value{}, invalid("Error in expression '%s': %v", one.ID, err)
	}
	if v.Kind == One {
		s := v.Series[0] // may be shared with the metric it came from
		s.Label = ""
		v = OneSeries(s)
	}
	return v, nil
}

// framePeriod is the period of an expression that has no series of its own:
// the one it was given, or the longest of the request.
func (q *Queries) framePeriod(one model.MetricQuery) int64 {
	if one.Period != 0 {
		return int64(one.Period.Seconds())
	}
	longest := int64(0)
	for _, other := range q.list {
		if other.Expression == "" {
			longest = max(longest, int64(other.Period.Seconds()))
		}
	}
	if longest == 0 {
		return q.data.Period
	}
	return longest
}

// metrics returns the series of all metrics whose id contains part.
func (q *Queries) metrics(part string) []Series {
	var out []Series
	for _, one := range q.list {
		if one.Expression != "" || !strings.Contains(one.ID, part) {
			continue
		}
		v, err := q.value(one.ID)
		if err != nil {
			q.missed = err
			return nil
		}
		out = append(out, v.Series...)
	}
	return out
}
