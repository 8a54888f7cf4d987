package balancer

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net"
	"strings"
	"sync"
	"testing"

	"neargate/internal/model"
)

// deaf is a target that passes its probes, but not every request: it closes every
// connection after its first answer without a word, when the next request is on
// its way.
func deaf(t *testing.T) *backend {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var conns sync.WaitGroup
	conns.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			conns.Go(func() {
				defer c.Close()
				stop := context.AfterFunc(t.Context(), func() { c.Close() })
				defer stop()
				buf := make([]byte, 4096)
				if _, err := c.Read(buf); err != nil {
					return
				}
				_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ndeaf")
				_, _ = c.Read(buf) // the next one is lost
			})
		}
	})
	t.Cleanup(func() {
		l.Close()
		conns.Wait()
	})
	return &backend{name: "deaf", at: model.Target{IP: "127.0.0.1", Port: l.Addr().(*net.TCPAddr).Port}}
}

// refuses is a target that nobody listens at; its group has no healthy one, so that
// all get requests.
func refuses(t *testing.T) *backend {
	t.Helper()
	return &backend{name: "refuses", at: model.Target{IP: "127.0.0.1", Port: freePort(t)}}
}

func (r *rig) strict(on string) {
	r.t.Helper()
	_, err := r.UpdateLoadBalancer(r.t.Context(), r.LoadBalancers()[0].ARN, func(lb *model.LoadBalancer) error {
		lb.Attributes = map[string]string{model.StrictAttribute: on}
		return nil
	})
	if err != nil {
		r.t.Fatal(err)
	}
}

func TestAnswersAnALBWouldHaveFailed(t *testing.T) {
	for _, row := range []struct {
		reason string
		would  string
		status int // when strict
		set    func(t *testing.T, r *rig, tg model.TargetGroup)
		asks   int // until it has happened, for sure
	}{
		{"TargetClosedIdleConnection", "502", 502, func(t *testing.T, r *rig, tg model.TargetGroup) {
			t.Helper()
			d := deaf(t)
			r.register(tg, d)
			r.await(tg, "healthy", d)
		}, 2},
		{"TargetRefusedConnection", "502", 502, func(t *testing.T, r *rig, tg model.TargetGroup) {
			t.Helper()
			a, gone := serve(t, "a"), refuses(t)
			a.sick.Store(true)
			r.register(tg, a, gone)
			r.await(tg, "initial", a, gone)
		}, 2},
		{"NoTargets", "503", 503, func(*testing.T, *rig, model.TargetGroup) {}, 1},
	} {
		t.Run(row.reason, func(t *testing.T) {
			var said safe
			var r *rig
			var tg model.TargetGroup
			var woke sync.Once
			r = start(t, Config{Awaken: func(string) bool {
				if row.would == "502" {
					return false
				}
				woke.Do(func() { go r.register(tg, serve(t, "a")) })
				return true
			}})
			r.log = slog.New(slog.NewTextHandler(&said, nil))
			var url string
			tg, url = r.front(nil)
			for _, strict := range []string{"true", "false"} { // the second would find what the first has brought
				r.strict(strict)
				if strict == "true" {
					row.set(t, r, tg)
				}
				c, seen := client(t), map[int]int{}
				for range row.asks {
					seen[get(t, c, url, "").status]++
				}
				switch {
				case strict == "true" && seen[row.status] == 0:
					t.Errorf("strict: got %v", seen)
				case strict == "false" && seen[200] != row.asks:
					t.Errorf("got %v", seen)
				}
			}
			eventually(t, "it is counted, of what was not strict", func() bool {
				spared := r.traffic(tg).Spared
				return len(spared) == 1 && spared[0].Reason == row.reason && spared[0].Count <= uint64(row.asks)
			})
			if got := said.String(); !strings.Contains(got, "would_have="+row.would+" reason="+row.reason) {
				t.Errorf("the log says %q", got)
			}
		})
	}
}

// safe is a buffer that many write to.
type safe struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *safe) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *safe) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

// A strict load balancer knows no limit at its targets and shows the whole delay.
func TestStrictIsAnALBsWay(t *testing.T) {
	r := start(t, Config{})
	tg, url := r.front(map[string]string{"deregistration_delay.timeout_seconds": "3600"})
	r.strict("true")
	r.limit(tg, "1")
	a := serve(t, "a")
	r.register(tg, a)
	r.await(tg, "healthy", a)
	c := client(t)
	held := []<-chan answer{later(t, c, url+"/hold"), later(t, c, url+"/hold")}
	eventually(t, "both at the target", func() bool { return a.held.Load() == 2 })
	for range held {
		a.let()
	}
	for _, h := range held {
		<-h
	}
	r.deregister(tg, a)
	r.await(tg, "draining", a)
	eventually(t, "it has been looked at", func() bool {
		g, _ := r.group(tg.ARN)
		g.mu.Lock()
		defer g.mu.Unlock()
		return g.targets[a.at] != nil && len(g.targets[a.at].wake) == 0
	})
	if got := r.state(tg, a); got != "draining" {
		t.Errorf("the idle target is %q before its delay is over", got)
	}
	r.strict("false")
}
