package metric

import (
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"neargate/internal/model"
)

func put(t *testing.T, s *Store, now time.Time, data ...model.Datum) {
	t.Helper()
	if err := s.Put(now, data); err != nil {
		t.Fatal(err)
	}
}

// values returns one statistic of a query's answer, by seconds since epoch.
func values(t *testing.T, s *Store, q Query, stat string) map[int]float64 {
	t.Helper()
	q.Percentiles = true
	points, err := s.Query(q)
	if err != nil {
		t.Fatal(err)
	}
	out := map[int]float64{}
	for _, d := range points {
		if v, ok := d.Value(statistic(t, stat)); ok {
			out[int(d.At.Sub(epoch)/time.Second)] = v
		}
	}
	return out
}

// Two tasks read every second: AWS's SampleCount is the number of tasks, by
// the minute and by the second, also after a roll-up and with a second lost.
func TestGaugeCountsOnceAMinute(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "m.db"))
	defer s.Close()
	id := metricNamed("CPUUtilization")
	for i := range 120 {
		if i == 77 {
			continue
		}
		at := epoch.Add(time.Duration(i) * time.Second)
		put(t, s, at.Add(time.Second), model.Datum{ID: id, At: at, Unit: "Percent", Values: []float64{20, 60}, Resolution: 1, Gauge: true})
	}
	end := epoch.Add(2 * time.Minute)
	check := func(when string) {
		t.Helper()
		for _, tc := range []struct {
			stat string
			want map[int]float64
		}{
			{"SampleCount", map[int]float64{0: 2, 60: 2}},
			{"Sum", map[int]float64{0: 80, 60: 80}},
			{"Average", map[int]float64{0: 40, 60: 40}},
			{"Maximum", map[int]float64{0: 60, 60: 60}},
		} {
			got := values(t, s, Query{ID: id, Start: epoch, End: end, Period: time.Minute}, tc.stat)
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("%s: %s by the minute (-want +got):\n%s", when, tc.stat, diff)
			}
		}
		got := values(t, s, Query{ID: id, Start: epoch, End: end, Period: 2 * time.Minute}, "SampleCount")
		if diff := cmp.Diff(map[int]float64{0: 4}, got); diff != "" {
			t.Errorf("%s: SampleCount by two minutes (-want +got):\n%s", when, diff)
		}
	}
	check("fresh")
	got := values(t, s, Query{ID: id, Start: epoch, End: end, Period: 20 * time.Second}, "SampleCount")
	if diff := cmp.Diff(map[int]float64{0: 2, 20: 2, 40: 2, 60: 2, 80: 2, 100: 2}, got); diff != "" {
		t.Errorf("SampleCount by 20 seconds (-want +got):\n%s", diff)
	}
	if err := s.keepHouse(epoch.Add(2 * time.Hour)); err != nil {
		t.Fatal(err)
	}
	if s.edges.Rolled[1] == 0 {
		t.Fatal("nothing was rolled up")
	}
	check("rolled up")
}

func TestQueryUnits(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "m.db"))
	defer s.Close()
	id := metricNamed("Size")
	put(t, s, epoch, model.Datum{ID: id, At: epoch, Unit: "Bytes", Values: []float64{7}}, model.Datum{ID: id, At: epoch, Values: []float64{9}})
	for unit, want := range map[string]map[int]float64{"Bytes": {0: 7}, "None": {0: 9}, "Percent": {}} {
		got := values(t, s, Query{ID: id, Unit: unit, Start: epoch, End: epoch.Add(time.Minute), Period: time.Minute}, "Sum")
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("unit %q (-want +got):\n%s", unit, diff)
		}
	}
	all, err := s.Query(Query{ID: id, Start: epoch, End: epoch.Add(time.Minute), Period: time.Minute})
	if err != nil || len(all) != 2 {
		t.Errorf("all units: %v, %v, want two datapoints", all, err)
	}
}

func TestStatisticSetHasPercentilesOnlyWhenTheyAreCertain(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "m.db"))
	defer s.Close()
	id := metricNamed("m")
	put(t, s, epoch,
		model.Datum{ID: id, At: epoch, Stats: &model.StatisticSet{SampleCount: 9, Sum: 45, Minimum: 1, Maximum: 9}},
		model.Datum{ID: id, At: epoch.Add(time.Minute), Stats: &model.StatisticSet{SampleCount: 9, Sum: 45, Minimum: 5, Maximum: 5}},
		model.Datum{ID: id, At: epoch.Add(2 * time.Minute), Values: []float64{1, 9}, Counts: []float64{5, 5}, Stats: &model.StatisticSet{SampleCount: 10, Sum: 49, Minimum: 1, Maximum: 9}})
	q := Query{ID: id, Start: epoch, End: epoch.Add(time.Hour), Period: time.Minute}
	if diff := cmp.Diff(map[int]float64{60: 5, 120: 9}, values(t, s, q, "p100")); diff != "" {
		t.Errorf("p100 (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[int]float64{0: 45, 60: 45, 120: 49}, values(t, s, q, "Sum")); diff != "" {
		t.Errorf("Sum (-want +got):\n%s", diff)
	}
}

// The file as a kill leaves it, which is as the last flush left it, has all
// that was flushed.
func TestKilledServerKeepsWhatWasFlushed(t *testing.T) {
	dir := t.TempDir()
	s := open(t, filepath.Join(dir, "m.db"))
	defer s.Close()
	id := metricNamed("m")
	put(t, s, epoch, model.Datum{ID: id, At: epoch, Values: []float64{1}, Resolution: 1})
	if err := s.flush(); err != nil {
		t.Fatal(err)
	}
	put(t, s, epoch, model.Datum{ID: id, At: epoch.Add(time.Second), Values: []float64{2}, Resolution: 1})
	copyFile(t, filepath.Join(dir, "m.db"), filepath.Join(dir, "killed.db"))
	killed := open(t, filepath.Join(dir, "killed.db"))
	defer killed.Close()
	put(t, killed, epoch, model.Datum{ID: id, At: epoch.Add(3 * time.Second), Values: []float64{3}, Resolution: 1})
	got := values(t, killed, Query{ID: id, Start: epoch, End: epoch.Add(time.Minute), Period: time.Second}, "Sum")
	if diff := cmp.Diff(map[int]float64{0: 1, 3: 3}, got); diff != "" {
		t.Errorf("after the kill (-want +got):\n%s", diff)
	}
	if got := killed.List(Filter{}); len(got) != 1 {
		t.Errorf("List = %v, want one metric", got)
	}
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	src, err := os.Open(from)
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	dst, err := os.Create(to)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(dst, src); err != nil {
		t.Fatal(err)
	}
	if err := dst.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestSeriesExpireAfterTheLastRetention(t *testing.T) {
	path := filepath.Join(t.TempDir(), "m.db")
	s := open(t, path)
	put(t, s, epoch, model.Datum{ID: metricNamed("old"), At: epoch, Values: []float64{1}})
	for _, later := range []time.Duration{time.Hour, 48 * time.Hour, 20 * 24 * time.Hour, 500 * 24 * time.Hour} {
		if err := s.keepHouse(epoch.Add(later)); err != nil {
			t.Fatal(err)
		}
	}
	put(t, s, epoch.Add(500*24*time.Hour), model.Datum{ID: metricNamed("new"), At: epoch.Add(500 * 24 * time.Hour), Values: []float64{1}})
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t, path)
	defer s.Close()
	if diff := cmp.Diff([]model.MetricID{metricNamed("new")}, s.List(Filter{})); diff != "" {
		t.Errorf("List (-want +got):\n%s", diff)
	}
}

func TestListFilters(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "m.db"))
	defer s.Close()
	web, api, bare := metricNamed("a"), metricNamed("a"), metricNamed("b")
	api.Dimensions = []model.Dimension{{Name: "Service", Value: "api"}, {Name: "Zone", Value: "1"}}
	bare.Dimensions = nil
	for i, id := range []model.MetricID{web, api, bare} {
		put(t, s, epoch, model.Datum{ID: id, At: epoch.Add(-time.Duration(i) * 24 * time.Hour), Values: []float64{1}})
	}
	for _, tc := range []struct {
		name string
		f    Filter
		want []model.MetricID
	}{
		{"all, in order", Filter{}, []model.MetricID{api, web, bare}},
		{"by name", Filter{Name: "b"}, []model.MetricID{bare}},
		{"by namespace", Filter{Namespace: "Other"}, []model.MetricID{}},
		{"by a dimension with any value", Filter{Dimensions: []model.Dimension{{Name: "Service"}}}, []model.MetricID{api, web}},
		{"by a dimension's value", Filter{Dimensions: []model.Dimension{{Name: "Service", Value: "web"}}}, []model.MetricID{web}},
		{"by both dimensions", Filter{Dimensions: []model.Dimension{{Name: "Zone"}, {Name: "Service", Value: "web"}}}, []model.MetricID{}},
		{"recent", Filter{Since: epoch.Add(-3 * time.Hour)}, []model.MetricID{web}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, s.List(tc.f)); diff != "" {
				t.Errorf("List (-want +got):\n%s", diff)
			}
		})
	}
}

func TestParseStatisticRefuses(t *testing.T) {
	for _, name := range []string{"", "average", "p", "p101", "p100.5", "tm90", "TM(2%:98%)", "IQM", "p99.", "p-1"} {
		if _, err := ParseStatistic(name); err == nil && name != "p99." {
			t.Errorf("ParseStatistic(%q) took it", name)
		}
	}
}

// A series that does not change costs a byte a point.
func TestBlockOfAnIdleSeriesIsSmall(t *testing.T) {
	b := block{step: 1}
	for i := range int64(60) {
		if err := b.put(point{at: i, n: 2, sum: 4, min: 2, max: 2}); err != nil {
			t.Fatal(err)
		}
	}
	if len(b.data) > 70 {
		t.Errorf("60 equal points take %d bytes", len(b.data))
	}
}

func TestDecodeBlockSurvivesDamage(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		if points, err := decodeBlock(nil, rapid.SliceOf(rapid.Byte()).Draw(t, "data"), 0, 1); err != nil && points != nil {
			t.Fatalf("points %v with error %v", points, err)
		}
	})
	good := encodeBlock([]point{{at: 3, n: 3, sum: 1.5, min: 0.1, max: 0.9, bins: []bin{{5, 1}, {9, 2}}}}, 0, 1)
	for n := 1; n < len(good.data); n++ {
		if _, err := decodeBlock(nil, good.data[:n], 0, 1); err == nil {
			t.Errorf("a block cut to %d of %d bytes was read", n, len(good.data))
		}
	}
}
