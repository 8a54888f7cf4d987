package balancer

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"neargate/internal/balancer/exchange"
	"neargate/internal/model"
)

// scale is how much there is to route among.
type scale struct{ rules, targets, listeners int }

// world is a balancer of a scale. The request that the benchmarks send is for the
// last of its rules.
type world struct {
	*rig
	group      *group
	door       *frontend // as that of the shared port
	port       int
	host, path string
}

// newWorld has load balancers that share a port, one listener each; the first has
// rules as they are written for many services, all to one target group.
func newWorld(b *testing.B, s scale, algorithm string) *world {
	b.Helper()
	r := start(b, Config{})
	w := &world{rig: r, port: freePort(b)}
	tg := r.targetGroup("web", map[string]string{"load_balancing.algorithm.type": algorithm})
	var first model.Listener
	for i := range s.listeners {
		lb := r.loadBalancer("lb-" + strconv.Itoa(i))
		l := r.listener(lb, w.port, []model.Action{{Type: "fixed-response", Fixed: &model.FixedResponse{StatusCode: 404}}})
		if i == 0 {
			first, w.host = l, lb.DNSName
		}
	}
	for i := range s.rules {
		c := model.Condition{Field: "path-pattern", Values: []string{fmt.Sprintf("/service-%d/*", i)}}
		if i%2 == 1 && i < s.rules-1 {
			c = model.Condition{Field: "host-header", Values: []string{fmt.Sprintf("service-%d.example.com", i)}}
		}
		_, err := r.CreateRule(b.Context(), model.Rule{ListenerARN: first.ARN, Priority: i + 1, Conditions: []model.Condition{c}, Actions: forward(tg.ARN)})
		if err != nil {
			b.Fatal(err)
		}
	}
	w.path = fmt.Sprintf("/service-%d/x", s.rules-1)
	var targets []model.Target
	for range s.targets {
		targets = append(targets, rawBackend(b))
	}
	if err := r.RegisterTargets(b.Context(), tg.ARN, targets); err != nil {
		b.Fatal(err)
	}
	for r.Traffic()[0].Healthy < s.targets {
		time.Sleep(time.Millisecond)
	}
	w.group, _ = r.group(tg.ARN)
	w.door = r.newFrontend(false)
	r.mu.RLock()
	defer r.mu.RUnlock()
	w.door.Set(slices.Collect(maps.Values(r.listeners)))
	return w
}

// batch is how many requests are measured at a time.
const batch = 4000

// decide routes a batch of requests and claims their targets, as a codec has it done.
func (w *world) decide(b *testing.B) {
	b.Helper()
	conn := &exchange.Conn{Client: netip.MustParseAddrPort("127.0.0.1:4000"), Scheme: "http"}
	outcome := &exchange.Outcome{Status: 200, Sent: time.Now()}
	for range batch {
		r := &exchange.Request{Method: "GET", Scheme: "http", Host: w.host, URI: w.path, Path: w.path, Version: "HTTP/1.1", Conn: conn, Arrived: outcome.Sent}
		v := w.door.Route(r)
		if v.Group == nil {
			b.Fatal("not routed")
		}
		lease, err := v.Group.Claim(r)
		if err != nil {
			b.Fatal(err)
		}
		lease.Done(r, outcome)
	}
}

// users is how many connections forward uses.
const users = 8

// forward sends a batch of requests through.
func (w *world) forward(b *testing.B) {
	b.Helper()
	request := []byte("GET " + w.path + " HTTP/1.1\r\nHost: " + w.host + "\r\n\r\n")
	var all sync.WaitGroup
	for range users {
		all.Go(func() {
			conn, err := net.Dial("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(w.port)))
			if err != nil {
				b.Error(err)
				return
			}
			defer conn.Close()
			answer := make([]byte, 4096)
			for range batch / users {
				if _, err := conn.Write(request); err != nil {
					b.Error(err)
					return
				}
				if n, err := conn.Read(answer); err != nil || n < 12 || string(answer[9:12]) != "200" {
					b.Errorf("%v %q", err, answer[:n])
					return
				}
			}
		})
	}
	all.Wait()
}

// BenchmarkMany compares one rule, one target and one listener with 1,000 rules, as
// many targets and 200 listeners: what routing alone costs, and a whole request. The
// figures are those of the best batch of each, taken in turns, as other programs
// disturb the others.
func BenchmarkMany(b *testing.B) {
	one := scale{1, 1, 1}
	for _, algorithm := range []string{"round_robin", "least_outstanding_requests", "weighted_random"} {
		b.Run(algorithm, func(b *testing.B) {
			few, many := newWorld(b, one, algorithm), newWorld(b, scale{1000, 1000, 200}, algorithm)
			defer few.stop() // before the targets, which wait for their connections
			defer many.stop()
			ratio(b, "decide", few.decide, many.decide)
			ratio(b, "forward", few.forward, many.forward)
			for _, t := range many.group.serving.Load().targets {
				t.load.Add(1 + rand.Int64N(9)) // as if all were busy
			}
			ratio(b, "decide_busy", few.decide, many.decide)
			for _, t := range many.group.serving.Load().targets {
				t.load.Store(0)
			}
		})
	}
	b.Run("rules_and_listeners", func(b *testing.B) {
		few, many := newWorld(b, one, "round_robin"), newWorld(b, scale{1000, 1, 200}, "round_robin")
		defer few.stop()
		defer many.stop()
		ratio(b, "forward", few.forward, many.forward)
	})
}

// ratio runs both in turns and reports what a request costs with each.
func ratio(b *testing.B, name string, few, many func(*testing.B)) {
	b.Helper()
	b.Run(name, func(b *testing.B) {
		best := [2]time.Duration{time.Hour, time.Hour}
		for b.Loop() {
			for i, run := range []func(*testing.B){few, many} {
				began := time.Now()
				run(b)
				best[i] = min(best[i], time.Since(began))
			}
		}
		b.ReportMetric(0, "ns/op")
		b.ReportMetric(float64(best[0])/batch, "ns/few")
		b.ReportMetric(float64(best[1])/batch, "ns/many")
		b.ReportMetric(float64(best[1])/float64(best[0]), "many/few")
	})
}
