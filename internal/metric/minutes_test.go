package metric

import (
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"neargate/internal/decide/policy"
	"neargate/internal/model"
)

// Two tasks at 30 and 50 %, read each second: their sum counts once a minute.
func TestMinutes(t *testing.T) {
	store, err := Open(filepath.Join(t.TempDir(), "metrics"), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	src := policy.SourcesOf("service/c/web", model.PredictiveMetrics{Target: 50, Pair: model.PredictiveMetric{Type: "ECSServiceCPUUtilization"}}).Load
	now := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	from := now.AddDate(0, 0, -3)
	put := func(at time.Time, resolution int) {
		t.Helper()
		d := model.Datum{ID: src[0].Metric, At: at, Unit: "Percent", Values: []float64{30, 50}, Gauge: true, Resolution: resolution}
		if err := store.Put(now, []model.Datum{d}); err != nil {
			t.Fatal(err)
		}
	}
	put(from, 60)
	put(from.Add(2*time.Minute), 60)
	for s := range 60 {
		put(now.Add(-time.Minute+time.Duration(s)*time.Second), 1)
	}
	got, err := store.Minutes(src, from, now)
	if err != nil {
		t.Fatal(err)
	}
	want := []time.Time{from, from.Add(2 * time.Minute), now.Add(-time.Minute)}
	if len(got) != len(want) {
		t.Fatalf("%d minutes, want %d: %v", len(got), len(want), got)
	}
	math := []model.MetricQuery{
		{ID: "cpu", Metric: src[0].Metric, Statistic: "Sum", ReturnData: new(false)},
		{ID: "half", Expression: "cpu / 2"},
		{ID: "never", Expression: "cpu / 0", ReturnData: new(false)},
	}
	halves, err := store.Minutes(math, from, now)
	if err != nil || len(halves) != 3 || halves[2].Value != 40 || !halves[2].At.Equal(want[2]) {
		t.Errorf("metric math: %v, %v", halves, err)
	}
	math[1].ReturnData, math[2].ReturnData = new(false), nil
	if none, err := store.Minutes(math, from, now); err != nil || len(none) > 0 {
		t.Errorf("a division by zero: %v, %v, want no data", none, err)
	}
	for i, m := range got {
		if !m.At.Equal(want[i]) || m.Value != 80 {
			t.Errorf("minute %d: %v at %s, want 80 at %s", i, m.Value, m.At, want[i])
		}
	}
}
