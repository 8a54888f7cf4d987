package autoscaler

import (
	"context"
	"strings"
	"testing"
	"time"

	"neargate/internal/decide/scaling"
	"neargate/internal/model"
)

// at sets the desired count, as somebody does by hand.
func (r *rig) at(n int) {
	if err := r.sched.SetDesiredCount(r.t.Context(), "c", "web", n); err != nil {
		r.t.Fatal(err)
	}
	r.running = n
}

func TestRequestOrdersTheFirstTask(t *testing.T) {
	arn := place.TargetGroupARN("tg", "73e2d6bc24d8a067")
	for name, tc := range map[string]struct {
		low, high int
		tags      []model.Tag
		off       bool
		coming    bool
	}{
		"a minimum of 0":        {0, 4, nil, false, true},
		"a minimum of 1":        {1, 4, nil, false, false},
		"a maximum of 0":        {0, 0, nil, false, false},
		"AWS's timing":          {0, 4, []model.Tag{{Key: TimingTag, Value: string(scaling.AWS60)}}, false, false},
		"scale-out is off":      {0, 4, nil, true, false},
		"live, as the tag says": {0, 4, []model.Tag{{Key: TimingTag, Value: string(scaling.Live)}}, false, true},
	} {
		t.Run(name, func(t *testing.T) {
			r := fresh(t)
			r.at(tc.low) // or it would be moved
			_, err := r.RegisterTarget(t.Context(), Registration{ResourceID: web, Min: &tc.low, Max: &tc.high, Tags: tc.tags, SuspendOut: &tc.off})
			if err != nil {
				t.Fatal(err)
			}
			r.at(0)
			if got := r.Awaken(arn); got != tc.coming {
				t.Errorf("a task is to come: %v", got)
			}
			if r.Awaken("another") {
				t.Error("a task comes for a group that is nobody's")
			}
			r.wake(t.Context())
			want := 0
			if tc.coming {
				want = 1
			}
			if r.desired() != want {
				t.Errorf("the count is %d, want %d", r.desired(), want)
			}
		})
	}
}

func TestFirstTaskIsExplained(t *testing.T) {
	arn := place.TargetGroupARN("tg", "73e2d6bc24d8a067")
	r := fresh(t)
	r.register(0, 4)
	r.at(0)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- r.Run(ctx) }()
	for range 3 {
		r.Awaken(arn)
	}
	for deadline := time.Now().Add(10 * time.Second); r.desired() == 0; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("no second came, and no task was ordered")
		}
	}
	cancel()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if !r.Awaken(arn) {
		t.Error("no task comes while the first one starts")
	}
	acts := r.Activities(web)
	if len(acts) != 1 || acts[0].Cause != firstRequest || acts[0].ToCount != 1 {
		t.Errorf("activities %q", brief(acts))
	}
	got, err := r.Explain(web, 5)
	if err != nil || len(got) != 1 || !strings.Contains(got[0].Reason, "wait at the balancer and there is no task: needs 1") {
		t.Errorf("explained as %+v, %v", got, err)
	}
}

// A request that came in the moment of a scale-in to zero waits without having been
// noticed: the next second orders for it.
func TestRequestsThatWaitAtZeroAreSeenEachSecond(t *testing.T) {
	r := fresh(t)
	r.register(0, 4)
	r.at(0)
	r.clock = r.clock.Add(time.Second)
	s := model.ServiceSecond{At: r.clock, Cluster: "c", Service: "web", Interval: time.Second, CPUPerTask: time.Second, Balanced: true, Queued: 2}
	r.second(t.Context(), &s)
	if r.desired() != 1 {
		t.Errorf("the count is %d", r.desired())
	}
}

func TestIdleServiceGoesToZeroAfterTheCooldown(t *testing.T) {
	r := fresh(t)
	r.register(0, 4)
	r.put(tracking("cpu")) // cooldown 30 s
	r.at(1)
	r.seconds(100, 1)
	if r.desired() == 0 {
		t.Fatal("a service that is asked went to zero")
	}
	busy := r.clock
	for r.desired() > 0 && r.clock.Sub(busy) < 5*time.Minute {
		r.seconds(1, 0)
	}
	if idle := r.clock.Sub(busy); idle < 30*time.Second || idle > 35*time.Second {
		t.Errorf("went to %d after %v without a request", r.desired(), idle)
	}
	if got := r.Reasons(web, 1)[0].Reason; got != "no request for 30 s: needs 0" {
		t.Errorf("reason %q", got)
	}
}
