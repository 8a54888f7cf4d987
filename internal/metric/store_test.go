package metric

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	bolt "go.etcd.io/bbolt"
	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"neargate/internal/model"
	"neargate/internal/store"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var epoch = time.Date(2026, 9, 17, 2, 0, 0, 0, time.UTC)

func open(tb testing.TB, path string) *Store {
	tb.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		tb.Fatal(err)
	}
	s, err := openAt(path, slog.New(slog.DiscardHandler), bolt.Options{NoSync: true}) // what is tested is not the disk
	if err != nil {
		tb.Fatal(err)
	}
	return s
}

func metricNamed(name string) model.MetricID {
	return model.MetricID{Namespace: "Test", Name: name, Dimensions: []model.Dimension{{Name: "Service", Value: "web"}}}
}

func statistic(t rapid.TB, name string) Statistic {
	t.Helper()
	st, err := ParseStatistic(name)
	if err != nil {
		t.Fatal(err)
	}
	return st
}

// fact is a value that was put, for the brute-force answer.
type fact struct {
	at    int64
	value float64
}

// One second or one year of data, late or in time, whatever was flushed,
// rolled up, pruned and reopened meanwhile: statistics equal those of the
// plain list of values, and percentiles are within 2 %.
func TestQueryAgainstBruteForce(t *testing.T) {
	dir := t.TempDir()
	run := 0
	rapid.Check(t, func(rt *rapid.T) {
		run++
		path := filepath.Join(dir, fmt.Sprint(run, ".db"))
		s := open(t, path)
		defer func() {
			if err := s.Close(); err != nil {
				rt.Error(err)
			}
			os.Remove(path)
		}()
		id, now := metricNamed("m"), epoch.Unix()
		var facts []fact
		for range rapid.IntRange(1, 25).Draw(rt, "steps") {
			switch rapid.IntRange(0, 5).Draw(rt, "do") {
			case 0:
				now += rapid.SampledFrom([]int64{1, 50, 3600, 9 * hour, 5 * day, 30 * day}).Draw(rt, "later")
			case 1:
				if err := s.keepHouse(time.Unix(now, 0)); err != nil {
					rt.Fatal(err)
				}
			case 2:
				if err := s.Close(); err != nil {
					rt.Fatal(err)
				}
				s = open(t, path)
			default:
				facts = append(facts, putSome(rt, s, id, now)...)
			}
		}
		for range 5 {
			checkQuery(rt, s, id, facts, now)
		}
	})
}

func putSome(rt *rapid.T, s *Store, id model.MetricID, now int64) []fact {
	var facts []fact
	at := now - rapid.SampledFrom([]int64{0, 0, 0, 30, 200, 2 * hour, 2 * day}).Draw(rt, "age")
	for range rapid.IntRange(1, 20).Draw(rt, "points") {
		values := rapid.SliceOfN(rapid.OneOf(
			rapid.Float64Range(-5, 100), rapid.Just(0.0), rapid.Map(rapid.IntRange(0, 10), func(i int) float64 { return float64(i) }),
		), 1, 8).Draw(rt, "values")
		d := model.Datum{ID: id, At: time.Unix(at, 0), Values: values, Resolution: 1}
		if err := s.Put(time.Unix(now, 0), []model.Datum{d}); err != nil {
			rt.Fatal(err)
		}
		for _, v := range values {
			facts = append(facts, fact{at, v})
		}
		at = min(now, at+rapid.Int64Range(0, 90).Draw(rt, "gap"))
	}
	return facts
}

func checkQuery(rt *rapid.T, s *Store, id model.MetricID, facts []fact, now int64) {
	// How far back, and with what period, must fit what is kept there.
	age := rapid.SampledFrom([]int64{100, 2 * hour, 14 * day, 60 * day, 400 * day}).Draw(rt, "query age")
	periods, align := []int64{1, 5, 20, 60, 120}, int64(1)
	switch {
	case age > 60*day:
		periods, align = []int64{3600, 86400}, hour
	case age > 14*day:
		periods, align = []int64{300, 3600, 86400}, 300
	case age > 2*hour:
		periods, align = []int64{60, 180, 300, 3600, 86400}, minute
	}
	period := rapid.SampledFrom(periods).Draw(rt, "period")
	if period >= minute {
		align = max(align, minute)
	}
	start := floor(now-age+rapid.Int64Range(0, 2*hour).Draw(rt, "begin"), align)
	end := start + period*rapid.Int64Range(1, 200).Draw(rt, "periods")
	got, err := s.Query(Query{ID: id, Start: time.Unix(start, 0), End: time.Unix(end, 0), Period: time.Duration(period) * time.Second, Percentiles: true})
	if err != nil {
		rt.Fatal(err)
	}
	want := map[int64][]float64{}
	for _, f := range facts {
		if f.at >= start && f.at < end {
			at := start + floor(f.at-start, period)
			want[at] = append(want[at], f.value)
		}
	}
	if len(got) != len(want) {
		rt.Fatalf("period %d from %d to %d: %d datapoints, want %d", period, start-now, end-now, len(got), len(want))
	}
	for _, d := range got {
		checkDatapoint(rt, d, want[d.At.Unix()])
	}
}

func checkDatapoint(rt *rapid.T, d Datapoint, values []float64) {
	if len(values) == 0 {
		rt.Fatalf("a datapoint at %v where nothing was put", d.At)
	}
	slices.SortFunc(values, cmp.Compare[float64])
	sum := 0.0
	for _, v := range values {
		sum += v
	}
	n := float64(len(values))
	for name, want := range map[string]float64{"SampleCount": n, "Sum": sum, "Average": sum / n, "Minimum": values[0], "Maximum": values[len(values)-1]} {
		if got, ok := d.Value(statistic(rt, name)); !ok || math.Abs(got-want) > 1e-9*max(1, math.Abs(want)) {
			rt.Fatalf("%s of %v = %v, %v, want %v", name, values, got, ok, want)
		}
	}
	for _, percent := range []float64{0.1, 10, 50, 90, 99, 99.9} {
		want := values[int(math.Ceil(percent/100*n))-1]
		got, ok := d.Value(statistic(rt, fmt.Sprint("p", percent)))
		if !ok || math.Abs(got-want) > 0.02*math.Abs(want)+1e-100 {
			rt.Fatalf("p%v of %v = %v, %v, want %v", percent, values, got, ok, want)
		}
	}
}

func TestOpenRefusesAFileInUse(t *testing.T) {
	path := filepath.Join(t.TempDir(), "sub", "metrics.db")
	s := open(t, path)
	defer s.Close()
	if _, err := Open(path, slog.New(slog.DiscardHandler)); !errors.Is(err, store.ErrLocked) {
		t.Errorf("second Open: %v, want ErrLocked", err)
	}
}
