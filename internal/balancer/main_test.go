package balancer

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"neargate/internal/model"
	"neargate/internal/store"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var errStop = errors.New("test over")

// rig is a running balancer over a state file.
type rig struct {
	*Balancer
	t    testing.TB
	stop func() // ends it and waits; may be called twice
}

func start(tb testing.TB, cfg Config) *rig {
	tb.Helper()
	return startAt(tb, filepath.Join(tb.TempDir(), "state.db"), cfg)
}

func startAt(tb testing.TB, path string, cfg Config) *rig {
	tb.Helper()
	db, err := store.Open(path)
	if err != nil {
		tb.Fatal(err)
	}
	cfg.Place = model.Place{Region: "us-east-1", Account: "000000000000"}
	b, err := New(db, slog.New(slog.DiscardHandler), cfg)
	if err != nil {
		tb.Fatal(err)
	}
	ctx, cancel := context.WithCancelCause(context.Background())
	done := make(chan error, 1)
	go func() { done <- b.Run(ctx) }()
	select {
	case <-b.Ready():
	case <-time.After(10 * time.Second):
		tb.Fatal("not ready")
	}
	r := &rig{Balancer: b, t: tb}
	r.stop = sync.OnceFunc(func() {
		cancel(errStop)
		if err := <-done; !errors.Is(err, errStop) {
			tb.Errorf("Run ended with %v", err)
		}
		if err := db.Close(); err != nil {
			tb.Error(err)
		}
	})
	tb.Cleanup(r.stop)
	return r
}

func (r *rig) loadBalancer(name string) model.LoadBalancer {
	r.t.Helper()
	lb, err := r.CreateLoadBalancer(r.t.Context(), model.LoadBalancer{Name: name})
	if err != nil {
		r.t.Fatal(err)
	}
	return lb
}

func (r *rig) targetGroup(name string, attributes map[string]string) model.TargetGroup {
	r.t.Helper()
	tg, err := r.CreateTargetGroup(r.t.Context(), model.TargetGroup{
		Name: name, Protocol: "HTTP", Port: 80, TargetType: "ip", Attributes: attributes,
		HealthCheck: model.HealthCheck{
			Enabled: true, Protocol: "HTTP", Port: "traffic-port", Path: "/health", Matcher: "200",
			Interval: 30 * time.Second, Timeout: 5 * time.Second, HealthyThreshold: 5, UnhealthyThreshold: 2,
		},
	})
	if err != nil {
		r.t.Fatal(err)
	}
	return tg
}

func forward(arns ...string) []model.Action {
	a := model.Action{Type: "forward", Order: 1}
	for _, arn := range arns {
		a.Forward = append(a.Forward, model.WeightedTargetGroup{TargetGroupARN: arn, Weight: 1})
	}
	return []model.Action{a}
}

func (r *rig) listener(lb model.LoadBalancer, port int, actions []model.Action) model.Listener {
	r.t.Helper()
	l, err := r.CreateListener(r.t.Context(), model.Listener{LoadBalancerARN: lb.ARN, Port: port, Protocol: "HTTP", DefaultActions: actions})
	if err != nil {
		r.t.Fatal(err)
	}
	return l
}

// front is the usual set-up: one load balancer with one target group on a port
// of 127.0.0.1.
func (r *rig) front(attributes map[string]string) (tg model.TargetGroup, url string) {
	r.t.Helper()
	lb, tg, port := r.loadBalancer("web"), r.targetGroup("web", attributes), freePort(r.t)
	r.listener(lb, port, forward(tg.ARN))
	return tg, "http://127.0.0.1:" + strconv.Itoa(port)
}

func (r *rig) register(tg model.TargetGroup, backends ...*backend) {
	r.t.Helper()
	for _, b := range backends {
		if err := r.RegisterTargets(r.t.Context(), tg.ARN, []model.Target{b.at}); err != nil {
			r.t.Fatal(err)
		}
	}
}

func (r *rig) deregister(tg model.TargetGroup, b *backend) {
	r.t.Helper()
	if err := r.DeregisterTargets(r.t.Context(), tg.ARN, []model.Target{b.at}); err != nil {
		r.t.Fatal(err)
	}
}

// state returns a target's state, "" when it is not registered.
func (r *rig) state(tg model.TargetGroup, b *backend) string {
	r.t.Helper()
	all, err := r.TargetHealth(tg.ARN)
	if err != nil {
		r.t.Fatal(err)
	}
	for _, h := range all {
		if h.Target == b.at {
			return h.State
		}
	}
	return ""
}

func (r *rig) await(tg model.TargetGroup, state string, backends ...*backend) {
	r.t.Helper()
	for _, b := range backends {
		eventually(r.t, fmt.Sprintf("%s %q", b.name, state), func() bool { return r.state(tg, b) == state })
	}
}

func (r *rig) traffic(tg model.TargetGroup) model.TargetGroupTraffic {
	r.t.Helper()
	for _, t := range r.Traffic() {
		if t.TargetGroupARN == tg.ARN {
			return t
		}
	}
	r.t.Fatal("no traffic of the target group")
	return model.TargetGroupTraffic{}
}

// limit tags a target group.
func (r *rig) limit(tg model.TargetGroup, value string) {
	r.t.Helper()
	_, err := r.UpdateTargetGroup(r.t.Context(), tg.ARN, func(tg *model.TargetGroup) error {
		tg.Tags = []model.Tag{{Key: limitTag, Value: value}}
		return nil
	})
	if err != nil {
		r.t.Fatal(err)
	}
}

func eventually(tb testing.TB, what string, is func() bool) {
	tb.Helper()
	deadline := time.Now().Add(10 * time.Second)
	for !is() {
		if time.Now().After(deadline) {
			tb.Fatalf("not in 10 s: %s", what)
		}
		time.Sleep(time.Millisecond)
	}
}

func freePort(tb testing.TB) int {
	tb.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// backend is a target: a real HTTP server that answers with its name. "/hold"
// answers when let is called; "/health" answers 200 while it is well.
type backend struct {
	name   string
	at     model.Target
	served atomic.Int64 // but for probes
	held   atomic.Int64 // now
	sick   atomic.Bool
	broken atomic.Bool // answers 500 to all but probes
	hold   chan struct{}
	server *http.Server
}

func serve(t *testing.T, name string) *backend {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	b := &backend{name: name, hold: make(chan struct{}), at: model.Target{IP: "127.0.0.1", Port: l.Addr().(*net.TCPAddr).Port}}
	b.server = &http.Server{Handler: http.HandlerFunc(b.answer), ReadHeaderTimeout: time.Minute}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = b.server.Serve(l) // ErrServerClosed
	}()
	t.Cleanup(func() {
		_ = b.server.Close()
		<-done
	})
	return b
}

func (b *backend) answer(w http.ResponseWriter, r *http.Request) {
	if b.broken.Load() && r.URL.Path != "/health" {
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	switch r.URL.Path {
	case "/health":
		if b.sick.Load() {
			w.WriteHeader(http.StatusInternalServerError)
		}
		return
	case "/hold":
		b.held.Add(1)
		defer b.held.Add(-1)
		select {
		case <-b.hold:
		case <-r.Context().Done():
		}
	case "/fail":
		w.WriteHeader(http.StatusInternalServerError)
	}
	b.served.Add(1)
	_, _ = io.WriteString(w, b.name)
}

// let ends one held request.
func (b *backend) let() { b.hold <- struct{}{} }

// client is an HTTP client whose connections end with the test.
func client(t *testing.T) *http.Client {
	t.Helper()
	tr := &http.Transport{MaxIdleConnsPerHost: 100}
	t.Cleanup(tr.CloseIdleConnections)
	return &http.Client{Transport: tr, Timeout: 20 * time.Second, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

type answer struct {
	status int
	body   string
	header http.Header
}

func get(t *testing.T, c *http.Client, url, host string) answer {
	t.Helper()
	a, err := ask1(t, c, url, host)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func ask1(t *testing.T, c *http.Client, url, host string) (answer, error) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Host = host
	resp, err := c.Do(req)
	if err != nil {
		return answer{}, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return answer{resp.StatusCode, string(body), resp.Header}, err
}

// later sends a request in the background.
func later(t *testing.T, c *http.Client, url string) <-chan answer {
	t.Helper()
	out := make(chan answer, 1)
	go func() {
		a, err := ask1(t, c, url, "")
		if err != nil {
			a.body = err.Error()
		}
		out <- a
	}()
	return out
}
