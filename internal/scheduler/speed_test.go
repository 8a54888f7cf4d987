package scheduler

import (
	"testing"
	"time"

	"neargate/internal/ecs"
)

// BenchmarkOrderToEngine measures from the call of SetDesiredCount until the
// engine is asked to run the task, one fsync included.
func BenchmarkOrderToEngine(b *testing.B) {
	r := newRig(b)
	r.create(0, func(req *ecs.CreateServiceRequest) { req.Settings.LoadBalancers = nil })
	for b.Loop() {
		b.StopTimer()
		r.until("as ordered", func() bool { svc, _ := r.Service("c", "s"); return len(r.running()) == svc.DesiredCount })
		r.desire(0)
		r.until("none", func() bool { return len(r.states()) == 0 })
		before := len(r.eng.Runs())
		b.StartTimer()
		r.desire(1)
		for len(r.eng.Runs()) == before {
			time.Sleep(10 * time.Microsecond)
		}
	}
}
