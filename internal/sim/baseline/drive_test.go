package baseline

import (
	"testing"
	"time"

	"neargate/internal/model"
	"neargate/internal/sim"
)

func setting(initial int) Setting {
	return Setting{Min: 2, Max: 20, Initial: initial, Target: 50, VCPU: 1}
}

// contestant is a scaler that the driver can feed.
type contestant interface {
	See(v sim.View)
	Second(s model.ServiceSecond) (int, string)
}

// world feeds a scaler by hand. Tasks take start seconds; old ones have been
// there for an hour.
type world struct {
	t     *testing.T
	s     contestant
	now   int
	start float64
	tasks []sim.TaskView
	next  int
}

func newWorld(t *testing.T, s contestant, tasks int, start float64) *world {
	t.Helper()
	w := &world{t: t, s: s, start: start}
	for range tasks {
		w.tasks = append(w.tasks, sim.TaskView{Number: w.next, Ordered: -3600, Ready: -3600, Serving: true})
		w.next++
	}
	return w
}

// until runs to second end with a load in vCPU, which the serving tasks share
// as far as they can, and requests at once.
func (w *world) until(end int, load float64, atOnce int) *world {
	for w.now < end {
		w.now++
		serving := 0
		for i := range w.tasks {
			w.tasks[i].Serving = w.tasks[i].Ready < float64(w.now)
			if w.tasks[i].Serving {
				serving++
			}
		}
		for i := range w.tasks {
			w.tasks[i].CPU = 0
			if w.tasks[i].Serving {
				w.tasks[i].CPU = min(load/float64(serving), 1)
			}
		}
		w.s.See(sim.View{At: w.now - 1, Rate: load * 10, Tasks: w.tasks})
		n, _ := w.s.Second(model.ServiceSecond{
			At: time.Unix(int64(w.now), 0), Interval: time.Second, Running: serving, InFlight: atOnce, Arrivals: atOnce,
		})
		for len(w.tasks) > n {
			w.tasks = w.tasks[:len(w.tasks)-1]
		}
		for len(w.tasks) < n {
			w.tasks = append(w.tasks, sim.TaskView{Number: w.next, Ordered: float64(w.now), Ready: float64(w.now) + w.start})
			w.next++
		}
	}
	return w
}

// has expects a count at this time.
func (w *world) has(count int) *world {
	w.t.Helper()
	if len(w.tasks) != count {
		w.t.Fatalf("second %d: %d tasks, want %d", w.now, len(w.tasks), count)
	}
	return w
}
