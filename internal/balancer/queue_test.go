package balancer

import (
	"context"
	"testing"

	"neargate/internal/model"
)

func TestQueueFirstComeFirstServed(t *testing.T) {
	r := start(t, Config{})
	tg, url := r.front(nil)
	r.limit(tg, "1")
	a := serve(t, "a")
	r.register(tg, a)
	r.await(tg, "healthy", a)
	c := client(t)
	var answers []<-chan answer
	for i := range 4 {
		answers = append(answers, later(t, c, url+"/hold"))
		eventually(t, "held or queued", func() bool {
			got := r.traffic(tg)
			return got.InFlight == 1 && got.Queued == i && a.held.Load() == 1
		})
	}
	for i, ch := range answers {
		a.let()
		if got := <-ch; got.status != 200 {
			t.Errorf("request %d got %d %q", i, got.status, got.body)
		}
		select {
		case <-answers[len(answers)-1]:
			if i < len(answers)-1 {
				t.Fatal("the last came before the others")
			}
		default:
		}
		if i < len(answers)-1 {
			eventually(t, "the next is held", func() bool { return a.held.Load() == 1 })
		}
	}
	got := r.traffic(tg)
	if got.Arrivals != 4 || got.Completed != 4 || got.Queued != 0 || got.InFlight != 0 {
		t.Errorf("in the end %d arrivals, %d completed, %d queued, %d in flight", got.Arrivals, got.Completed, got.Queued, got.InFlight)
	}
	if got.Latency.Sum <= got.ResponseTime.Sum {
		t.Errorf("callers waited %v s in all, no longer than the target took: %v s", got.Latency.Sum, got.ResponseTime.Sum)
	}
}

func TestQueueMovesToANewTarget(t *testing.T) {
	r := start(t, Config{})
	tg, url := r.front(nil)
	r.limit(tg, "1")
	a, b := serve(t, "a"), serve(t, "b")
	r.register(tg, a)
	r.await(tg, "healthy", a)
	c := client(t)
	first := later(t, c, url+"/hold")
	eventually(t, "held at a", func() bool { return a.held.Load() == 1 })
	second := later(t, c, url)
	eventually(t, "queued", func() bool { return r.traffic(tg).Queued == 1 })
	r.register(tg, b)
	if got := <-second; got.status != 200 || got.body != "b" {
		t.Errorf("queued request got %d %q, want b's answer", got.status, got.body)
	}
	a.let()
	<-first
}

func TestQueueEndsWithTheLastTarget(t *testing.T) {
	r := start(t, Config{})
	tg, url := r.front(nil)
	r.limit(tg, "1")
	a := serve(t, "a")
	r.register(tg, a)
	r.await(tg, "healthy", a)
	c := client(t)
	first := later(t, c, url+"/hold")
	eventually(t, "held at a", func() bool { return a.held.Load() == 1 })
	second := later(t, c, url)
	eventually(t, "queued", func() bool { return r.traffic(tg).Queued == 1 })
	r.deregister(tg, a)
	if got := <-second; got.status != 503 {
		t.Errorf("queued request got %d, want 503", got.status)
	}
	a.let()
	if got := <-first; got.status != 200 {
		t.Errorf("draining request got %d", got.status)
	}
}

func TestQueueAtTheIdleTimeout(t *testing.T) {
	r := start(t, Config{})
	tg, url := r.front(nil)
	r.limit(tg, "1")
	lb := r.LoadBalancers()[0]
	a := serve(t, "a")
	r.register(tg, a)
	r.await(tg, "healthy", a)
	c := client(t)
	first := later(t, c, url+"/hold") // under the old timeout of 60 s
	eventually(t, "held at a", func() bool { return a.held.Load() == 1 })
	_, err := r.UpdateLoadBalancer(t.Context(), lb.ARN, func(lb *model.LoadBalancer) error {
		lb.Attributes = map[string]string{"idle_timeout.timeout_seconds": "1"}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := get(t, c, url, ""); got.status != 504 {
		t.Errorf("queued for the idle timeout got %d, want 504", got.status)
	}
	a.let()
	<-first
	if got := get(t, c, url, ""); got.status != 200 {
		t.Errorf("afterwards got %d", got.status)
	}
}

// The limit holds, everyone is served, and no place is lost, whatever the
// interleaving.
func TestQueueUnderLoad(t *testing.T) {
	r := start(t, Config{})
	tg, url := r.front(nil)
	r.limit(tg, "2")
	a, b := serve(t, "a"), serve(t, "b")
	r.register(tg, a, b)
	r.await(tg, "healthy", a, b)
	c := client(t)
	var answers []<-chan answer
	for range 100 {
		answers = append(answers, later(t, c, url))
	}
	for _, ch := range answers {
		if got := <-ch; got.status != 200 {
			t.Errorf("got %d %q", got.status, got.body)
		}
	}
	eventually(t, "nothing left", func() bool { got := r.traffic(tg); return got.InFlight == 0 && got.Queued == 0 })
}

func TestQueueLimitByTag(t *testing.T) {
	r := start(t, Config{})
	tg, url := r.front(nil)
	r.limit(tg, "2")
	a := serve(t, "a")
	r.register(tg, a)
	r.await(tg, "healthy", a)
	c := client(t)
	held := []<-chan answer{later(t, c, url+"/hold"), later(t, c, url+"/hold"), later(t, c, url+"/hold")}
	eventually(t, "two held, one queued", func() bool { return a.held.Load() == 2 && r.traffic(tg).Queued == 1 })
	for range held {
		a.let()
	}
	for _, h := range held {
		if got := <-h; got.status != 200 {
			t.Errorf("got %d %q", got.status, got.body)
		}
	}
}

// TestQueueForgetsThoseThatLeave: clients that give up and come back during a
// stall must not pile up.
func TestQueueForgetsThoseThatLeave(t *testing.T) {
	g := newGroup(model.TargetGroup{ARN: "tg", Tags: []model.Tag{{Key: limitTag, Value: "1"}}})
	full := &target{group: g}
	full.claim(1)
	g.serving.Store(&serving{targets: []*target{full}})
	for range 100 {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := g.wait(ctx, 1); err == nil {
			t.Fatal("got a target that is full")
		}
	}
	if n := g.queue.waiting.Len(); n != 0 || g.queue.length.Load() != 0 {
		t.Errorf("%d waiters are kept of those that left, %d counted", n, g.queue.length.Load())
	}
}
