package expression

import (
	"fmt"
	"slices"
)

// fill parses the arguments of FILL(series, number | series | REPEAT | LINEAR).
func (p *parser) fill() (node, error) {
	what, err := p.level(0)
	if err != nil {
		return nil, err
	}
	if err := p.expect(","); err != nil {
		return nil, err
	}
	var with node
	keyword := ""
	if t := p.peek(); t == "REPEAT" || t == "LINEAR" {
		keyword = p.next()
	} else if with, err = p.level(0); err != nil {
		return nil, err
	}
	return func(env Env) (Value, error) {
		v, err := what(env)
		if err != nil {
			return Value{}, err
		}
		if v.Kind == Number {
			return Value{}, fmt.Errorf("function FILL: a time series is wanted, not a number")
		}
		for _, s := range v.Series {
			if err := s.spendGrid(env.Work); err != nil {
				return Value{}, fmt.Errorf("function FILL: %w", err)
			}
		}
		filler := Value{}
		if with != nil {
			if filler, err = with(env); err != nil {
				return Value{}, err
			}
			if filler.Kind == Array {
				return Value{}, fmt.Errorf("function FILL: an array of time series cannot fill")
			}
		}
		return eachSeries(v, func(s Series) (Series, error) { return filled(s, filler, keyword), nil })
	}, p.expect(")")
}

// filled returns s with a point in each of its periods, as far as there is
// something to fill with: REPEAT needs a point before, LINEAR one on each side.
func filled(s Series, filler Value, keyword string) Series {
	out := s.with(nil, nil)
	for _, at := range s.grid() {
		i, found := slices.BinarySearch(s.At, at)
		v, ok := 0.0, true
		switch {
		case found:
			v = s.V[i]
		case keyword == "REPEAT":
			if ok = i > 0; ok {
				v = s.V[i-1]
			}
		case keyword == "LINEAR":
			if ok = i > 0 && i < len(s.At); ok {
				share := float64(at-s.At[i-1]) / float64(s.At[i]-s.At[i-1])
				v = s.V[i-1] + share*(s.V[i]-s.V[i-1])
			}
		case filler.Kind == Number:
			v = filler.Number
		default:
			f := filler.Series[0]
			var j int
			if j, ok = slices.BinarySearch(f.At, at); ok {
				v = f.V[j]
			}
		}
		if ok {
			out.At, out.V = append(out.At, at), append(out.V, v)
		}
	}
	return out
}
