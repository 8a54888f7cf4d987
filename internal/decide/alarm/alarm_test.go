package alarm

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"neargate/internal/model"
)

var newest = time.Date(2026, 9, 17, 2, 53, 0, 0, time.UTC)

// series makes points from a picture: X breaches a threshold of 50, 0 is fine,
// - is missing; newest right.
func series(picture string) []Point {
	marks := strings.Fields(picture)
	points := make([]Point, len(marks))
	for i, m := range marks {
		points[i] = Point{At: newest.Add(-time.Duration(len(marks)-1-i) * time.Minute), Missing: m == "-", Samples: 2}
		if m == "X" {
			points[i].Value = 99.5
		}
	}
	return points
}

func threshold50(n, m int, missing string) model.Alarm {
	return model.Alarm{
		EvaluationPeriods: n, DatapointsToAlarm: m, Threshold: 50, Comparison: "GreaterThanThreshold",
		MissingData: missing, Statistic: "Average", Period: time.Minute,
	}
}

// The tables of the CloudWatch user guide, "Configuring how CloudWatch alarms
// treat missing data".
func TestEvaluateTruthTables(t *testing.T) {
	const keep = "keep"
	for _, tc := range []struct {
		m                                      int
		picture                                string
		missing, ignore, breaching, notBreachg string
	}{
		{3, "0 - X - X", OK, OK, OK, OK},
		{3, "0 - - - -", OK, OK, OK, OK},
		{3, "- - - - -", Insufficient, keep, Alarm, OK},
		{3, "0 X X - X", Alarm, Alarm, Alarm, Alarm},
		{3, "- - X - -", Alarm, keep, Alarm, OK},
		{2, "0 - X - X", Alarm, Alarm, Alarm, Alarm},
		{2, "0 0 X 0 X", Alarm, Alarm, Alarm, Alarm},
		{2, "0 - X - -", OK, OK, Alarm, OK},
		{2, "- - - - 0", OK, OK, Alarm, OK},
		{2, "- - - X -", Alarm, keep, Alarm, OK},
		// Premature: the only breaching datapoint is too young.
		{3, "- - - - X", keep, keep, Alarm, OK},
		{3, "- - - X -", keep, keep, Alarm, OK},
		{3, "- - - X X", keep, keep, Alarm, OK},
		{3, "- - X X X", Alarm, Alarm, Alarm, Alarm},
	} {
		for missing, want := range map[string]string{"missing": tc.missing, "": tc.missing, "ignore": tc.ignore, "breaching": tc.breaching, "notBreaching": tc.notBreachg} {
			got := Evaluate(threshold50(3, tc.m, missing), series(tc.picture), newest)
			if got.Kept {
				got.State = keep
			}
			if got.State != want {
				t.Errorf("%d of 3, %q, missing data %q: got %s, want %s", tc.m, tc.picture, missing, got.State, want)
			}
		}
	}
}

func TestEvaluateComparisons(t *testing.T) {
	for op, want := range map[string][3]string{ // below, at and above the threshold
		"GreaterThanThreshold":          {OK, OK, Alarm},
		"GreaterThanOrEqualToThreshold": {OK, Alarm, Alarm},
		"LessThanThreshold":             {Alarm, OK, OK},
		"LessThanOrEqualToThreshold":    {Alarm, Alarm, OK},
	} {
		a := threshold50(1, 0, "missing")
		a.Comparison = op
		for i, v := range []float64{49.9, 50, 50.1} {
			if got := Evaluate(a, []Point{{At: newest, Value: v}}, newest); got.State != want[i] {
				t.Errorf("%s with %v against 50: got %s, want %s", op, v, got.State, want[i])
			}
		}
	}
}

func TestEvaluateLowSamples(t *testing.T) {
	for _, tc := range []struct {
		name, statistic, low string
		samples              float64
		want                 string // "" is kept
	}{
		{"p99 of 999 samples is ignored", "p99", "ignore", 999, ""},
		{"p99 of 1,000 samples counts", "p99", "ignore", 1000, Alarm},
		{"p10 of 99 samples is ignored", "p10", "ignore", 99, ""},
		{"p10 of 100 samples counts", "p10", "ignore", 100, Alarm},
		{"p99 of one sample counts when asked to evaluate", "p99", "evaluate", 1, Alarm},
		{"an average is never of too few", "Average", "ignore", 1, Alarm},
	} {
		t.Run(tc.name, func(t *testing.T) {
			a := threshold50(1, 0, "missing")
			a.Statistic, a.LowSample = tc.statistic, tc.low
			got := Evaluate(a, []Point{{At: newest, Value: 99, Samples: tc.samples}}, newest)
			if got.State != tc.want || got.Kept != (tc.want == "") {
				t.Errorf("got %+v, want state %q", got, tc.want)
			}
		})
	}
}

func TestEvaluateReasons(t *testing.T) {
	low := threshold50(15, 0, "missing")
	low.Comparison, low.Threshold = "LessThanThreshold", 63
	precise := []Point{{At: time.Date(2026, 9, 17, 2, 53, 20, 0, time.UTC), Value: 0.2930688261985779, Samples: 2}}
	for _, tc := range []struct {
		name   string
		a      model.Alarm
		points []Point
		want   string
	}{
		{
			"one fine datapoint", threshold50(3, 0, "missing"), precise,
			"Threshold Crossed: 1 datapoint [0.2930688261985779 (17/09/26 02:53:20)] was not greater than the threshold (50.0).",
		},
		{
			"three breaching", threshold50(3, 0, "missing"), series("0 0 X X X"),
			"Threshold Crossed: 3 datapoints [99.5 (17/09/26 02:53:00), 99.5 (17/09/26 02:52:00), 99.5 (17/09/26 02:51:00)] were greater than the threshold (50.0).",
		},
		{
			"fifteen breaching name the newest five", low, series("- - 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0"),
			"Threshold Crossed: 15 datapoints were less than the threshold (63.0). The most recent datapoints which crossed the threshold: " +
				"[0.0 (17/09/26 02:53:00), 0.0 (17/09/26 02:52:00), 0.0 (17/09/26 02:51:00), 0.0 (17/09/26 02:50:00), 0.0 (17/09/26 02:49:00)].",
		},
		{
			"M of N into ALARM", threshold50(3, 2, "missing"), series("0 0 X 0 X"),
			"Threshold Crossed: 2 out of the last 3 datapoints [99.5 (17/09/26 02:53:00), 99.5 (17/09/26 02:51:00)] were greater than the threshold (50.0) (minimum 2 datapoints for OK -> ALARM transition).",
		},
		{
			"1 of 1 back to OK", threshold50(1, 1, "missing"), series("0"),
			"Threshold Crossed: 1 out of the last 1 datapoints [0.0 (17/09/26 02:53:00)] was not greater than the threshold (50.0) (minimum 1 datapoint for ALARM -> OK transition).",
		},
		{
			"5 of 5 into ALARM", threshold50(5, 5, "missing"), series("- - X X X X X"),
			"Threshold Crossed: 5 out of the last 5 datapoints were greater than the threshold (50.0). The most recent datapoints which crossed the threshold: " +
				"[99.5 (17/09/26 02:53:00), 99.5 (17/09/26 02:52:00), 99.5 (17/09/26 02:51:00), 99.5 (17/09/26 02:50:00), 99.5 (17/09/26 02:49:00)] (minimum 5 datapoints for OK -> ALARM transition).",
		},
		{"no data at all", threshold50(3, 0, "missing"), series("- - - - -"), "Insufficient Data: 3 datapoints were unknown."},
		{"no data in one period", threshold50(1, 0, "missing"), series("- - -"), "Insufficient Data: 1 datapoint was unknown."},
		{
			"no data taken as breaching", threshold50(2, 0, "breaching"), series("- - - -"),
			"Threshold Crossed: no datapoints were received for 2 periods and 2 missing datapoints were treated as [Breaching].",
		},
		{
			"some data and holes taken as breaching", threshold50(3, 2, "breaching"), series("- - - - 0"),
			"Threshold Crossed: 1 datapoint was received for 3 periods and 2 missing datapoints were treated as [Breaching].",
		},
		{
			"no data taken as fine", threshold50(1, 0, "notBreaching"), series("- - -"),
			"Threshold Crossed: no datapoints were received for 1 period and 1 missing datapoint was treated as [NonBreaching].",
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, Evaluate(tc.a, tc.points, newest).Reason); diff != "" {
				t.Errorf("reason (-want +got):\n%s", diff)
			}
		})
	}
}

func TestEvaluateReasonData(t *testing.T) {
	query := time.Date(2026, 9, 17, 2, 54, 1, 260e6, time.UTC)
	a := threshold50(2, 0, "missing")
	a.Unit = "Percent"
	want := `{"version":"1.0","queryDate":"2026-09-17T02:54:01.260+0000","startDate":"2026-09-17T02:52:00.000+0000","unit":"Percent",` +
		`"statistic":"Average","period":60,"recentDatapoints":[0.0,99.5],"threshold":50.0,"evaluatedDatapoints":[` +
		`{"timestamp":"2026-09-17T02:53:00.000+0000","sampleCount":2.0,"value":99.5},{"timestamp":"2026-09-17T02:52:00.000+0000","sampleCount":2.0,"value":0.0}]}`
	if diff := cmp.Diff(want, Evaluate(a, series("- - 0 X"), query).ReasonData); diff != "" {
		t.Errorf("with data (-want +got):\n%s", diff)
	}
	want = `{"version":"1.0","queryDate":"2026-09-17T02:54:01.260+0000","unit":"Percent","statistic":"Average","period":60,"recentDatapoints":[],"threshold":50.0,` +
		`"evaluatedDatapoints":[{"timestamp":"2026-09-17T02:53:00.000+0000"},{"timestamp":"2026-09-17T02:52:00.000+0000"}]}`
	if diff := cmp.Diff(want, Evaluate(a, series("- - - -"), query).ReasonData); diff != "" {
		t.Errorf("without data (-want +got):\n%s", diff)
	}
}

func TestDoubleIsWrittenAsJavaDoes(t *testing.T) {
	for v, want := range map[float64]string{0: "0.0", 50: "50.0", -2.5: "-2.5", 0.001: "0.001", 9999999: "9999999.0", 1e7: "1.0E7", 1.5e-4: "1.5E-4"} {
		if got := double(v); got != want {
			t.Errorf("double(%v) = %s, want %s", v, got, want)
		}
	}
}

// Whatever the data: with none missing the state is M of the last N, and no
// treatment of missing data matters.
func TestEvaluateWithoutHolesIsMOfN(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 6).Draw(t, "n")
		m := rapid.IntRange(1, n).Draw(t, "m")
		a := threshold50(n, m, rapid.SampledFrom([]string{"missing", "ignore", "breaching", "notBreaching"}).Draw(t, "missing"))
		marks := rapid.SliceOfN(rapid.SampledFrom([]string{"X", "0"}), Range(a), Range(a)).Draw(t, "marks")
		want := OK
		if strings.Count(strings.Join(marks[len(marks)-n:], ""), "X") >= m {
			want = Alarm
		}
		if got := Evaluate(a, series(strings.Join(marks, " ")), newest); got.State != want {
			t.Fatalf("%d of %d over %v: got %+v, want %s", m, n, marks, got, want)
		}
	})
}
