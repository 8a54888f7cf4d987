package metric

import (
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	bolt "go.etcd.io/bbolt"
	"pgregory.net/rapid"

	"neargate/internal/model"
)

// copyFiles copies those of the files path+suffix that are there, each with
// more at its end.
func copyFiles(tb rapid.TB, path, to string, more []byte, suffixes ...string) {
	tb.Helper()
	for _, suffix := range suffixes {
		content, err := os.ReadFile(path + suffix)
		if os.IsNotExist(err) {
			continue
		}
		if err == nil {
			err = os.WriteFile(to+suffix, append(content, more...), 0o600)
		}
		if err != nil {
			tb.Fatal(err)
		}
	}
}

// crash opens what a server that was killed leaves: the files of the store at
// path as they are, with a torn entry after each part of the journal. If it is
// killed while it flushes, the journal is not yet emptied.
func crash(tb rapid.TB, s *Store, path, to string, flushing bool, torn []byte) *Store {
	tb.Helper()
	copyFiles(tb, path, to, torn, ".journal-0", ".journal-1")
	if flushing {
		if err := s.flush(); err != nil {
			tb.Fatal(err)
		}
	}
	copyFiles(tb, path, to, nil, "")
	_ = s.Close()
	s, err := openAt(to, slog.New(slog.DiscardHandler), bolt.Options{NoSync: true})
	if err != nil {
		tb.Fatal(err)
	}
	return s
}

// Whenever the server is killed, each datapoint that was acknowledged counts
// once: neither lost nor taken twice, also where it was rolled up meanwhile.
func TestAcknowledgedDatapointsCountOnce(t *testing.T) {
	dir := t.TempDir()
	run := 0
	rapid.Check(t, func(rt *rapid.T) {
		run++
		path := filepath.Join(dir, fmt.Sprint(run), "metrics")
		s := open(t, path)
		defer func() { _ = s.Close() }()
		now, want := epoch, 0.0
		ids := []model.MetricID{metricNamed("a"), metricNamed("b")}
		for step := range rapid.IntRange(5, 40).Draw(rt, "steps") {
			switch rapid.SampledFrom([]string{"put", "put", "put", "late", "plain", "flush", "house", "kill"}).Draw(rt, "step") {
			case "put":
				d := model.Datum{ID: ids[step%2], At: now, Values: []float64{1}, Resolution: 1}
				if err := s.PutDurably(now, []model.Datum{d}); err != nil {
					rt.Fatal(err)
				}
				want++
			case "late":
				age := time.Duration(rapid.IntRange(1, 3600).Draw(rt, "age")) * time.Second
				d := model.Datum{ID: ids[step%2], At: now.Add(-age), Values: []float64{1, 1}, Resolution: 60}
				if err := s.PutDurably(now, []model.Datum{d}); err != nil {
					rt.Fatal(err)
				}
				want += 2
			case "plain": // not acknowledged: may go
				d := model.Datum{ID: metricNamed("collected"), At: now, Values: []float64{1}, Resolution: 1}
				if err := s.Put(now, []model.Datum{d}); err != nil {
					rt.Fatal(err)
				}
			case "flush":
				if err := s.flush(); err != nil {
					rt.Fatal(err)
				}
			case "house":
				now = now.Add(time.Duration(rapid.IntRange(1, 900).Draw(rt, "seconds")) * time.Second)
				if err := s.keepHouse(now); err != nil {
					rt.Fatal(err)
				}
			case "kill":
				to := fmt.Sprintf("%s-%d", path, step)
				torn := rapid.SliceOfN(rapid.Byte(), 0, 30).Draw(rt, "torn")
				s, path = crash(rt, s, path, to, rapid.Bool().Draw(rt, "flushing"), torn), to
			}
		}
		got := 0.0
		for _, id := range ids {
			points, err := s.Query(Query{ID: id, Start: epoch.Add(-2 * time.Hour), End: now.Add(24 * time.Hour), Period: time.Hour})
			if err != nil {
				rt.Fatal(err)
			}
			for _, p := range points {
				n, _ := p.Value(statistic(rt, "SampleCount"))
				got += n
			}
		}
		if got != want {
			rt.Fatalf("%v datapoints, want the %v that were acknowledged", got, want)
		}
	})
}

// Under load the parts of the journal are emptied in turn.
func TestJournalStaysSmall(t *testing.T) {
	path := filepath.Join(t.TempDir(), "metrics")
	s := open(t, path)
	defer s.Close()
	var wg sync.WaitGroup
	for w := range 4 {
		wg.Go(func() {
			for i := range 100 {
				d := model.Datum{ID: metricNamed(fmt.Sprint(w)), At: epoch.Add(time.Duration(i) * time.Second), Values: []float64{1}, Resolution: 1}
				if err := s.PutDurably(epoch, []model.Datum{d}); err != nil {
					t.Error(err)
				}
				if i%10 == 9 {
					if err := s.flush(); err != nil {
						t.Error(err)
					}
				}
			}
		})
	}
	wg.Wait()
	if err := s.flush(); err != nil {
		t.Fatal(err)
	}
	for _, p := range s.journal.parts {
		if info, err := os.Stat(p.path); err == nil && info.Size() > 0 {
			t.Errorf("%s has %d bytes after everything was written", p.path, info.Size())
		}
	}
}

func TestDamagedMetricsArePutAside(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "metrics")
	if err := os.WriteFile(path, []byte("no datapoints at all"), 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := Open(path, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	aside, err := filepath.Glob(path + ".damaged-*")
	if err != nil || len(aside) != 1 {
		t.Errorf("put aside: %v, %v, want the damaged file", aside, err)
	}
}
