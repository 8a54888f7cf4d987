package autoscaler

import (
	"path/filepath"
	"testing"
	"time"

	"neargate/internal/model"
)

// TestRestartsKeepCooldowns: a policy in its cooldown does not act again because
// the server was killed, in any timing, however often.
func TestRestartsKeepCooldowns(t *testing.T) {
	for _, timing := range []string{"live", "aws-60", "aws-20"} {
		t.Run(timing, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "state.db")
			r := newRig(t, path)
			r.register(1, 20, model.Tag{Key: TimingTag, Value: timing})
			zero := 0.0
			p := stepping("out", &zero, nil, 1)
			p.Step.Cooldown = 600 * time.Second
			p = r.put(p)
			r.alarm("busy", p, "ALARM", 70, 80)
			r.seconds(30, 1)
			if got := r.desired(); got != 3 {
				t.Fatalf("the step policy set %d, want 3", got)
			}
			for range 5 {
				r = r.restart(path)
				r.seconds(60, 1)
				if got := r.desired(); got != 3 {
					t.Fatalf("after a restart in the cooldown the count is %d, want 3", got)
				}
			}
			r = r.restart(path)
			r.seconds(400, 1)
			if got := r.desired(); got != 4 {
				t.Errorf("after the cooldown the count is %d, want 4", got)
			}
		})
	}
}

// TestTargetRegisteredAnewRemembersNothing: nor does the record of one that is
// gone stay.
func TestTargetRegisteredAnewRemembersNothing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	r := newRig(t, path)
	first := r.register(1, 20)
	r.put(tracking("cpu"))
	r.seconds(30, 30)
	if _, ok := r.memories.Get(web); !ok {
		t.Fatal("what the order rested on was not written")
	}
	if err := r.DeregisterTarget(t.Context(), web); err != nil {
		t.Fatal(err)
	}
	if n := r.memories.Len(); n != 0 {
		t.Errorf("%d records stay of a target that is gone", n)
	}
	r.clock = r.clock.Add(time.Second)
	again := r.register(1, 20)
	if w := r.watch(again); !w.state.Last.IsZero() || again.CreatedAt.Equal(first.CreatedAt) {
		t.Error("a target registered anew has a past")
	}
}
