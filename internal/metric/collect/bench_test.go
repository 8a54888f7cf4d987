package collect

import (
	"fmt"
	"log/slog"
	"math/rand/v2"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"neargate/internal/metric"
	"neargate/internal/model"
)

// thousand is a thousand services of two tasks, each behind a load balancer of
// its own; one in ten is busy.
type thousand struct {
	rng *rand.Rand
	cur readings
}

func newThousand() *thousand {
	w := &thousand{rng: rand.New(rand.NewPCG(1, 2)), cur: readings{at: t0, read: t0}}
	var values []float64
	for v := 0.001; v < 60; v *= 1.02 {
		values = append(values, v)
	}
	for i := range 1000 {
		tg, lb := fmt.Sprintf("%s%d", tgARN, i), fmt.Sprintf("%s%d", lbARN, i)
		a, b := fmt.Sprint("a", i), fmt.Sprint("b", i)
		w.cur.services = append(w.cur.services, model.ServiceTasks{Cluster: "c", Service: fmt.Sprint("s", i), Running: []string{a, b}, CPUUnits: 256, MemoryMiB: 512, TargetGroupARNs: []string{tg}})
		w.cur.samples = append(w.cur.samples, model.Sample{TaskID: a, At: t0, Memory: 50 << 20}, model.Sample{TaskID: b, At: t0, Memory: 51 << 20})
		w.cur.groups = append(w.cur.groups, model.TargetGroupTraffic{TargetGroupARN: tg, LoadBalancerARN: lb, Healthy: 2, ResponseTime: model.Buckets{Values: values, Counts: make([]uint64, len(values))}})
		w.cur.balancers = append(w.cur.balancers, model.LoadBalancerTraffic{LoadBalancerARN: lb})
	}
	return w
}

// next returns the readings one second later.
func (w *thousand) next() readings {
	n := w.cur
	n.at, n.read = n.at.Add(time.Second), n.read.Add(time.Second)
	n.samples = append([]model.Sample(nil), n.samples...)
	n.groups = append([]model.TargetGroupTraffic(nil), n.groups...)
	for i := range n.samples {
		n.samples[i].At = n.read
		if i/2%10 == 0 {
			n.samples[i].CPU += time.Duration(w.rng.IntN(250)) * time.Millisecond
		}
	}
	for i := range n.groups {
		if i%10 != 0 {
			continue
		}
		g := &n.groups[i]
		counts := append([]uint64(nil), g.ResponseTime.Counts...)
		for range 100 {
			at := w.rng.IntN(len(counts) / 4)
			counts[at]++
			g.ResponseTime.Sum += g.ResponseTime.Values[at]
		}
		g.ResponseTime.Counts = counts
		g.Arrivals += 100
		g.Completed += 100
		g.Status[2] += 100
	}
	w.cur = n
	return n
}

// One op is one second of a thousand services: computed, and put in the store.
// b.N seconds go by; "heap-MB" is what the store holds at their end.
func BenchmarkSecondOfAThousandServices(b *testing.B) {
	s, err := metric.Open(filepath.Join(b.TempDir(), "m.db"), slog.New(slog.DiscardHandler))
	if err != nil {
		b.Fatal(err)
	}
	var before, after runtime.MemStats
	w := newThousand()
	prev := w.cur
	runtime.GC()
	runtime.ReadMemStats(&before)
	data := 0
	for b.Loop() {
		b.StopTimer()
		cur := w.next()
		b.StartTimer()
		_, d := compute(prev, cur)
		if err := s.Put(cur.read, d); err != nil {
			b.Fatal(err)
		}
		prev, data = cur, len(d)
	}
	b.StopTimer()
	runtime.GC()
	runtime.ReadMemStats(&after)
	b.ReportMetric(float64(int64(after.HeapAlloc)-int64(before.HeapAlloc))/1e6, "heap-MB")
	b.ReportMetric(float64(data), "datapoints/op")
	if err := s.Close(); err != nil {
		b.Fatal(err)
	}
}
