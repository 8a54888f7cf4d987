package balancer

import (
	"testing"

	"neargate/internal/model"
)

func (r *rig) lose(tg model.TargetGroup, b *backend) {
	r.t.Helper()
	if err := r.DeregisterLostTargets(r.t.Context(), tg.ARN, []model.Target{b.at}); err != nil {
		r.t.Fatal(err)
	}
}

// TestLostTargetIsNotWaitedFor: a request that a lost target holds goes to
// another target, also when the target was draining already.
func TestLostTargetIsNotWaitedFor(t *testing.T) {
	for _, row := range []struct {
		name   string
		before func(*rig, model.TargetGroup, *backend)
	}{
		{"in service", func(*rig, model.TargetGroup, *backend) {}},
		{"draining", (*rig).deregister},
	} {
		t.Run(row.name, func(t *testing.T) {
			r := start(t, Config{})
			tg, url := r.front(nil)
			a, b := serve(t, "a"), serve(t, "b")
			r.register(tg, a)
			r.await(tg, "healthy", a)
			held := later(t, client(t), url+"/hold")
			eventually(t, "held at a", func() bool { return a.held.Load() == 1 })
			r.register(tg, b)
			r.await(tg, "healthy", b)
			row.before(r, tg, a)
			r.lose(tg, a)
			eventually(t, "held at b", func() bool { return b.held.Load() == 1 })
			b.let()
			if got := <-held; got.status != 200 || got.body != "b" {
				t.Errorf("got %d %q, want b's answer", got.status, got.body)
			}
			r.await(tg, "", a)
		})
	}
}

// TestAddressOfALostTargetServesAgain: a new task may get the address while the
// lost target still shows as draining.
func TestAddressOfALostTargetServesAgain(t *testing.T) {
	r := start(t, Config{FullDrain: true})
	tg, url := r.front(map[string]string{"deregistration_delay.timeout_seconds": "3600"})
	a := serve(t, "a")
	r.register(tg, a)
	r.await(tg, "healthy", a)
	r.lose(tg, a)
	r.await(tg, "draining", a)
	r.register(tg, a)
	r.await(tg, "healthy", a)
	for range 3 {
		if got := get(t, client(t), url, ""); got.status != 200 || got.body != "a" {
			t.Fatalf("got %d %q, want a's answer", got.status, got.body)
		}
	}
	if _, stored := r.tables.targets.Get(targetKey(tg.ARN, a.at)); !stored {
		t.Error("the new target is not on disk")
	}
}
