package balancer

import (
	"context"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

func TestDrainLetsTheRequestFinish(t *testing.T) {
	changes := make(chan string, 100)
	r := start(t, Config{OnTargetChange: func(arn string) { changes <- arn }})
	tg, url := r.front(nil)
	a, b := serve(t, "a"), serve(t, "b")
	r.register(tg, a)
	r.await(tg, "healthy", a)
	c := client(t)
	held := later(t, c, url+"/hold")
	eventually(t, "held at a", func() bool { return a.held.Load() == 1 })
	r.register(tg, b)
	r.await(tg, "healthy", b)

	r.deregister(tg, a)
	r.await(tg, "draining", a)
	for range 20 {
		if got := get(t, c, url, "").body; got != "b" {
			t.Fatalf("answered by %q while a drains", got)
		}
	}
	for len(changes) > 0 {
		<-changes
	}
	a.let()
	if got := <-held; got.status != 200 || got.body != "a" {
		t.Errorf("held request got %d %q", got.status, got.body)
	}
	select {
	case arn := <-changes:
		if arn != tg.ARN {
			t.Errorf("change at %s", arn)
		}
	case <-time.After(10 * time.Second):
		t.Error("not told of the end of draining")
	}
	r.await(tg, "", a)
}

func TestDrainUndoneByRegistering(t *testing.T) {
	r := start(t, Config{})
	tg, url := r.front(nil)
	a := serve(t, "a")
	r.register(tg, a)
	r.await(tg, "healthy", a)
	c := client(t)
	held := later(t, c, url+"/hold")
	eventually(t, "held at a", func() bool { return a.held.Load() == 1 })
	r.deregister(tg, a)
	if got := get(t, c, url, "").status; got != 503 {
		t.Errorf("status %d with the only target draining, want 503", got)
	}
	r.register(tg, a)
	if got := r.state(tg, a); got != "healthy" {
		t.Errorf("state %q after registering again, want healthy at once", got)
	}
	if got := get(t, c, url, ""); got.status != 200 {
		t.Errorf("status %d after registering again", got.status)
	}
	a.let()
	if got := <-held; got.status != 200 {
		t.Errorf("held request got %d %q", got.status, got.body)
	}
	eventually(t, "nothing in flight", func() bool { return r.traffic(tg).InFlight == 0 })
	if got := r.state(tg, a); got != "healthy" {
		t.Errorf("state %q in the end", got)
	}
}

func TestDrainEndsAtTheDelay(t *testing.T) {
	r := start(t, Config{})
	tg, url := r.front(map[string]string{"deregistration_delay.timeout_seconds": "0"})
	a := serve(t, "a")
	r.register(tg, a)
	r.await(tg, "healthy", a)
	held := later(t, client(t), url+"/hold")
	eventually(t, "held at a", func() bool { return a.held.Load() == 1 })
	r.deregister(tg, a)
	if got := <-held; got.status != 502 {
		t.Errorf("request cut at the end of the delay got %d %q, want 502", got.status, got.body)
	}
	r.await(tg, "", a)
}

func TestDrainShownForTheWholeDelay(t *testing.T) {
	r := start(t, Config{FullDrain: true})
	tg, _ := r.front(map[string]string{"deregistration_delay.timeout_seconds": "1"})
	a := serve(t, "a")
	r.register(tg, a)
	r.await(tg, "healthy", a)
	before := time.Now()
	r.deregister(tg, a)
	r.await(tg, "draining", a)
	r.await(tg, "", a)
	if took := time.Since(before); took < time.Second {
		t.Errorf("gone after %v, before the delay of 1 s", took)
	}
}

// Targets come and go all the time under load, and no request is lost: not when
// a target is registered, drains, is taken back, or stops after its draining.
func TestDrainLosesNothingUnderLoad(t *testing.T) {
	r := start(t, Config{})
	tg, url := r.front(nil)
	stay := serve(t, "stay")
	r.register(tg, stay)
	r.await(tg, "healthy", stay)

	var requests, failed atomic.Int64
	ctx, cancel := context.WithCancel(t.Context())
	var users sync.WaitGroup
	c := client(t)
	for range 8 {
		users.Go(func() {
			for ctx.Err() == nil {
				a, err := ask1(t, c, url, "")
				requests.Add(1)
				if err != nil || a.status != http.StatusOK {
					failed.Add(1)
					t.Errorf("request: %v %d %q", err, a.status, a.body)
				}
			}
		})
	}
	for range 10 {
		x := serve(t, "x")
		r.register(tg, x)
		r.await(tg, "healthy", x)
		eventually(t, "x serves", func() bool { return x.served.Load() > 5 })
		r.deregister(tg, x)
		r.register(tg, x)
		r.await(tg, "healthy", x)
		r.deregister(tg, x)
		r.await(tg, "", x)
		_ = x.server.Close() // as the scheduler stops a task when its target is gone
	}
	cancel()
	users.Wait()
	got := r.traffic(tg)
	t.Logf("%d requests", requests.Load())
	if n := uint64(requests.Load()); got.Arrivals != n || got.Completed != n || got.Status[2] != n {
		t.Errorf("%d requests, counted %d arrivals, %d completed, %d 2xx", n, got.Arrivals, got.Completed, got.Status[2])
	}
}
