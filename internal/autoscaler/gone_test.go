package autoscaler

import (
	"fmt"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"neargate/internal/model"
)

const changedTo0 = "Overridden | Setting desired count to 4. | minimum capacity was set to 4 | " +
	"Successfully set desired count to 4. Found it was later changed to 0."

// underWay is a rig whose service is on its way to four tasks.
func underWay(t *testing.T, path string) *rig {
	t.Helper()
	r := newRig(t, path)
	r.register(4, 8)
	r.intoBounds(t.Context())
	r.seconds(1, 1)
	if got := brief(r.Activities(web)); len(got) != 1 || r.Activities(web)[0].Status != inProgress {
		t.Fatalf("activities = %q, want one in progress", got)
	}
	return r
}

func (r *rig) remove() {
	r.sched.mu.Lock()
	defer r.sched.mu.Unlock()
	delete(r.sched.all, "c/web")
}

func (r *rig) only(want string) {
	r.t.Helper()
	if got := brief(r.Activities(web)); len(got) != 1 || got[0] != want {
		r.t.Errorf("activities = %q, want %q", got, want)
	}
}

func TestActivityOfADeletedServiceEnds(t *testing.T) {
	r := underWay(t, filepath.Join(t.TempDir(), "state.db"))
	r.remove()
	r.closeGone(t.Context())
	r.only(changedTo0)
}

func TestActivityOfAServiceDeletedWhileTheServerWasDownEnds(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	r := underWay(t, path)
	if err := r.db.Close(); err != nil {
		t.Fatal(err)
	}
	again := newRig(t, path)
	again.clock = r.clock
	again.remove()
	again.resume()
	again.closeGone(t.Context())
	again.only(changedTo0)
}

func TestReasonForNotScalingIsNotRepeatedByARestart(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	r := newRig(t, path)
	r.register(1, 2)
	r.put(tracking("cpu"))
	r.seconds(70, 19)
	if err := r.db.Close(); err != nil {
		t.Fatal(err)
	}
	again := newRig(t, path)
	again.clock = r.clock
	again.seconds(70, 19)
	again.only("Failed | Attempting to scale in live timing | policy cpu |  | AlreadyAtMaxCapacity 2 0 0")
	if err := again.DeregisterTarget(t.Context(), web); err != nil {
		t.Fatal(err)
	}
	again.seconds(1, 19)
	again.register(1, 2)
	again.put(tracking("cpu"))
	again.seconds(70, 19)
	if n := len(again.Activities(web)); n != 2 {
		t.Errorf("%d activities, want one more of the target that was registered anew", n)
	}
}

func TestActivityOutlivesItsTarget(t *testing.T) {
	r := underWay(t, filepath.Join(t.TempDir(), "state.db"))
	if err := r.DeregisterTarget(t.Context(), web); err != nil {
		t.Fatal(err)
	}
	r.running = 3
	r.seconds(1, 1) // three of four run
	if act := r.Activities(web)[0]; act.Status != inProgress {
		t.Errorf("activity = %+v, want it in progress", act)
	}
	r.seconds(2, 1)
	r.only("Successful | Setting desired count to 4. | minimum capacity was set to 4 | " +
		"Successfully set desired count to 4. Change successfully fulfilled by ecs.")
	if len(r.watched) != 0 {
		t.Errorf("%d targets are watched, want none", len(r.watched))
	}
}

func TestClockThatGoesBackHours(t *testing.T) {
	t.Run("activity under way", func(t *testing.T) {
		r := underWay(t, filepath.Join(t.TempDir(), "state.db"))
		r.clock = r.clock.Add(-5 * time.Hour)
		r.seconds(3, 1)
		if act := r.Activities(web)[0]; act.Status != successful {
			t.Errorf("activity = %+v, want it fulfilled", act)
		}
	})
	t.Run("after a refused order", func(t *testing.T) {
		r := fresh(t)
		r.register(2, 8)
		r.put(tracking("cpu"))
		r.seconds(90, 8)
		r.sched.refuse = model.Errorf(model.Conflict, "ServiceNotActiveException", "Service was not ACTIVE.")
		r.seconds(3, 40)
		r.sched.refuse = nil
		r.clock = r.clock.Add(-5 * time.Hour)
		r.seconds(30, 40)
		if r.desired() != 8 {
			t.Errorf("desired = %d half a minute later, want 8: %+v", r.desired(), r.Reasons(web, 2))
		}
	})
	t.Run("customized metric", func(t *testing.T) {
		r := fresh(t)
		r.register(2, 8)
		p := tracking("orders")
		p.Tracking.Predefined = ""
		p.Tracking.Customized = &model.CustomizedMetric{Statistic: "Average", Metric: model.MetricID{Namespace: "App", Name: "Orders"}}
		r.put(p)
		r.seconds(70, 1)
		r.readings = []model.Reading{{Start: r.clock.Add(-time.Minute), Period: time.Minute, Value: 50}}
		r.seconds(5, 1)
		r.clock, r.readings = r.clock.Add(-5*time.Hour), nil
		r.seconds(70, 1)
		r.readings = []model.Reading{{Start: r.clock.Add(-time.Minute), Period: time.Minute, Value: 120}}
		r.seconds(2, 1)
		if r.desired() != 5 { // 2 × 120 ÷ 50
			t.Errorf("desired = %d, want 5: %+v", r.desired(), r.Reasons(web, 2))
		}
	})
}

func TestPoliciesPutAndDeletedWhileDeciding(t *testing.T) {
	r := fresh(t)
	r.register(1, 8)
	r.now = time.Now // the rig's clock is the test's alone
	var wg sync.WaitGroup
	for i := range 4 {
		wg.Go(func() {
			p := stepping(fmt.Sprintf("p%d", i), nil, new(float64), -1)
			if i == 0 {
				p = tracking("p0")
			}
			for range 20 {
				_, err := r.PutPolicy(t.Context(), p)
				if err == nil {
					err = r.DeletePolicy(t.Context(), web, p.Name)
				}
				if err != nil {
					t.Errorf("policy %s: %v", p.Name, err)
				}
				r.Policies()
				r.Activities(web)
				r.Reasons(web, 3)
			}
		})
	}
	r.seconds(50, 8)
	wg.Wait()
	if len(r.Policies()) != 0 || len(r.book.all) != 0 {
		t.Errorf("left over: policies %v, alarms %v", r.Policies(), r.book.all)
	}
}

// What scales a service goes with it: a later one of its name inherits nothing.
func TestDeletedServiceTakesItsTargetAlong(t *testing.T) {
	tests := map[string]func(svc *model.Service){
		"deleted":           func(svc *model.Service) { svc.Status = model.Inactive },
		"deleted and again": func(svc *model.Service) { svc.CreatedAt = svc.CreatedAt.Add(time.Second) },
	}
	for name, change := range tests {
		t.Run(name, func(t *testing.T) {
			r := fresh(t)
			r.register(1, 8)
			r.put(tracking("cpu"))
			low := 2
			err := r.PutScheduled(t.Context(), ScheduledChange{Name: "night", ResourceID: web, Schedule: new("rate(1 hour)"), SetsBounds: true, Min: &low})
			if err != nil {
				t.Fatal(err)
			}
			r.dropOutlived(t.Context())
			if len(r.Targets()) != 1 || len(r.Policies()) != 1 {
				t.Fatalf("the target of a service that is there is gone: %v, %v", r.Targets(), r.Policies())
			}
			r.sched.mu.Lock()
			svc := r.sched.all["c/web"]
			change(&svc)
			r.sched.all["c/web"] = svc
			r.sched.mu.Unlock()
			r.dropOutlived(t.Context())
			if n := len(r.Targets()) + len(r.Policies()) + len(r.Scheduled()) + len(r.book.all); n != 0 {
				t.Errorf("left: targets %v, policies %v, scheduled actions %v, alarms %v", r.Targets(), r.Policies(), r.Scheduled(), r.book.all)
			}
		})
	}
}
