// Package expression evaluates CloudWatch metric math: arithmetic, comparisons
// and functions over time series, as in
//
//	IF(m1 > 10, m2 / PERIOD(m2), 0)
//
// It is pure. Where an id's series come from is the caller's business, in an
// Env. Errors are for the author of the expression.
package expression

import "fmt"

// Series is a time series. At is ascending, V goes with it. Start, End and
// Period are of the query that made it: what FILL fills, and what PERIOD says.
type Series struct {
	Label              string
	Start, End, Period int64 // Unix seconds and seconds
	At                 []int64
	V                  []float64
}

// Value is what an expression can be: a number, one time series, or an array
// of them.
type Value struct {
	Kind   Kind
	Number float64
	Series []Series // one, or those of the array
}

// Kind is the kind of a Value.
type Kind int

// The kinds of values.
const (
	Number Kind = iota
	One         // time series
	Array       // of time series
)

// OneSeries returns a Value of a time series.
func OneSeries(s Series) Value { return Value{Kind: One, Series: []Series{s}} }

func number(v float64) Value { return Value{Number: v} }

// Env is what an expression can see.
type Env struct {
	// Lookup returns the value of an id; an error ends the evaluation.
	Lookup func(id string) (Value, error)
	// Metrics returns the series of the request's metrics (not of its
	// expressions) whose id contains part, for METRICS.
	Metrics func(part string) []Series
	// Frame is the window of the request, for TIME_SERIES; it has no points.
	Frame Series
	// Work counts what the evaluation handles; nil counts it alone.
	Work *Work
}

// node is a part of a parsed expression.
type node func(Env) (Value, error)

// Expression is a parsed expression.
type Expression struct{ root node }

// Eval evaluates the expression.
func (e Expression) Eval(env Env) (Value, error) {
	if env.Work == nil {
		env.Work = new(Work)
	}
	return e.root(env)
}

// spendGrid counts the periods of a series.
func (s Series) spendGrid(w *Work) error {
	if s.Period <= 0 || (s.End-s.Start)/s.Period > maxPoints {
		return fmt.Errorf("more than %d datapoints would be made", maxPoints)
	}
	return w.spend(1 + int(max(s.End-s.Start, 0)/s.Period))
}

// grid returns the times of all of a series' periods, which spendGrid has
// counted.
func (s Series) grid() []int64 {
	var at []int64
	for t := s.Start; t < s.End; t += s.Period {
		at = append(at, t)
	}
	return at
}

// with returns a series of the same window with other points.
func (s Series) with(at []int64, v []float64) Series {
	s.At, s.V = at, v
	return s
}

// eachSeries applies f to a value's series one by one.
func eachSeries(v Value, f func(Series) (Series, error)) (Value, error) {
	out := Value{Kind: v.Kind, Series: make([]Series, len(v.Series))}
	for i, s := range v.Series {
		var err error
		if out.Series[i], err = f(s); err != nil {
			return Value{}, err
		}
	}
	return out, nil
}

// eachPoint applies f to a number or to every point.
func eachPoint(v Value, f func(float64) float64) (Value, error) {
	if v.Kind == Number {
		return number(f(v.Number)), nil
	}
	return eachSeries(v, func(s Series) (Series, error) {
		out := make([]float64, len(s.V))
		for i, x := range s.V {
			out[i] = f(x)
		}
		return s.with(s.At, out), nil
	})
}

// combine applies a binary operation. Of two series only the points that both
// have remain.
func combine(a, b Value, f func(x, y float64) float64) (Value, error) {
	switch {
	case a.Kind == Number && b.Kind == Number:
		return number(f(a.Number, b.Number)), nil
	case b.Kind == Number:
		return eachPoint(a, func(x float64) float64 { return f(x, b.Number) })
	case a.Kind == Number:
		return eachPoint(b, func(y float64) float64 { return f(a.Number, y) })
	case a.Kind == Array && b.Kind == Array:
		return Value{}, fmt.Errorf("two arrays of time series cannot be combined")
	case b.Kind == Array:
		return eachSeries(b, func(s Series) (Series, error) {
			return join(s, a.Series[0], func(y, x float64) float64 { return f(x, y) }), nil
		})
	default:
		return eachSeries(a, func(s Series) (Series, error) { return join(s, b.Series[0], f), nil })
	}
}

func join(a, b Series, f func(x, y float64) float64) Series {
	out := a.with(nil, nil)
	out.Period = max(a.Period, b.Period)
	for i, j := 0, 0; i < len(a.At) && j < len(b.At); {
		switch {
		case a.At[i] < b.At[j]:
			i++
		case a.At[i] > b.At[j]:
			j++
		default:
			out.At = append(out.At, a.At[i])
			out.V = append(out.V, f(a.V[i], b.V[j]))
			i, j = i+1, j+1
		}
	}
	return out
}
