package connect

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"neargate/internal/decide/firewall"
	"neargate/internal/model"
	"neargate/internal/store"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	namespaceARN = "arn:aws:servicediscovery:us-east-1:000000000000:namespace/ns-1"
	otherARN     = "arn:aws:servicediscovery:us-east-1:000000000000:namespace/ns-2"
	endpointARN  = "arn:aws:servicediscovery:us-east-1:000000000000:service/srv-1"
)

// The tests' tasks, at addresses of loopback.
var (
	clientAt   = netip.MustParseAddr("127.0.50.1")
	strangerAt = netip.MustParseAddr("127.0.50.2") // of another namespace
	foreignAt  = netip.MustParseAddr("127.0.50.3") // of a group that targets do not let in
)

// machine is the machine and its tasks: loopback addresses.
type machine struct {
	mu  sync.Mutex
	led map[netip.AddrPort]uint16
}

func (m *machine) Listen(ctx context.Context, _ string) (net.Listener, error) {
	return (&net.ListenConfig{}).Listen(ctx, "tcp4", "127.0.0.1:0")
}

func (m *machine) Lead(to map[netip.AddrPort]uint16) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.led = to
	return nil
}

// socket returns where tasks are led that connect to an alias.
func (m *machine) socket(t *testing.T, alias netip.AddrPort) string {
	t.Helper()
	m.mu.Lock()
	defer m.mu.Unlock()
	port, ok := m.led[alias]
	if !ok {
		t.Fatalf("nobody is led from %s", alias)
	}
	return fmt.Sprint("127.0.0.1:", port)
}

func (m *machine) TaskAt(a netip.Addr) (model.Task, bool) {
	switch a {
	case clientAt:
		return model.Task{Cluster: "c", Service: "web", ConnectNamespace: namespaceARN, Network: model.Network{SecurityGroups: []string{"sg-client"}}}, true
	case strangerAt:
		return model.Task{Cluster: "c", Service: "stranger", ConnectNamespace: otherARN, Network: model.Network{SecurityGroups: []string{"sg-client"}}}, true
	case foreignAt:
		return model.Task{Cluster: "c", Service: "foreign", ConnectNamespace: namespaceARN, Network: model.Network{SecurityGroups: []string{"sg-foreign"}}}, true
	}
	return model.Task{Network: model.Network{SecurityGroups: []string{"sg-target"}}}, a.IsLoopback()
}

type rig struct {
	*Connect
	*machine
	t    *testing.T
	left chan string
}

func start(t *testing.T, services ...model.ConnectService) *rig {
	t.Helper()
	db, err := store.Open(filepath.Join(t.TempDir(), "state.db"))
	if err != nil {
		t.Fatal(err)
	}
	r := &rig{machine: &machine{}, t: t, left: make(chan string, 100)}
	r.Connect, err = New(db, Config{
		Ways: r.machine, Peers: r.machine, Grace: 10 * time.Second, OnTargetChange: func(arn string) { r.left <- arn },
	}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	anywhere := netip.MustParsePrefix("0.0.0.0/0")
	r.SetPolicy(firewall.Policy{Default: "sg-default", Groups: []firewall.Group{
		{ID: "sg-client", Rules: []firewall.Rule{{Egress: true, Protocol: firewall.Any, Network: anywhere}}},
		{ID: "sg-foreign", Rules: []firewall.Rule{{Egress: true, Protocol: firewall.Any, Network: anywhere}}},
		{ID: "sg-target", Rules: []firewall.Rule{{Protocol: firewall.TCP, From: 1, To: 65535, Group: "sg-client"}}},
	}})
	r.offer(services...)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- r.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil && !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	eventually(t, "running", func() bool {
		r.control.Lock()
		defer r.control.Unlock()
		return r.running
	})
	return r
}

func (r *rig) offer(services ...model.ConnectService) {
	r.t.Helper()
	svc := model.Service{Name: "orders", Cluster: "c", Status: model.Active, Connect: &model.ServiceConnect{NamespaceARN: namespaceARN, Namespace: "shop", Services: services}}
	if err := r.Offer(r.t.Context(), []model.Service{svc}); err != nil {
		r.t.Fatal(err)
	}
}

func overHTTP() model.ConnectService {
	return model.ConnectService{PortName: "orders", DiscoveryARN: endpointARN, DNSName: "orders", Port: 80, Protocol: "http"}
}

// alias returns the address of an alias.
func (r *rig) alias(name string, port uint16) netip.AddrPort {
	r.t.Helper()
	hosts := r.Hosts(namespaceARN)
	i := slices.IndexFunc(hosts, func(h model.HostName) bool { return h.Name == name })
	if i < 0 {
		r.t.Fatalf("no alias %s among %v", name, hosts)
	}
	return netip.AddrPortFrom(hosts[i].Address, port)
}

func dialFrom(a netip.Addr) func(context.Context, string, string) (net.Conn, error) {
	return (&net.Dialer{LocalAddr: &net.TCPAddr{IP: a.AsSlice()}}).DialContext
}

// get asks for a path from a task's address, over a connection of its own.
func (r *rig) get(from netip.Addr, path string) (int, string, error) {
	r.t.Helper()
	tr := &http.Transport{DisableKeepAlives: true, DialContext: dialFrom(from)}
	defer tr.CloseIdleConnections()
	req, err := http.NewRequestWithContext(r.t.Context(), http.MethodGet, "http://"+r.socket(r.t, r.alias("orders", 80))+path, nil)
	if err != nil {
		r.t.Fatal(err)
	}
	req.Host = "orders"
	resp, err := tr.RoundTrip(req)
	if err != nil {
		return 0, "", err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return resp.StatusCode, string(body), err
}

// backend is a task that offers the endpoint.
type backend struct {
	*httptest.Server
	at     model.Target
	served atomic.Int64
	hold   chan struct{}
}

func serve(t *testing.T, name string) *backend {
	t.Helper()
	b := &backend{hold: make(chan struct{})}
	b.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		b.served.Add(1)
		switch req.URL.Path {
		case "/hold":
			select {
			case <-b.hold:
			case <-req.Context().Done():
			}
		case "/busy":
			if name == "busy" {
				w.WriteHeader(http.StatusServiceUnavailable)
			}
		case "/fail":
			w.WriteHeader(http.StatusInternalServerError)
		}
		_, _ = io.WriteString(w, name+" "+req.Host)
	}))
	t.Cleanup(b.Close)
	at := netip.MustParseAddrPort(b.Listener.Addr().String())
	b.at = model.Target{IP: at.Addr().String(), Port: int(at.Port())}
	return b
}

func (r *rig) register(targets ...model.Target) {
	r.t.Helper()
	if err := r.RegisterTargets(r.t.Context(), endpointARN, targets); err != nil {
		r.t.Fatal(err)
	}
}

func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); !is(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not in 10 s: %s", what)
		}
	}
}

func TestRoundRobin(t *testing.T) {
	r := start(t, overHTTP())
	if status, _, err := r.get(clientAt, "/"); err != nil || status != 503 {
		t.Errorf("without a target: %d, %v; want 503", status, err)
	}
	a, b := serve(t, "a"), serve(t, "b")
	r.register(a.at, b.at)
	for range 10 {
		if status, body, err := r.get(clientAt, "/"); err != nil || status != 200 || !strings.HasSuffix(body, " orders") {
			t.Fatalf("got %d %q, %v", status, body, err)
		}
	}
	if a.served.Load() != 5 || b.served.Load() != 5 {
		t.Errorf("served %d and %d, want turns", a.served.Load(), b.served.Load())
	}
}

// TestWhoMayUse: tasks of the namespace may, if their groups and the targets'
// allow it; others find nobody.
func TestWhoMayUse(t *testing.T) {
	r := start(t, overHTTP())
	a := serve(t, "a")
	r.register(a.at)
	if status, _, err := r.get(foreignAt, "/"); err != nil || status != 503 {
		t.Errorf("a task that the groups keep apart: %d, %v; want 503", status, err)
	}
	for _, from := range []netip.Addr{strangerAt} {
		if status, _, err := r.get(from, "/"); err == nil {
			t.Errorf("%s: got %d, want no answer", from, status)
		}
	}
	if n := a.served.Load(); n != 0 {
		t.Errorf("%d requests reached the target", n)
	}
	// What changes in the groups holds at once.
	r.SetPolicy(firewall.Policy{})
	if status, _, err := r.get(clientAt, "/"); err != nil || status != 503 {
		t.Errorf("after the rules are gone: %d, %v; want 503", status, err)
	}
}

// TestRetries: what cannot be reached, or says that it is not available, is
// passed over.
func TestRetries(t *testing.T) {
	r := start(t, overHTTP())
	busy, well := serve(t, "busy"), serve(t, "well")
	gone := serve(t, "gone")
	gone.Close()
	r.register(busy.at, well.at, gone.at)
	for range 30 {
		if status, body, err := r.get(clientAt, "/busy"); err != nil || status != 200 || body != "well orders" {
			t.Fatalf("got %d %q, %v", status, body, err)
		}
	}
	e := r.endpoint(endpointARN)
	e.mu.Lock()
	defer e.mu.Unlock()
	now := time.Now()
	if !e.targets[gone.at].out(now) || !e.targets[busy.at].out(now) || e.targets[well.at].out(now) {
		t.Error("want the two that fail ejected, and the other not")
	}
}

// TestAllEjected: when nothing else is left, ejected targets are tried.
func TestAllEjected(t *testing.T) {
	r := start(t, overHTTP())
	a := serve(t, "a")
	r.register(a.at)
	e := r.endpoint(endpointARN)
	e.mu.Lock()
	for range 5 {
		e.targets[a.at].judge(true, time.Now())
	}
	e.mu.Unlock()
	if status, _, err := r.get(clientAt, "/"); err != nil || status != 200 {
		t.Errorf("got %d, %v from an ejected target that is the only one", status, err)
	}
}

func TestDrain(t *testing.T) {
	r := start(t, overHTTP())
	a, b := serve(t, "a"), serve(t, "b")
	r.register(a.at)
	held := make(chan string, 1)
	go func() {
		_, body, err := r.get(clientAt, "/hold")
		held <- fmt.Sprint(body, err)
	}()
	eventually(t, "held", func() bool { return a.served.Load() == 1 })
	r.register(b.at)
	if err := r.DeregisterTargets(t.Context(), endpointARN, []model.Target{a.at}); err != nil {
		t.Fatal(err)
	}
	for range 4 {
		if _, body, err := r.get(clientAt, "/"); err != nil || body != "b orders" {
			t.Errorf("got %q, %v while the other drains", body, err)
		}
	}
	state := func() string {
		all, _ := r.TargetHealth(endpointARN)
		for _, h := range all {
			if h.Target == a.at {
				return h.State
			}
		}
		return ""
	}
	if got := state(); got != "draining" {
		t.Errorf("the one with a request is %q, want draining", got)
	}
	close(a.hold)
	if got := <-held; got != "a orders<nil>" {
		t.Errorf("the request under way ended with %s", got)
	}
	if arn := <-r.left; arn != endpointARN || state() != "" {
		t.Errorf("%s told, the target is %q; want it gone", arn, state())
	}
	// One whose task has ended is cut, and what may be repeated goes elsewhere.
	c := serve(t, "c")
	r.register(c.at)
	if err := r.DeregisterLostTargets(t.Context(), endpointARN, []model.Target{c.at}); err != nil {
		t.Fatal(err)
	}
	if _, body, err := r.get(clientAt, "/"); err != nil || body != "b orders" {
		t.Errorf("got %q, %v after the other was lost", body, err)
	}
}

func TestRequestTimeout(t *testing.T) {
	s := overHTTP()
	s.RequestTimeout = new(time.Second)
	r := start(t, s)
	a := serve(t, "a")
	r.register(a.at)
	if status, _, err := r.get(clientAt, "/hold"); err != nil || status != 504 {
		t.Errorf("got %d, %v; want 504", status, err)
	}
	close(a.hold)
}

// TestTCP: connections are passed on as they are, both ways, and end with their
// target.
func TestTCP(t *testing.T) {
	r := start(t, model.ConnectService{PortName: "db", DiscoveryARN: endpointARN, Port: 5432})
	echo, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var conns sync.WaitGroup
	conns.Go(func() {
		for {
			conn, err := echo.Accept()
			if err != nil {
				return
			}
			conns.Go(func() {
				defer conn.Close()
				_, _ = io.Copy(conn, conn)
			})
		}
	})
	t.Cleanup(func() { _ = echo.Close(); conns.Wait() })
	at := netip.MustParseAddrPort(echo.Addr().String())
	gone := model.Target{IP: "127.0.0.1", Port: 1}
	target := model.Target{IP: at.Addr().String(), Port: int(at.Port())}
	r.register(target, gone)
	dial := func(from netip.Addr) net.Conn {
		t.Helper()
		conn, err := dialFrom(from)(t.Context(), "tcp", r.socket(t, r.alias("db.shop", 5432)))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = conn.Close() })
		_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
		return conn
	}
	for range 4 {
		conn := dial(clientAt)
		if _, err := io.WriteString(conn, "hello"); err != nil {
			t.Fatal(err)
		}
		_ = conn.(*net.TCPConn).CloseWrite()
		if got, err := io.ReadAll(conn); err != nil || string(got) != "hello" {
			t.Errorf("got %q, %v back", got, err)
		}
	}
	if _, err := dial(foreignAt).Read(make([]byte, 1)); err == nil || errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a task that the groups keep apart: %v, want an end", err)
	}
	conn := dial(clientAt)
	if _, err := io.WriteString(conn, "x"); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(conn, make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	if err := r.DeregisterLostTargets(t.Context(), endpointARN, []model.Target{target}); err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Read(make([]byte, 1)); err == nil {
		t.Error("a connection outlived its target")
	}
}

// TestAliasesStay: an alias keeps its address as long as somebody offers it, and
// one that nobody offers has none.
func TestAliasesStay(t *testing.T) {
	r := start(t, overHTTP())
	first := r.alias("orders", 80)
	s := overHTTP()
	s.RequestTimeout = new(2 * time.Second)
	other := model.ConnectService{PortName: "db", DiscoveryARN: endpointARN + "2", Port: 5432}
	r.offer(s, other)
	if got := r.alias("orders", 80); got != first {
		t.Errorf("the alias moved from %s to %s", first, got)
	}
	if got := r.alias("db.shop", 5432); got.Addr() == first.Addr() || !network().Contains(got.Addr()) {
		t.Errorf("the other alias has %s", got)
	}
	if hosts := r.Hosts(otherARN); len(hosts) != 0 {
		t.Errorf("another namespace has %v", hosts)
	}
	r.offer(other)
	if hosts := r.Hosts(namespaceARN); len(hosts) != 1 || hosts[0].Name != "db.shop" {
		t.Errorf("got %v, want the one that is left", hosts)
	}
	r.machine.mu.Lock()
	defer r.machine.mu.Unlock()
	if _, led := r.led[first]; led || len(r.led) != 1 {
		t.Errorf("led %v, want to the one that is left", r.led)
	}
}

// TestRoom: a task that connects without end keeps nobody else out, and finds
// room again when its connections have ended.
func TestRoom(t *testing.T) {
	r := start(t, overHTTP())
	a := serve(t, "a")
	r.register(a.at)
	r.room.mu.Lock()
	r.room.most, r.room.each = 8, 2
	r.room.mu.Unlock()
	var held []net.Conn
	for range 2 {
		conn, err := dialFrom(clientAt)(t.Context(), "tcp", r.socket(t, r.alias("orders", 80)))
		if err != nil {
			t.Fatal(err)
		}
		held = append(held, conn)
	}
	eventually(t, "its room taken", func() bool { _, _, err := r.get(clientAt, "/"); return err != nil })
	if status, _, err := r.get(foreignAt, "/"); err != nil || status != 503 {
		t.Errorf("another task: %d, %v; want an answer", status, err)
	}
	for _, conn := range held {
		_ = conn.Close()
	}
	eventually(t, "room again", func() bool { status, _, err := r.get(clientAt, "/"); return err == nil && status == 200 })
}

func TestTraffic(t *testing.T) {
	r := start(t, overHTTP())
	a := serve(t, "a")
	r.register(a.at)
	for _, path := range []string{"/", "/", "/fail"} {
		if _, _, err := r.get(clientAt, path); err != nil {
			t.Fatal(err)
		}
	}
	all := r.ConnectTraffic()
	if len(all) != 1 || all[0].DiscoveryName != "orders" || all[0].Service != "orders" || all[0].Requests != 3 || all[0].NewConns != 3 || all[0].Targets != 1 || all[0].Bytes == 0 {
		t.Fatalf("got %+v", all)
	}
	if c := all[0].Clients; len(c) != 1 || c[0].Service != "web" || c[0].Requests != 3 || c[0].Status[2] != 2 || c[0].Status[5] != 1 || c[0].Bytes == 0 {
		t.Errorf("clients %+v", c)
	}
}

// TestReturn: a target that drains and is registered again serves as before.
func TestReturn(t *testing.T) {
	r := start(t, overHTTP())
	a := serve(t, "a")
	r.register(a.at)
	held := make(chan error, 1)
	go func() {
		_, _, err := r.get(clientAt, "/hold")
		held <- err
	}()
	eventually(t, "held", func() bool { return a.served.Load() == 1 })
	if err := r.DeregisterTargets(t.Context(), endpointARN, []model.Target{a.at}); err != nil {
		t.Fatal(err)
	}
	if status, _, err := r.get(clientAt, "/"); err != nil || status != 503 {
		t.Errorf("while it drains: %d, %v; want 503", status, err)
	}
	r.register(a.at)
	if status, _, err := r.get(clientAt, "/"); err != nil || status != 200 {
		t.Errorf("after its return: %d, %v", status, err)
	}
	close(a.hold)
	if err := <-held; err != nil {
		t.Error(err)
	}
	if all, _ := r.TargetHealth(endpointARN); len(all) != 1 || all[0].State != "healthy" {
		t.Errorf("got %+v, want it healthy", all)
	}
}

// TestManyAtOnce: targets come and go and endpoints change while requests are
// under way.
func TestManyAtOnce(t *testing.T) {
	r := start(t, overHTTP())
	backends := []*backend{serve(t, "a"), serve(t, "b"), serve(t, "c")}
	r.register(backends[0].at)
	var work sync.WaitGroup
	for i := range 4 {
		work.Go(func() {
			for range 50 {
				switch i {
				case 0:
					r.register(backends[1].at, backends[2].at)
				case 1:
					_ = r.DeregisterTargets(t.Context(), endpointARN, []model.Target{backends[1].at})
				case 2:
					s := overHTTP()
					s.RequestTimeout = new(10 * time.Second)
					r.offer(s)
					_ = r.ConnectTraffic()
				case 3:
					if status, _, err := r.get(clientAt, "/"); err != nil || status != 200 {
						t.Errorf("got %d, %v", status, err)
					}
				}
			}
		})
	}
	work.Wait()
}
