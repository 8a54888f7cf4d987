package balancer

import (
	"testing"
	"time"

	"neargate/internal/decide/health"
)

func TestRoundRobinIsTheDefault(t *testing.T) {
	r := start(t, Config{})
	tg, url := r.front(nil)
	a, b := serve(t, "a"), serve(t, "b")
	r.register(tg, a, b)
	r.await(tg, "healthy", a, b)
	c := client(t)
	held := later(t, c, url+"/hold")
	eventually(t, "held somewhere", func() bool { return a.held.Load()+b.held.Load() == 1 })
	last := ""
	for range 10 {
		got := get(t, c, url, "").body
		if got == last {
			t.Errorf("answered by %q twice in a row", got)
		}
		last = got
	}
	if a.held.Load() == 1 {
		a.let()
	} else {
		b.let()
	}
	<-held
}

// A target that comes into service beside others begins with few requests; the
// first targets of a group begin with all.
func TestSlowStart(t *testing.T) {
	r := start(t, Config{})
	tg, url := r.front(map[string]string{"slow_start.duration_seconds": "900"})
	a, b := serve(t, "a"), serve(t, "b")
	r.register(tg, a)
	r.await(tg, "healthy", a)
	c := client(t)
	if got := get(t, c, url, "").body; got != "a" {
		t.Fatalf("answered by %q", got)
	}
	r.register(tg, b)
	r.await(tg, "healthy", b)
	took := map[string]int{}
	for range 300 {
		took[get(t, c, url, "").body]++
	}
	// A second into the ramp of 15 minutes b has 0.1 % of a's share.
	if took["a"] < 280 {
		t.Errorf("took %v, want nearly all for a", took)
	}
	g, _ := r.group(tg.ARN)
	g.mu.Lock()
	g.targets[b.at].warmSince = time.Now().Add(-time.Hour)
	g.mu.Unlock()
	r.weigh(time.Now())
	took = map[string]int{}
	for range 100 {
		took[get(t, c, url, "").body]++
	}
	if took["a"] != 50 || took["b"] != 50 {
		t.Errorf("after the ramp took %v, want turns", took)
	}
}

// A target that fails far more often than the others gets fewer requests, and its
// share again when it is well.
func TestAnomalyMitigation(t *testing.T) {
	r := start(t, Config{})
	tg, url := r.front(map[string]string{
		"load_balancing.algorithm.type": "weighted_random", "load_balancing.algorithm.anomaly_mitigation": "on",
	})
	a, b, bad := serve(t, "a"), serve(t, "b"), serve(t, "bad")
	r.register(tg, a, b, bad)
	r.await(tg, "healthy", a, b, bad)
	bad.broken.Store(true)
	c := client(t)
	now := time.Now()
	second := func() (failed int) { // a second of the server's account, as quick as the machine can
		for range 60 {
			if get(t, c, url, "").status >= 500 {
				failed++
			}
		}
		now = now.Add(time.Second)
		r.weigh(now)
		return failed
	}
	before := second()
	for range 12 {
		second()
	}
	after := 0
	for range 5 {
		after += second()
	}
	if before < 5 || after > 15 {
		t.Errorf("%d of 60 failed before, %d of 300 with mitigation", before, after)
	}
	anomalous := func() (out []string) {
		all, err := r.TargetHealth(tg.ARN)
		if err != nil {
			t.Fatal(err)
		}
		for _, h := range all {
			if h.Anomalous || h.Mitigated {
				out = append(out, address(h.Target))
			}
		}
		return out
	}
	if got := anomalous(); len(got) != 1 || got[0] != address(bad.at) {
		t.Errorf("anomalous targets %v, want %s", got, address(bad.at))
	}
	bad.broken.Store(false)
	for range 60 {
		second()
	}
	if got := anomalous(); len(got) != 0 {
		t.Errorf("anomalous targets %v a minute after the fault", got)
	}
	if h, err := r.TargetHealth(tg.ARN); err != nil || h[0].State != health.Healthy {
		t.Errorf("health %v, %v", h, err)
	}
}
