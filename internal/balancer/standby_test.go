package balancer

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"neargate/internal/decide/routing"
	"neargate/internal/model"
)

// asleep is a target group without targets whose requests a task is brought for.
func asleep(t *testing.T, coming bool) (r *rig, tg model.TargetGroup, url string, asked *atomic.Int64) {
	t.Helper()
	asked = new(atomic.Int64)
	r = start(t, Config{Awaken: func(string) bool {
		asked.Add(1)
		return coming
	}})
	tg, url = r.front(nil)
	return r, tg, url, asked
}

func TestFirstRequestsWaitForTheFirstTask(t *testing.T) {
	r, tg, url, _ := asleep(t, true)
	c := client(t)
	var answers []<-chan answer
	for range 20 {
		answers = append(answers, later(t, c, url))
	}
	eventually(t, "all wait", func() bool { return r.traffic(tg).Queued == 20 })
	a := serve(t, "a")
	a.sick.Store(true) // it is there, but not healthy
	r.register(tg, a)
	r.await(tg, "initial", a)
	late := later(t, c, url)
	eventually(t, "who comes now waits too", func() bool { return r.traffic(tg).Queued == 21 })
	if n := a.served.Load(); n != 0 {
		t.Fatalf("a task that is not healthy was sent %d requests", n)
	}
	a.sick.Store(false)
	for _, ch := range append(answers, late) {
		if got := <-ch; got.status != 200 || got.body != "a" {
			t.Errorf("got %d %q", got.status, got.body)
		}
	}
}

func TestNoTaskToComeIs503AtOnce(t *testing.T) {
	r, tg, url, asked := asleep(t, false)
	c := client(t)
	if got := get(t, c, url, ""); got.status != 503 || asked.Load() != 1 {
		t.Errorf("without any target got %d after %d questions", got.status, asked.Load())
	}
	a := serve(t, "a")
	a.sick.Store(true)
	r.register(tg, a)
	r.await(tg, "initial", a)
	if got := get(t, c, url, ""); got.status != 200 { // as an ALB: all targets, when none is healthy
		t.Errorf("with a target that is new got %d", got.status)
	}
}

// The last task goes while a request waits for a place at it: the request waits on
// for the next task.
func TestRequestOutlivesTheLastTask(t *testing.T) {
	r, tg, url, _ := asleep(t, true)
	r.limit(tg, "1")
	a, b := serve(t, "a"), serve(t, "b")
	r.register(tg, a)
	r.await(tg, "healthy", a)
	c := client(t)
	first := later(t, c, url+"/hold")
	eventually(t, "held at a", func() bool { return a.held.Load() == 1 })
	second := later(t, c, url)
	eventually(t, "queued", func() bool { return r.traffic(tg).Queued == 1 })
	r.deregister(tg, a)
	third := later(t, c, url)
	eventually(t, "two wait", func() bool { return r.traffic(tg).Queued == 2 })
	a.let()
	if got := <-first; got.status != 200 || got.body != "a" {
		t.Errorf("the request under way got %d %q", got.status, got.body)
	}
	r.register(tg, b)
	for _, ch := range []<-chan answer{second, third} {
		if got := <-ch; got.status != 200 || got.body != "b" {
			t.Errorf("a request that waited got %d %q", got.status, got.body)
		}
	}
}

func TestBodyWaitsWithItsRequest(t *testing.T) {
	r, tg, url, _ := asleep(t, true)
	c := client(t)
	for _, size := range []int{0, 10, 3 << 20} {
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			got := make(chan string, 1)
			go func() {
				resp, err := c.Post(url, "text/plain", strings.NewReader(strings.Repeat("x", size)))
				if err != nil {
					got <- err.Error()
					return
				}
				defer resp.Body.Close()
				p, _ := io.ReadAll(resp.Body)
				got <- resp.Status + " " + string(p)
			}()
			eventually(t, "it waits", func() bool { return r.traffic(tg).Queued == 1 })
			a := serve(t, "a")
			r.register(tg, a)
			if s := <-got; s != "200 OK a" {
				t.Errorf("got %s", s)
			}
			r.deregister(tg, a)
			eventually(t, "gone", func() bool { return r.state(tg, a) == "" })
		})
	}
}

func TestWaitForTheFirstTaskEnds(t *testing.T) {
	r, tg, url, _ := asleep(t, true)
	c := client(t)
	t.Run("when the client leaves", func(t *testing.T) {
		ctx, leave := context.WithCancel(t.Context())
		gone := make(chan struct{})
		go func() {
			defer close(gone)
			req, _ := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
			if resp, err := c.Do(req); err == nil {
				_ = resp.Body.Close()
			}
		}()
		eventually(t, "it waits", func() bool { return r.traffic(tg).Queued == 1 })
		leave()
		<-gone
		eventually(t, "it is forgotten", func() bool { return r.traffic(tg).Queued == 0 })
	})
	t.Run("at the idle timeout", func(t *testing.T) {
		_, err := r.UpdateLoadBalancer(t.Context(), r.LoadBalancers()[0].ARN, func(lb *model.LoadBalancer) error {
			lb.Attributes = map[string]string{"idle_timeout.timeout_seconds": "1"}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if got := get(t, c, url, ""); got.status != 503 {
			t.Errorf("got %d, want 503", got.status)
		}
	})
}

func TestStandbyIsBounded(t *testing.T) {
	g := newGroup(model.TargetGroup{ARN: "tg"})
	g.awaken = func(string) bool { return true }
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, routing.MostStandby)
	for range routing.MostStandby {
		go func() {
			_, err := g.wait(ctx, routing.MostStandby)
			ended <- err
		}()
	}
	eventually(t, "all wait", func() bool { return g.queue.length.Load() == routing.MostStandby })
	if _, err := g.wait(ctx, routing.MostStandby); !errors.Is(err, errCrowded) {
		t.Errorf("one more: %v", err)
	}
	cancel()
	for range routing.MostStandby {
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	}
}
