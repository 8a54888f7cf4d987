package expression

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// function is one of metric math's: how many arguments it takes, and what it
// makes of them.
type function struct {
	least, most int
	call        func(args []Value) (Value, error)
}

func functions() map[string]function {
	each := func(f func(float64) float64) function {
		return function{1, 1, func(a []Value) (Value, error) {
			v, err := eachPoint(a[0], f)
			return finite(v), err
		}}
	}
	series := func(f func(Series) Series) function {
		return function{1, 1, func(a []Value) (Value, error) {
			if a[0].Kind == Number {
				return Value{}, fmt.Errorf("a time series is wanted, not a number")
			}
			return eachSeries(a[0], func(s Series) (Series, error) { return f(s), nil })
		}}
	}
	reduce := func(f func([]float64) float64) function {
		return function{1, 1, func(a []Value) (Value, error) { return reduced(a[0], f) }}
	}
	return map[string]function{
		"ABS":   each(math.Abs),
		"CEIL":  each(math.Ceil),
		"FLOOR": each(math.Floor),
		"LOG":   each(math.Log),
		"LOG10": each(math.Log10),

		"AVG":    reduce(func(v []float64) float64 { return total(v) / float64(len(v)) }),
		"MAX":    reduce(slices.Max[[]float64]),
		"MIN":    reduce(slices.Min[[]float64]),
		"STDDEV": reduce(deviation),
		"SUM":    reduce(total),

		"DIFF":         series(func(s Series) Series { return steps(s, func(_, dv float64) float64 { return dv }) }),
		"DIFF_TIME":    series(func(s Series) Series { return steps(s, func(dt, _ float64) float64 { return dt }) }),
		"RATE":         series(func(s Series) Series { return steps(s, func(dt, dv float64) float64 { return dv / dt }) }),
		"RUNNING_SUM":  series(runningSum),
		"REMOVE_EMPTY": {1, 1, removeEmpty},

		"DATAPOINT_COUNT": {1, 1, func(a []Value) (Value, error) {
			return onlyOne(a[0], func(s Series) float64 { return float64(len(s.V)) })
		}},
		"METRIC_COUNT": {1, 1, func(a []Value) (Value, error) { return number(float64(len(a[0].Series))), nil }},
		"PERIOD": {1, 1, func(a []Value) (Value, error) {
			return onlyOne(a[0], func(s Series) float64 { return float64(s.Period) })
		}},
		"IF": {2, 3, choose},
	}
}

// call parses a function's arguments. A few functions need more than values:
// FILL its keywords, METRICS its text, TIME_SERIES the request's window.
func (p *parser) call(name string) (node, error) {
	if err := p.expect("("); err != nil {
		return nil, fmt.Errorf("%s is not an id or a function: %w", name, err)
	}
	switch name {
	case "FILL":
		return p.fill()
	case "METRICS":
		part := ""
		if p.peek() != ")" {
			part = strings.TrimLeft(p.next(), `"'`) // a string token keeps its opening quote
		}
		return metricsOf(part), p.expect(")")
	}
	f, ok := functions()[name]
	if name == "TIME_SERIES" {
		f, ok = function{least: 1, most: 1}, true
	}
	if !ok {
		return nil, fmt.Errorf("function %s is not known or not supported", name)
	}
	args, err := p.arguments(")")
	if err != nil {
		return nil, err
	}
	if len(args) < f.least || len(args) > f.most {
		return nil, fmt.Errorf("function %s does not take %d arguments", name, len(args))
	}
	if name == "TIME_SERIES" {
		return timeSeries(args[0]), nil
	}
	return func(env Env) (Value, error) {
		values := make([]Value, len(args))
		for i, arg := range args {
			var err error
			if values[i], err = arg(env); err != nil {
				return Value{}, err
			}
		}
		err := env.Work.on(values...)
		var v Value
		if err == nil {
			v, err = f.call(values)
		}
		if err != nil {
			return Value{}, fmt.Errorf("function %s: %w", name, err)
		}
		return v, nil
	}, nil
}

// reduced returns a number of one series, and one series of an array, point by
// point over those that have the point.
func reduced(v Value, f func([]float64) float64) (Value, error) {
	switch v.Kind {
	case Number:
		return v, nil
	case One:
		if len(v.Series[0].V) == 0 {
			return number(math.NaN()), nil
		}
		return number(f(v.Series[0].V)), nil
	default:
		return reducedArray(v.Series, f)
	}
}

func reducedArray(all []Series, f func([]float64) float64) (Value, error) {
	if len(all) == 0 {
		return Value{}, fmt.Errorf("the array has no time series")
	}
	columns := map[int64][]float64{}
	for _, s := range all {
		for i, at := range s.At {
			columns[at] = append(columns[at], s.V[i])
		}
	}
	out := all[0].with(nil, nil)
	for at := range columns {
		out.At = append(out.At, at)
	}
	slices.Sort(out.At)
	for _, at := range out.At {
		out.V = append(out.V, f(columns[at]))
	}
	return OneSeries(out), nil
}

func total(v []float64) float64 {
	sum := 0.0
	for _, x := range v {
		sum += x
	}
	return sum
}

func deviation(v []float64) float64 {
	mean, squares := total(v)/float64(len(v)), 0.0
	for _, x := range v {
		squares += (x - mean) * (x - mean)
	}
	return math.Sqrt(squares / float64(len(v)))
}

// steps returns a value for each pair of neighbours, at the later one.
func steps(s Series, f func(dt, dv float64) float64) Series {
	out := s.with(nil, nil)
	for i := 1; i < len(s.At); i++ {
		out.At = append(out.At, s.At[i])
		out.V = append(out.V, f(float64(s.At[i]-s.At[i-1]), s.V[i]-s.V[i-1]))
	}
	return out
}

func runningSum(s Series) Series {
	out, sum := make([]float64, len(s.V)), 0.0
	for i, x := range s.V {
		sum += x
		out[i] = sum
	}
	return s.with(s.At, out)
}

func removeEmpty(a []Value) (Value, error) {
	v := a[0]
	v.Series = slices.DeleteFunc(slices.Clone(v.Series), func(s Series) bool { return v.Kind == Array && len(s.V) == 0 })
	return v, nil
}

func onlyOne(v Value, f func(Series) float64) (Value, error) {
	if v.Kind != One {
		return Value{}, fmt.Errorf("one time series is wanted")
	}
	return number(f(v.Series[0])), nil
}

// choose is IF: point by point of the condition. A point that the chosen side
// does not have, or an else that is not there, leaves none.
func choose(a []Value) (Value, error) {
	for _, v := range a {
		if v.Kind == Array {
			return Value{}, fmt.Errorf("an array of time series is not taken")
		}
	}
	if a[0].Kind == Number {
		switch {
		case a[0].Number != 0:
			return a[1], nil
		case len(a) == 3:
			return a[2], nil
		}
		return Value{}, fmt.Errorf("the condition is false and there is no third argument")
	}
	cond := a[0].Series[0]
	out := cond.with(nil, nil)
	for i, at := range cond.At {
		side := 1
		if cond.V[i] == 0 {
			side = 2
		}
		if side >= len(a) {
			continue
		}
		v, ok := a[side].Number, true
		if a[side].Kind == One {
			s := a[side].Series[0]
			var j int
			if j, ok = slices.BinarySearch(s.At, at); ok {
				v = s.V[j]
			}
		}
		if ok {
			out.At, out.V = append(out.At, at), append(out.V, v)
		}
	}
	return OneSeries(out), nil
}

func metricsOf(part string) node {
	return func(env Env) (Value, error) {
		v := Value{Kind: Array, Series: env.Metrics(part)}
		return v, env.Work.spend(len(v.Series))
	}
}

func timeSeries(arg node) node {
	return func(env Env) (Value, error) {
		v, err := arg(env)
		if err != nil || v.Kind != Number {
			return v, err
		}
		if err := env.Frame.spendGrid(env.Work); err != nil {
			return Value{}, fmt.Errorf("function TIME_SERIES: %w", err)
		}
		at := env.Frame.grid()
		return OneSeries(env.Frame.with(at, slices.Repeat([]float64{v.Number}, len(at)))), nil
	}
}
