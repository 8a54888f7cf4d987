package metric

import (
	"path/filepath"
	"sync"
	"testing"
	"time"

	"neargate/internal/model"
)

// The collector puts, clients publish late data and read, and the house is kept
// (with hours going by, so that there is always something to roll up), all at
// once: no value is lost or counted twice.
func TestStoreUnderConcurrentUse(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "m.db"))
	defer s.Close()
	live, late := metricNamed("live"), metricNamed("late")
	const seconds = 4000
	at := func(i int) time.Time { return epoch.Add(time.Duration(i) * 5 * time.Second) } // more than five hours
	var work, readers sync.WaitGroup
	done := make(chan struct{})
	work.Go(func() {
		for i := range seconds {
			data := []model.Datum{{ID: live, At: at(i), Values: []float64{1}, Resolution: 1}}
			if err := s.Put(at(i), data); err != nil {
				t.Error(err)
			}
			if i%20 == 0 {
				if err := s.keepHouse(at(i)); err != nil {
					t.Error(err)
				}
			}
		}
	})
	work.Go(func() {
		for i := range seconds {
			// Up to four hours old by the clock of the one who keeps house.
			data := []model.Datum{{ID: late, At: at(i % 1000), Values: []float64{1, 2}, Resolution: 1}}
			if err := s.Put(at(1000+i%1000), data); err != nil {
				t.Error(err)
			}
		}
	})
	for _, id := range []model.MetricID{live, late} {
		readers.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				if _, err := s.Query(Query{ID: id, Start: epoch, End: at(seconds), Period: time.Minute, Percentiles: true}); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	work.Wait()
	close(done)
	readers.Wait()
	if err := s.keepHouse(at(seconds).Add(2 * time.Hour)); err != nil {
		t.Fatal(err)
	}
	for id, want := range map[string]float64{"live": seconds, "late": 2 * seconds} {
		got := 0.0
		for _, n := range values(t, s, Query{ID: metricNamed(id), Start: epoch, End: at(seconds), Period: time.Hour}, "SampleCount") {
			got += n
		}
		if got != want {
			t.Errorf("%s: %v values, want %v", id, got, want)
		}
	}
}
