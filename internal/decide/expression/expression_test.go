package expression

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"
)

// env has m1 = 1 2 - 4, m2 = 10 - 30 40, zero = 0 0 0 0 at 0, 60, 120 and 180.
func env() Env {
	frame := Series{Start: 0, End: 240, Period: 60}
	values := map[string]Series{
		"m1":   frame.with([]int64{0, 60, 180}, []float64{1, 2, 4}),
		"m2":   frame.with([]int64{0, 120, 180}, []float64{10, 30, 40}),
		"zero": frame.with([]int64{0, 60, 120, 180}, []float64{0, 0, 0, 0}),
	}
	return Env{
		Frame: frame,
		Lookup: func(id string) (Value, error) {
			s, ok := values[id]
			if !ok {
				return Value{}, fmt.Errorf("no metric %s", id)
			}
			return OneSeries(s), nil
		},
		Metrics: func(part string) []Series {
			var out []Series
			for _, id := range []string{"m1", "m2"} {
				if strings.Contains(id, part) {
					out = append(out, values[id])
				}
			}
			return out
		},
	}
}

func TestEval(t *testing.T) {
	type points map[int64]float64
	for _, tc := range []struct {
		text string
		want any // float64, points, []points, or error text
	}{
		{"1 + 2 * 3 ^ 2 ^ 0 - -4", 11.0},
		{"(1+2)*3/4", 2.25},
		{"-2 ^ 2", -4.0},
		{"3 > 2 && 1 >= 1 AND 0 != 1", 1.0},
		{"1 < 0 || 0 == 1 OR 2 <= 1", 0.0},
		{"m1 * 100", points{0: 100, 60: 200, 180: 400}},
		{"m1 + m2", points{0: 11, 180: 44}},
		{"m1 / zero", points{}},
		{"100 - m1", points{0: 99, 60: 98, 180: 96}},
		{"m1 > 1", points{0: 0, 60: 1, 180: 1}},
		{"SUM(m1)", 7.0},
		{"AVG(m1)", 7.0 / 3},
		{"MIN(m1) + MAX(m1)", 5.0},
		{"SUM([m1,m2])", points{0: 11, 60: 2, 120: 30, 180: 44}},
		{"AVG([m1, m2])", points{0: 5.5, 60: 2, 120: 30, 180: 22}},
		{"MAX(METRICS())", points{0: 10, 60: 2, 120: 30, 180: 40}},
		{`SUM(METRICS("m1"))`, points{0: 1, 60: 2, 180: 4}},
		{"METRICS() / 2", []points{{0: .5, 60: 1, 180: 2}, {0: 5, 120: 15, 180: 20}}},
		{"m2 - METRICS('1')", []points{{0: 9, 180: 36}}},
		{"STDDEV(m1 - m1)", 0.0},
		{"FILL(m1, 0)", points{0: 1, 60: 2, 120: 0, 180: 4}},
		{"FILL(m1, REPEAT)", points{0: 1, 60: 2, 120: 2, 180: 4}},
		{"FILL(m1, LINEAR)", points{0: 1, 60: 2, 120: 3, 180: 4}},
		{"FILL(m1, m2)", points{0: 1, 60: 2, 120: 30, 180: 4}},
		{"IF(m1 > 1, m1, 0)", points{0: 0, 60: 2, 180: 4}},
		{"IF(m1 > 1, m2)", points{180: 40}},
		{"IF(1, m1, 2)", points{0: 1, 60: 2, 180: 4}},
		{"PERIOD(m1)", 60.0},
		{"m1 / PERIOD(m1) * 60", points{0: 1, 60: 2, 180: 4}},
		{"RATE(m1)", points{60: 1. / 60, 180: 2. / 120}},
		{"DIFF(m1)", points{60: 1, 180: 2}},
		{"DIFF_TIME(m1)", points{60: 60, 180: 120}},
		{"RUNNING_SUM(m1)", points{0: 1, 60: 3, 180: 7}},
		{"ABS(m1 - 2)", points{0: 1, 60: 0, 180: 2}},
		{"CEIL(m1/2)", points{0: 1, 60: 1, 180: 2}},
		{"FLOOR(m1/2)", points{0: 0, 60: 1, 180: 2}},
		{"LOG10(zero)", points{}},
		{"TIME_SERIES(5)", points{0: 5, 60: 5, 120: 5, 180: 5}},
		{"DATAPOINT_COUNT(m1)", 3.0},
		{"METRIC_COUNT(METRICS())", 2.0},
		{"REMOVE_EMPTY(METRICS() / zero)", []points{}},

		{"", "the expression is empty"},
		{"m1 +", "the expression ends too early"},
		{"m1 m2", `unexpected "m2"`},
		{"(m1", `")" is missing at the end`},
		{"m9", "no metric m9"},
		{"SEARCH('{x}', 'Average', 300)", "function SEARCH is not known or not supported"},
		{"ANOMALY_DETECTION_BAND(m1)", "function ANOMALY_DETECTION_BAND is not known or not supported"},
		{"PERIOD(1)", "function PERIOD: one time series is wanted"},
		{"TIME_SERIES()", "function TIME_SERIES does not take 0 arguments"},
		{"SUM()", "function SUM does not take 0 arguments"},
		{"METRICS() + METRICS()", "two arrays of time series cannot be combined"},
		{"'abc", "a string is not closed"},
		{"1.2.3", `"1.2.3" is not a number`},
		{"m1 ; m2", `unexpected ";"`},
		{strings.Repeat("(", 1000) + "1", "the expression is nested more than 100 deep"},
	} {
		t.Run(tc.text, func(t *testing.T) {
			e, err := Parse(tc.text)
			var v Value
			if err == nil {
				v, err = e.Eval(env())
			}
			var got any
			switch {
			case err != nil:
				got = err.Error()
			case v.Kind == Number:
				got = v.Number
			default:
				all := []points{}
				for _, s := range v.Series {
					p := points{}
					for i, at := range s.At {
						p[at] = s.V[i]
					}
					all = append(all, p)
				}
				got = all
				if v.Kind == One {
					got = all[0]
				}
			}
			if diff := cmp.Diff(tc.want, got, cmpopts.EquateApprox(1e-12, 0)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestParseSurvivesAnything(t *testing.T) {
	pieces := []string{"m1", "1", "+", "-", "^", "(", ")", "[", "]", ",", "SUM", "FILL", "METRICS", "IF", "REPEAT", "TIME_SERIES(", `"x"`, "'", "==", "=", " ", ".", "é"}
	rapid.Check(t, func(t *rapid.T) {
		text := strings.Join(rapid.SliceOf(rapid.SampledFrom(pieces)).Draw(t, "text"), "")
		if e, err := Parse(text); err == nil {
			_, _ = e.Eval(env()) // must not panic
		}
	})
}
