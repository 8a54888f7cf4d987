package app

import (
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"neargate/internal/decide/policy"
	"neargate/internal/metric"
	"neargate/internal/model"
)

// Two tasks at 30 and 50 %, read each second: their sum counts once a minute.
func TestPastLoadIsReadByTheMinute(t *testing.T) {
	store, err := metric.Open(filepath.Join(t.TempDir(), "metrics"), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	src := policy.SourcesOf("service/c/web", model.PredictiveMetrics{Target: 50, Pair: model.PredefinedMetric{Type: "ECSServiceCPUUtilization"}}).Load
	now := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	from := now.AddDate(0, 0, -3)
	put := func(at time.Time, resolution int) {
		t.Helper()
		d := model.Datum{ID: src.ID, At: at, Unit: "Percent", Values: []float64{30, 50}, Gauge: true, Resolution: resolution}
		if err := store.Put(now, []model.Datum{d}); err != nil {
			t.Fatal(err)
		}
	}
	put(from, 60)
	put(from.Add(2*time.Minute), 60)
	for s := range 60 {
		put(now.Add(-time.Minute+time.Duration(s)*time.Second), 1)
	}
	got, err := pastLoad{store}.Minutes(src, from, now)
	if err != nil {
		t.Fatal(err)
	}
	want := []time.Time{from, from.Add(2 * time.Minute), now.Add(-time.Minute)}
	if len(got) != len(want) {
		t.Fatalf("%d minutes, want %d: %v", len(got), len(want), got)
	}
	for i, m := range got {
		if !m.At.Equal(want[i]) || m.Value != 80 {
			t.Errorf("minute %d: %v at %s, want 80 at %s", i, m.Value, m.At, want[i])
		}
	}
}
