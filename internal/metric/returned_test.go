package metric

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"neargate/internal/model"
)

func TestReturnedGivesCompleteDatapoints(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "m.db"))
	defer s.Close()
	at := epoch.Truncate(time.Hour).Add(time.Hour)
	slow, quick := model.MetricID{Namespace: "Shop", Name: "Orders"}, model.MetricID{Namespace: "Shop", Name: "Depth"}
	for i := range 130 { // up to 02:10
		now := at.Add(time.Duration(i) * time.Second)
		put(t, s, now, model.Datum{ID: quick, At: now, Values: []float64{float64(i)}, Resolution: 1})
		if i%30 == 15 {
			put(t, s, now, model.Datum{ID: slow, At: now, Values: []float64{float64(i)}})
		}
	}
	now := at.Add(130*time.Second + 300*time.Millisecond)
	one := func(id model.MetricID, statistic string) []model.MetricQuery {
		return []model.MetricQuery{{ID: "m1", Metric: id, Statistic: statistic, Period: time.Minute}}
	}
	math := append(one(quick, "Average"), model.MetricQuery{ID: "e1", Expression: "m1 * 2"})
	math[0].ReturnData = new(false)
	both := append(one(slow, "Average"), model.MetricQuery{ID: "m2", Metric: quick, Statistic: "Average", Period: time.Minute}, model.MetricQuery{ID: "e1", Expression: "m1 + m2"})
	both[0].ReturnData, both[1].ReturnData = new(false), new(false)
	reading := func(second int, period time.Duration, v float64) model.Reading {
		return model.Reading{Start: at.Add(time.Duration(second) * time.Second), Period: period, Value: v}
	}
	for name, c := range map[string]struct {
		queries []model.MetricQuery
		fine    bool
		n       int
		last    model.Reading
	}{
		"by the minute":                      {one(slow, "Average"), false, 2, reading(60, time.Minute, 90)},
		"by the minute, as it is published":  {one(slow, "Average"), true, 2, reading(60, time.Minute, 90)},
		"by the second":                      {one(quick, "Average"), true, 90, reading(128, time.Second, 128)},
		"by the minute, as it is asked for":  {one(quick, "Average"), false, 2, reading(60, time.Minute, 89.5)},
		"a sum is of a minute":               {one(quick, "Sum"), true, 2, reading(60, time.Minute, 5370)},
		"math by the second":                 {math, true, 90, reading(128, time.Second, 256)},
		"math of a slow and a quick metric":  {both, true, 2, reading(60, time.Minute, 179.5)},
		"a metric that nobody has published": {one(model.MetricID{Namespace: "Shop", Name: "None"}, "Average"), true, 0, model.Reading{}},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := s.Returned(c.queries, c.fine, now)
			if err != nil || len(got) != c.n {
				t.Fatalf("%d datapoints, %v, want %d: %+v", len(got), err, c.n, got)
			}
			if c.n > 0 {
				if diff := cmp.Diff(c.last, got[c.n-1]); diff != "" {
					t.Errorf("newest (-want +got):\n%s", diff)
				}
			}
		})
	}
}
