package balancer

import (
	"errors"
	"io"
	"net"
	"net/netip"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"neargate/internal/model"
)

func TestRestartKeepsState(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	r := startAt(t, path, Config{})
	tg, url := r.front(map[string]string{"deregistration_delay.timeout_seconds": "60"})
	lb := r.LoadBalancers()[0]
	l := r.Listeners(lb.ARN)[0]
	_, err := r.CreateRule(t.Context(), model.Rule{
		ListenerARN: l.ARN, Priority: 5, Conditions: []model.Condition{{Field: "path-pattern", Values: []string{"/fixed"}}},
		Actions: []model.Action{{Type: "fixed-response", Fixed: &model.FixedResponse{StatusCode: 200, Body: "fixed"}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	a, b := serve(t, "a"), serve(t, "b")
	r.register(tg, a, b)
	r.await(tg, "healthy", a, b)
	rules := r.Rules(l.ARN)
	r.stop()

	r = startAt(t, path, Config{})
	if d := cmp.Diff(r.LoadBalancers(), []model.LoadBalancer{lb}, cmpopts.EquateComparable(netip.Addr{})); d != "" {
		t.Errorf("load balancers: got -, want +:\n%s", d)
	}
	if d := cmp.Diff(r.Rules(l.ARN), rules); d != "" {
		t.Errorf("rules: got -, want +:\n%s", d)
	}
	// Ready means that the targets have been looked at.
	if got := []string{r.state(tg, a), r.state(tg, b)}; got[0] != "healthy" || got[1] != "healthy" {
		t.Errorf("states %q, want both healthy", got)
	}
	c := client(t)
	if got := get(t, c, url, ""); got.status != 200 {
		t.Errorf("got %d %q", got.status, got.body)
	}
	if got := get(t, c, url+"/fixed", "").body; got != "fixed" {
		t.Errorf("rule answered %q", got)
	}
}

func TestTargetServesWithinMillisecondsOfListening(t *testing.T) {
	r := start(t, Config{})
	tg, _ := r.front(nil)
	port := freePort(t)
	at := model.Target{IP: "127.0.0.1", Port: port}
	if err := r.RegisterTargets(t.Context(), tg.ARN, []model.Target{at}); err != nil {
		t.Fatal(err)
	}
	b := &backend{name: "late", at: at}
	eventually(t, "refused", func() bool {
		h, _ := r.TargetHealth(tg.ARN)
		return h[0].Reason == "Elb.InitialHealthChecking"
	})
	l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			_, _ = conn.Write([]byte("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"))
			_ = conn.Close()
		}
	}()
	before := time.Now()
	r.await(tg, "healthy", b)
	t.Logf("healthy %v after it listened", time.Since(before))
	_ = l.Close()
	<-done
}

func TestUnhealthyTargetLeavesAndReturns(t *testing.T) {
	r := start(t, Config{})
	tg, url := r.front(nil)
	tg, err := r.UpdateTargetGroup(t.Context(), tg.ARN, func(tg *model.TargetGroup) error {
		tg.HealthCheck.Interval = 5 * time.Millisecond
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	a, b := serve(t, "a"), serve(t, "b")
	r.register(tg, a, b)
	r.await(tg, "healthy", a, b)
	a.sick.Store(true)
	r.await(tg, "unhealthy", a)
	c := client(t)
	for range 10 {
		if got := get(t, c, url, "").body; got != "b" {
			t.Errorf("answered by %q while a is unhealthy", got)
		}
	}
	if got := r.traffic(tg); got.Healthy != 1 || got.Unhealthy != 1 {
		t.Errorf("%d healthy, %d unhealthy, want 1 and 1", got.Healthy, got.Unhealthy)
	}
	a.sick.Store(false)
	r.await(tg, "healthy", a)
}

func TestControlErrors(t *testing.T) {
	r := start(t, Config{})
	lb, tg, port := r.loadBalancer("web"), r.targetGroup("web", nil), freePort(t)
	l := r.listener(lb, port, forward(tg.ARN))
	second := r.loadBalancer("second")
	rule, err := r.CreateRule(t.Context(), model.Rule{ListenerARN: l.ARN, Priority: 1, Actions: forward(tg.ARN)})
	if err != nil {
		t.Fatal(err)
	}
	other, err := r.CreateRule(t.Context(), model.Rule{ListenerARN: l.ARN, Priority: 2, Actions: forward(tg.ARN)})
	if err != nil {
		t.Fatal(err)
	}
	protect := func(v string) error {
		_, err := r.UpdateLoadBalancer(t.Context(), second.ARN, func(lb *model.LoadBalancer) error {
			lb.Attributes = map[string]string{"deletion_protection.enabled": v}
			return nil
		})
		return err
	}
	if err := protect("true"); err != nil {
		t.Fatal(err)
	}
	ctx := t.Context()
	rows := []struct {
		name string
		do   func() error
		code string
	}{
		{"load balancer's name taken", func() error { _, err := r.CreateLoadBalancer(ctx, model.LoadBalancer{Name: "web"}); return err }, "DuplicateLoadBalancerName"},
		{"target group's name taken", func() error { _, err := r.CreateTargetGroup(ctx, model.TargetGroup{Name: "web"}); return err }, "DuplicateTargetGroupName"},
		{"second listener on the port", func() error {
			_, err := r.CreateListener(ctx, model.Listener{LoadBalancerARN: lb.ARN, Port: port, DefaultActions: forward(tg.ARN)})
			return err
		}, "DuplicateListener"},
		{"listener of nothing", func() error {
			_, err := r.CreateListener(ctx, model.Listener{LoadBalancerARN: "arn", Port: port})
			return err
		}, "LoadBalancerNotFound"},
		{"listener to no target group", func() error {
			_, err := r.CreateListener(ctx, model.Listener{LoadBalancerARN: lb.ARN, Port: 1, DefaultActions: forward("arn")})
			return err
		}, "TargetGroupNotFound"},
		{"target group of another load balancer", func() error {
			_, err := r.CreateListener(ctx, model.Listener{LoadBalancerARN: second.ARN, Port: port, DefaultActions: forward(tg.ARN)})
			return err
		}, "TargetGroupAssociationLimit"},
		{"target group in use", func() error { return r.DeleteTargetGroup(ctx, tg.ARN) }, "ResourceInUse"},
		{"load balancer protected", func() error { return r.DeleteLoadBalancer(ctx, second.ARN) }, "OperationNotPermitted"},
		{"priority taken", func() error {
			_, err := r.CreateRule(ctx, model.Rule{ListenerARN: l.ARN, Priority: 2, Actions: forward(tg.ARN)})
			return err
		}, "PriorityInUse"},
		{"new priority taken", func() error { _, err := r.SetRulePriorities(ctx, map[string]int{rule.ARN: 2}); return err }, "PriorityInUse"},
		{"priorities swapped", func() error {
			_, err := r.SetRulePriorities(ctx, map[string]int{rule.ARN: 2, other.ARN: 1})
			return err
		}, ""},
		{"default rule deleted", func() error { return r.DeleteRule(ctx, r.Rules(l.ARN)[2].ARN) }, "OperationNotPermitted"},
		{"unknown rule", func() error { return r.DeleteRule(ctx, "arn") }, "RuleNotFound"},
		{"unknown listener", func() error { return r.DeleteListener(ctx, "arn") }, "ListenerNotFound"},
		{"targets of an unknown group", func() error { return r.RegisterTargets(ctx, "arn", []model.Target{{IP: "127.0.0.1", Port: 1}}) }, "TargetGroupNotFound"},
		{"target without an address", func() error { return r.RegisterTargets(ctx, tg.ARN, []model.Target{{IP: "x", Port: 1}}) }, "InvalidTarget"},
		{"unprotected again", func() error { return protect("false") }, ""},
		{"load balancer deleted", func() error { return r.DeleteLoadBalancer(ctx, lb.ARN) }, ""},
		{"target group no longer in use", func() error { return r.DeleteTargetGroup(ctx, tg.ARN) }, ""},
		{"rules gone with it", func() error { return r.DeleteRule(ctx, rule.ARN) }, "RuleNotFound"},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			err := row.do()
			e, _ := err.(*model.Error) //nolint:errorlint // the error itself must be AWS's
			if (row.code == "") != (err == nil) || row.code != "" && (e == nil || e.Code != row.code) {
				t.Errorf("got %v, want %q", err, row.code)
			}
		})
	}
}

func TestStopLetsRequestsFinish(t *testing.T) {
	r := start(t, Config{Grace: 10 * time.Second})
	tg, url := r.front(nil)
	a := serve(t, "a")
	r.register(tg, a)
	r.await(tg, "healthy", a)
	held := later(t, client(t), url+"/hold")
	eventually(t, "held at a", func() bool { return a.held.Load() == 1 })
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		r.stop()
	}()
	c := client(t)
	eventually(t, "no new connections", func() bool {
		_, err := ask1(t, c, url, "")
		return err != nil
	})
	a.let()
	if got := <-held; got.status != 200 {
		t.Errorf("held request got %d %q", got.status, got.body)
	}
	<-stopped
}

func TestStopWithoutGraceCuts(t *testing.T) {
	r := start(t, Config{})
	tg, url := r.front(nil)
	a := serve(t, "a")
	r.register(tg, a)
	r.await(tg, "healthy", a)
	held := later(t, client(t), url+"/hold")
	eventually(t, "held at a", func() bool { return a.held.Load() == 1 })
	r.stop()
	if got := <-held; got.status == 200 {
		t.Error("the held request was answered")
	}
}

func TestNewsMayCallTheBalancer(t *testing.T) {
	var r *rig
	seen, set := make(chan string, 100), make(chan struct{})
	r = start(t, Config{OnTargetChange: func(arn string) {
		<-set
		h, err := r.TargetHealth(arn)
		if err != nil {
			t.Error(err)
		}
		for _, h := range h {
			seen <- h.State
		}
		if len(h) == 1 && h[0].State == "healthy" {
			if err := r.DeregisterTargets(t.Context(), arn, []model.Target{h[0].Target}); err != nil {
				t.Error(err)
			}
		}
	}})
	close(set)
	tg, _ := r.front(nil)
	a := serve(t, "a")
	r.register(tg, a)
	for s := range seen {
		if s == "healthy" {
			break
		}
	}
	r.await(tg, "", a)
}

// TestListenerWhosePortIsTaken: the load balancer does not pass for active
// while another program answers its clients.
func TestListenerWhosePortIsTaken(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	r := startAt(t, path, Config{})
	lb := r.loadBalancer("lb")
	ports := []int{freePort(t), freePort(t)}
	for _, p := range ports {
		r.listener(lb, p, []model.Action{{Fixed: &model.FixedResponse{StatusCode: 200}}})
	}
	r.stop()
	var taken []net.Listener
	for _, p := range ports {
		l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(p)))
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		taken = append(taken, l)
	}
	r = startAt(t, path, Config{})
	state := func() string { lb, _ = r.LoadBalancer(lb.ARN); return lb.State }
	if state() != "failed" || !strings.Contains(lb.StateReason, "another process on this machine listens on it") {
		t.Errorf("got %s, %q with both ports taken, want failed and the reason", lb.State, lb.StateReason)
	}
	taken[0].Close()
	eventually(t, "impaired", func() bool { return state() == "active_impaired" })
	if all := r.LoadBalancers(); all[0].State != lb.State || all[0].StateReason != lb.StateReason {
		t.Errorf("the list has %s, %q, want the same", all[0].State, all[0].StateReason)
	}
	taken[1].Close()
	eventually(t, "active", func() bool { return state() == "active" && lb.StateReason == "" })
}

// TestIdleTimeoutOnSharedAddress: before a request's head is there, only the
// shortest of the time-outs of those that share the port can hold.
func TestIdleTimeoutOnSharedAddress(t *testing.T) {
	r := start(t, Config{})
	port := freePort(t)
	long, short := r.loadBalancer("long"), r.loadBalancer("short")
	for _, lb := range []model.LoadBalancer{long, short} {
		r.listener(lb, port, []model.Action{{Fixed: &model.FixedResponse{StatusCode: 200}}})
	}
	_, err := r.UpdateLoadBalancer(t.Context(), short.ARN, func(lb *model.LoadBalancer) error {
		lb.Attributes = map[string]string{"idle_timeout.timeout_seconds": "1"}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	c, err := net.Dial("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.SetDeadline(time.Now().Add(30 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if n, err := c.Read(make([]byte, 1)); n != 0 || !errors.Is(err, io.EOF) {
		t.Errorf("a connection with nothing sent ended with %d bytes and %v, want an end by the balancer", n, err)
	}
}
