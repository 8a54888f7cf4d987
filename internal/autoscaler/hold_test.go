package autoscaler

import (
	"strings"
	"testing"
	"time"

	"neargate/internal/model"
)

// gates is a balancer's queues.
type gates map[string]int

func (g gates) Hold(arn string, perTask int) { g[arn] = perTask }

// overload lets a second pass in which two tasks are full and 100 requests
// wait, or none.
func (r *rig) overload(waiting int) {
	r.clock = r.clock.Add(time.Second)
	s := model.ServiceSecond{
		At: r.clock, Cluster: "c", Service: "web", Interval: time.Second, CPUPerTask: time.Second, Running: 2, Sampled: 2,
		Balanced: true, Arrivals: 20, Completed: 20, CPU: 2 * time.Second, InFlight: waiting,
	}
	if waiting == 0 {
		s.CPU, s.Arrivals, s.Completed = time.Second, 10, 10
	}
	r.second(r.t.Context(), &s)
}

// calm lets two minutes pass in which a request is there for 100 ms.
func (r *rig) calm() {
	for range 120 {
		r.clock = r.clock.Add(time.Second)
		s := model.ServiceSecond{
			At: r.clock, Cluster: "c", Service: "web", Interval: time.Second, CPUPerTask: time.Second, Running: 2, Sampled: 2,
			Balanced: true, Arrivals: 10, Completed: 10, CPU: time.Second, InFlight: 1,
		}
		r.second(r.t.Context(), &s)
	}
}

func TestOverloadIsHeldBack(t *testing.T) {
	arn := place.TargetGroupARN("tg", "73e2d6bc24d8a067")
	held := func() (*rig, gates) {
		r, g := fresh(t), gates{}
		r.cfg.Queues = g
		r.register(2, 2)
		r.put(tracking("cpu"))
		r.calm()
		if len(g) != 0 {
			t.Fatalf("a calm service is held: %v", g)
		}
		r.overload(100)
		if g[arn] != 2 {
			t.Fatalf("under overload the target group is held to %d requests, want 2", g[arn])
		}
		if e := r.Reasons(web, 1)[0]; !strings.HasSuffix(e.Reason, "; beyond 2 in flight at a task, requests wait at the balancer") {
			t.Errorf("reason %q does not say so", e.Reason)
		}
		return r, g
	}
	t.Run("until it is over", func(t *testing.T) {
		r, g := held()
		r.overload(0)
		if g[arn] != 0 {
			t.Errorf("held to %d still", g[arn])
		}
	})
	t.Run("whatever another service of the target group does", func(t *testing.T) {
		r, g := held()
		svc, _ := r.sched.Service("c", "web")
		r.hold("service/c/other", svc, 0, r.clock)
		if g[arn] != 2 {
			t.Errorf("held to %d, want 2 still", g[arn])
		}
	})
	for name, end := range map[string]func(*rig) error{
		"until the service is gone": func(r *rig) error {
			r.sched.mu.Lock()
			defer r.sched.mu.Unlock()
			delete(r.sched.all, "c/web")
			return nil
		},
		"until the target is gone": func(r *rig) error { return r.DeregisterTarget(r.t.Context(), web) },
	} {
		t.Run(name, func(t *testing.T) {
			r, g := held()
			if err := end(r); err != nil {
				t.Fatal(err)
			}
			for range 6 {
				r.overload(100)
				r.letGo()
			}
			if g[arn] != 0 || len(r.Autoscaler.held) != 0 {
				t.Errorf("held to %d still", g[arn])
			}
		})
	}
}
