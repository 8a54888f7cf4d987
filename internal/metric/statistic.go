package metric

import (
	"fmt"
	"regexp"
	"strconv"
)

// Statistic is one of CloudWatch's statistics: Average, Sum, Minimum, Maximum,
// SampleCount or a percentile. Make it with ParseStatistic.
type Statistic struct {
	name    string
	percent float64
}

var percentileName = regexp.MustCompile(`^p(100|\d{1,2}(\.\d{0,10})?)$`)

// ParseStatistic reads a statistic's name: "Average", "p99.9". Trimmed means
// and their kin (tm90, wm90, tc90, ts90, PR(1:2), IQM) are refused.
func ParseStatistic(name string) (Statistic, error) {
	switch name {
	case "Average", "Sum", "Minimum", "Maximum", "SampleCount":
		return Statistic{name: name}, nil
	}
	m := percentileName.FindStringSubmatch(name)
	if m == nil {
		return Statistic{}, fmt.Errorf("statistic %q is not one of SampleCount, Average, Sum, Minimum, Maximum and p0 to p100", name)
	}
	percent, err := strconv.ParseFloat(m[1], 64)
	if err != nil {
		return Statistic{}, fmt.Errorf("statistic %q: %w", name, err)
	}
	return Statistic{name: name, percent: percent}, nil
}

// Percentile reports whether s is a percentile.
func (s Statistic) Percentile() bool { return s.name != "" && s.name[0] == 'p' }

// of returns the statistic of a point. ok is false for a percentile of values
// whose distribution is not known.
func (s Statistic) of(p point) (v float64, ok bool) {
	switch s.name {
	case "SampleCount":
		return p.n, true
	case "Sum":
		return p.sum, true
	case "Average":
		if p.n == 0 {
			return 0, true
		}
		return p.sum / p.n, true
	case "Minimum":
		return p.min, true
	case "Maximum":
		return p.max, true
	}
	return p.percentile(s.percent)
}
