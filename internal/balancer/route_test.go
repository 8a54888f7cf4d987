package balancer

import (
	"bytes"
	"fmt"
	"net"
	"net/http"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"neargate/internal/model"
)

func TestForwardToTheLeastBusy(t *testing.T) {
	r := start(t, Config{})
	tg, url := r.front(map[string]string{"load_balancing.algorithm.type": "least_outstanding_requests"})
	a, b := serve(t, "a"), serve(t, "b")
	r.register(tg, a, b)
	r.await(tg, "healthy", a, b)
	c := client(t)
	held := later(t, c, url+"/hold")
	eventually(t, "held somewhere", func() bool { return a.held.Load()+b.held.Load() == 1 })
	busy, free := a, b
	if b.held.Load() == 1 {
		busy, free = b, a
	}
	for range 10 {
		if got := get(t, c, url, "").body; got != free.name {
			t.Errorf("answered by %q, which has a request in flight", got)
		}
	}
	busy.let()
	<-held
	for range 10 {
		get(t, c, url, "")
	}
	if a.served.Load() < 5 || b.served.Load() < 5 {
		t.Errorf("idle targets served %d and %d, want turns", a.served.Load(), b.served.Load())
	}
}

func TestForwardWithoutHealthyTargets(t *testing.T) {
	r := start(t, Config{})
	tg, url := r.front(nil)
	c := client(t)
	if got := get(t, c, url, "").status; got != 503 {
		t.Errorf("status %d with no target, want 503", got)
	}
	a := serve(t, "a")
	a.sick.Store(true)
	r.register(tg, a)
	eventually(t, "probed", func() bool {
		h, _ := r.TargetHealth(tg.ARN)
		return len(h) == 1 && h[0].Reason == "Elb.InitialHealthChecking"
	})
	if got := get(t, c, url, ""); got.status != 200 || got.body != "a" {
		t.Errorf("got %d %q with only a sick target, want it to be tried", got.status, got.body)
	}
	b := serve(t, "b")
	r.register(tg, b)
	r.await(tg, "healthy", b)
	for range 10 {
		if got := get(t, c, url, "").body; got != "b" {
			t.Errorf("answered by %q with a healthy target there", got)
		}
	}
}

// A target that closes its idle connections at any time costs no request.
func TestForwardRetriesOnClosedConnections(t *testing.T) {
	r := start(t, Config{})
	tg, url := r.front(nil)
	a := serve(t, "a")
	r.register(tg, a)
	r.await(tg, "healthy", a)
	c := client(t)
	for i := range 100 {
		if got := get(t, c, url, ""); got.status != 200 {
			t.Fatalf("request %d got %d %q", i, got.status, got.body)
		}
		a.server.SetKeepAlivesEnabled(false) // closes what is idle
		a.server.SetKeepAlivesEnabled(true)
	}
}

func TestForwardRetriesElsewhereWhenRefused(t *testing.T) {
	r := start(t, Config{})
	tg, url := r.front(nil)
	a, b := serve(t, "a"), serve(t, "b")
	r.register(tg, a, b)
	r.await(tg, "healthy", a, b)
	_ = a.server.Close()
	c := client(t)
	for range 20 {
		if got := get(t, c, url, ""); got.status != 200 || got.body != "b" {
			t.Errorf("got %d %q, want b to answer", got.status, got.body)
		}
	}
	if got := r.traffic(tg); got.ConnErrors == 0 || got.Arrivals != 20 {
		t.Errorf("%d connection errors, %d arrivals, want some and 20", got.ConnErrors, got.Arrivals)
	}
}

func TestRulesAndOwnAnswers(t *testing.T) {
	r := start(t, Config{})
	lb, port := r.loadBalancer("web"), freePort(t)
	blue, green := r.targetGroup("blue", nil), r.targetGroup("green", nil)
	a, b := serve(t, "blue"), serve(t, "green")
	l := r.listener(lb, port, forward(blue.ARN))
	r.register(blue, a)
	r.register(green, b)
	if got := r.state(green, b); got != "unused" {
		t.Errorf("target of an unused group is %q", got)
	}
	rule := func(priority int, a model.Action, c ...model.Condition) model.Rule {
		out, err := r.CreateRule(t.Context(), model.Rule{ListenerARN: l.ARN, Priority: priority, Conditions: c, Actions: []model.Action{a}})
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	path := func(p string) model.Condition { return model.Condition{Field: "path-pattern", Values: []string{p}} }
	moved := rule(10, model.Action{Type: "redirect", Redirect: &model.Redirect{Protocol: "HTTPS", Port: "443", Query: "#{query}", StatusCode: 301}}, path("/old/*"))
	rule(20, model.Action{Type: "fixed-response", Fixed: &model.FixedResponse{StatusCode: 418, ContentType: "text/plain", Body: "no"}}, path("/tea"))
	rule(30, forward(green.ARN)[0], model.Condition{Field: "http-header", HeaderName: "X-Env", Values: []string{"green*"}})
	rule(40, forward(green.ARN)[0], path("/old/*"))
	r.await(blue, "healthy", a)
	r.await(green, "healthy", b)

	url, c := "http://127.0.0.1:"+strconv.Itoa(port), client(t)
	if got := get(t, c, url+"/old/x?q=1", "shop.test"); got.status != 301 || got.header.Get("Location") != "https://shop.test:443/old/x?q=1" {
		t.Errorf("redirect got %d to %q", got.status, got.header.Get("Location"))
	}
	if got := get(t, c, url+"/tea", ""); got.status != 418 || got.body != "no" || got.header.Get("Content-Type") != "text/plain; charset=utf-8" {
		t.Errorf("fixed response got %d %q %q", got.status, got.body, got.header.Get("Content-Type"))
	}
	if got := get(t, c, url+"/", ""); got.body != "blue" {
		t.Errorf("default went to %q", got.body)
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("x-env", "GREEN-1")
	resp, err := c.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	var body bytes.Buffer
	_, _ = body.ReadFrom(resp.Body)
	_ = resp.Body.Close()
	if body.String() != "green" {
		t.Errorf("header rule went to %q", body.String())
	}
	if _, err := r.SetRulePriorities(t.Context(), map[string]int{moved.ARN: 50}); err != nil {
		t.Fatal(err)
	}
	if got := get(t, c, url+"/old/x", ""); got.body != "green" {
		t.Errorf("after the new priorities got %d %q", got.status, got.body)
	}
	var lbt model.LoadBalancerTraffic
	eventually(t, "requests counted", func() bool { lbt = r.LoadBalancerTraffic()[0]; return lbt.Requests == 3 })
	got := []uint64{lbt.Requests, lbt.Redirects, lbt.FixedResponses, lbt.ELBStatus[3], lbt.ELBStatus[4]}
	if d := cmp.Diff(got, []uint64{3, 1, 1, 1, 1}); d != "" {
		t.Errorf("requests, redirects, fixed, 3xx, 4xx: got -, want +:\n%s", d)
	}
}

func TestWeightsShareRequests(t *testing.T) {
	r := start(t, Config{})
	lb, port := r.loadBalancer("web"), freePort(t)
	blue, green := r.targetGroup("blue", nil), r.targetGroup("green", nil)
	actions := forward(blue.ARN, green.ARN)
	actions[0].Forward[1].Weight = 3
	r.listener(lb, port, actions)
	a, b := serve(t, "blue"), serve(t, "green")
	r.register(blue, a)
	r.register(green, b)
	r.await(blue, "healthy", a)
	r.await(green, "healthy", b)
	c := client(t)
	for range 400 {
		get(t, c, "http://127.0.0.1:"+strconv.Itoa(port), "")
	}
	if n := a.served.Load(); n < 50 || n > 150 { // 100 expected, sigma 9
		t.Errorf("blue served %d of 400 with weight 1 of 4", n)
	}
}

func TestTwoLoadBalancersOnOnePort(t *testing.T) {
	r := start(t, Config{})
	port := freePort(t)
	var lbs []model.LoadBalancer
	for _, name := range []string{"one", "two"} {
		lb := r.loadBalancer(name)
		lbs = append(lbs, lb)
		r.listener(lb, port, []model.Action{{Type: "fixed-response", Fixed: &model.FixedResponse{StatusCode: 200, ContentType: "text/plain", Body: name}}})
	}
	shared := net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
	c := client(t)
	rows := []struct{ name, address, host, want string }{
		{"by the first's name", shared, fmt.Sprintf("%s:%d", lbs[0].DNSName, port), "one"},
		{"by the second's name", shared, fmt.Sprintf("%s:%d", lbs[1].DNSName, port), "two"},
		{"by the name in capitals", shared, strings.ToUpper(lbs[1].DNSName), "two"},
		{"by the name with the root's dot", shared, lbs[1].DNSName + ".", "two"},
		{"the second's own address", net.JoinHostPort(lbs[1].Address, strconv.Itoa(port)), "example.com", "two"},
		{"the first's own address, whatever the name", net.JoinHostPort(lbs[0].Address, strconv.Itoa(port)), lbs[1].DNSName, "one"},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			if got := get(t, c, "http://"+row.address, row.host).body; got != row.want {
				t.Errorf("answered by %q, want %q", got, row.want)
			}
		})
	}
	for _, host := range []string{"example.com", "", "127.0.0.1"} {
		got := get(t, c, "http://"+shared, host)
		if got.status != 421 || !strings.Contains(got.body, lbs[0].DNSName) || !strings.Contains(got.body, lbs[1].DNSName) {
			t.Errorf("host %q: got %d %q, want a refusal with both names", host, got.status, got.body)
		}
	}
	if conn, err := net.Dial("tcp", net.JoinHostPort("::1", strconv.Itoa(port))); err == nil {
		_ = conn.Close()
		if got := get(t, c, "http://"+net.JoinHostPort("::1", strconv.Itoa(port)), lbs[1].DNSName).body; got != "two" {
			t.Errorf("over IPv6 answered by %q", got)
		}
	} else {
		t.Logf("IPv6 not tried: %v", err)
	}
	if err := r.DeleteLoadBalancer(t.Context(), lbs[0].ARN); err != nil {
		t.Fatal(err)
	}
	if got := get(t, c, "http://"+shared, "example.com").body; got != "two" {
		t.Errorf("after the first is gone, answered by %q", got)
	}
}

func TestPortTaken(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	r := startAt(t, path, Config{})
	other, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	port := other.Addr().(*net.TCPAddr).Port
	lb := r.loadBalancer("web")
	fixed := []model.Action{{Type: "fixed-response", Fixed: &model.FixedResponse{StatusCode: 200, Body: "here"}}}
	_, err = r.CreateListener(t.Context(), model.Listener{LoadBalancerARN: lb.ARN, Port: port, Protocol: "HTTP", DefaultActions: fixed})
	want := fmt.Sprintf("InvalidConfigurationRequest: Port %d cannot be used: another process on this machine listens on it", port)
	if err == nil || !strings.HasPrefix(err.Error(), want) {
		t.Fatalf("got %v, want %s", err, want)
	}
	if got := r.Listeners(lb.ARN); len(got) != 0 {
		t.Errorf("%d listeners after the failure", len(got))
	}
	// Now ours, and taken by another while we are down.
	_ = other.Close()
	r.listener(lb, port, fixed)
	r.stop()
	other, err = net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	if err != nil {
		t.Fatal(err)
	}
	startAt(t, path, Config{})
	_ = other.Close()
	c := client(t)
	eventually(t, "opened again once the port is free", func() bool {
		a, err := ask1(t, c, "http://127.0.0.1:"+strconv.Itoa(port), "")
		return err == nil && a.body == "here"
	})
}

func TestCurlFindsTheName(t *testing.T) {
	curl, err := exec.LookPath("curl")
	if err != nil {
		t.Skip("needs curl: not installed")
	}
	r := start(t, Config{})
	port := freePort(t)
	r.listener(r.loadBalancer("older"), port, []model.Action{{Type: "fixed-response", Fixed: &model.FixedResponse{StatusCode: 200, Body: "older"}}})
	lb := r.loadBalancer("Web-Shop")
	r.listener(lb, port, []model.Action{{Type: "fixed-response", Fixed: &model.FixedResponse{StatusCode: 200, Body: "here"}}})
	out, err := exec.CommandContext(t.Context(), curl, "-sS", "--noproxy", "*", fmt.Sprintf("http://%s:%d/", lb.DNSName, port)).CombinedOutput()
	if err != nil || string(out) != "here" {
		t.Errorf("got %v %q", err, out)
	}
}
