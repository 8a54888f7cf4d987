package balancer

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"neargate/internal/decide/firewall"
	"neargate/internal/model"
)

// The tests' public address and two clients, who come from addresses of their own.
var (
	publicAddress = netip.MustParseAddr("127.0.43.1")
	friend        = netip.MustParseAddr("127.0.43.8")
	stranger      = netip.MustParseAddr("127.0.43.9")
)

// addresses are the public ones of a test, which may change.
type addresses struct {
	mu  sync.Mutex
	now []netip.Addr
}

func (a *addresses) list() ([]netip.Addr, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.now, nil
}

func (a *addresses) set(now ...netip.Addr) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.now = now
}

func startPublic(t *testing.T) (*rig, *addresses) {
	t.Helper()
	a := &addresses{now: []netip.Addr{publicAddress}}
	return start(t, Config{Public: a.list}), a
}

// sees is a policy by which each group lets the networks in.
func sees(groups map[string][]string) firewall.Policy {
	p := firewall.Policy{Default: "sg-default"}
	for id, networks := range groups {
		g := firewall.Group{ID: id}
		for _, n := range networks {
			g.Rules = append(g.Rules, firewall.Rule{Protocol: firewall.Any, Network: netip.MustParsePrefix(n)})
		}
		p.Groups = append(p.Groups, g)
	}
	return p
}

// facing creates a load balancer with a listener that answers its name.
func (r *rig) facing(name, scheme string, port int, groups ...string) model.LoadBalancer {
	r.t.Helper()
	lb, err := r.CreateLoadBalancer(r.t.Context(), model.LoadBalancer{Name: name, Scheme: scheme, IPAddressType: "ipv4", SecurityGroups: groups})
	if err != nil {
		r.t.Fatal(err)
	}
	r.listener(lb, port, []model.Action{{Type: "fixed-response", Fixed: &model.FixedResponse{StatusCode: 200, Body: name}}})
	return lb
}

// from is a client with an address of its own, whose connections are not kept.
func from(t *testing.T, a netip.Addr) *http.Client {
	t.Helper()
	c := client(t)
	tr := c.Transport.(*http.Transport)
	tr.DialContext = (&net.Dialer{LocalAddr: &net.TCPAddr{IP: a.AsSlice()}}).DialContext
	tr.DisableKeepAlives = true
	return c
}

func outsideURL(port int) string {
	return "http://" + netip.AddrPortFrom(publicAddress, uint16(port)).String()
}

// cut reports whether a connection ended without an answer, or was not made.
func cut(err error) bool {
	return errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE)
}

func TestOutsideReachesInternetFacingOnly(t *testing.T) {
	r, _ := startPublic(t)
	r.SetPolicy(sees(map[string][]string{"sg-open": {"0.0.0.0/0"}}))
	front, inner := freePort(t), freePort(t)
	r.facing("front", "internet-facing", front, "sg-open")
	lb := r.facing("inner", "internal", inner, "sg-open")
	c := from(t, friend)
	if got := get(t, c, outsideURL(front), "").body; got != "front" {
		t.Errorf("from outside answered by %q, want the internet-facing one", got)
	}
	if _, err := ask1(t, c, outsideURL(inner), ""); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("from outside at the internal one's port: %v, want refused", err)
	}
	if got := get(t, c, "http://127.0.0.1:"+strconv.Itoa(inner), "").body; got != "inner" {
		t.Errorf("from inside answered by %q, want the internal one", got)
	}
	if !strings.HasPrefix(lb.DNSName, "internal-inner-") {
		t.Errorf("the internal one's name is %s, want AWS's prefix", lb.DNSName)
	}
	// On one port, an internal one answers nobody from outside, whatever they ask for.
	shared := r.facing("shared", "internal", front, "sg-open")
	if got := get(t, c, outsideURL(front), shared.DNSName).body; got != "front" {
		t.Errorf("from outside by the internal one's name answered by %q", got)
	}
}

func TestOutsideAsksSecurityGroups(t *testing.T) {
	r, _ := startPublic(t)
	port := freePort(t)
	r.facing("web", "internet-facing", port, "sg-web")
	reaches := func(a netip.Addr) bool {
		t.Helper()
		_, err := ask1(t, from(t, a), outsideURL(port), "")
		if err != nil && !cut(err) {
			t.Fatal(err)
		}
		return err == nil
	}
	for _, row := range []struct {
		name             string
		groups           map[string][]string
		friend, stranger bool
	}{
		{"before any policy", nil, false, false},
		{"a group that is gone", map[string][]string{"sg-other": {"0.0.0.0/0"}}, false, false},
		{"one client", map[string][]string{"sg-web": {friend.String() + "/32"}}, true, false},
		{"IPv6 only", map[string][]string{"sg-web": {"::/0"}}, false, false},
		{"everybody", map[string][]string{"sg-web": {"10.0.0.0/8", "0.0.0.0/0"}}, true, true},
	} {
		if row.groups != nil {
			r.SetPolicy(sees(row.groups))
		}
		if f, s := reaches(friend), reaches(stranger); f != row.friend || s != row.stranger {
			t.Errorf("%s: friend %v, stranger %v; want %v, %v", row.name, f, s, row.friend, row.stranger)
		}
		if got := get(t, client(t), "http://127.0.0.1:"+strconv.Itoa(port), "").status; got != 200 {
			t.Errorf("%s: from inside %d", row.name, got)
		}
	}
}

// TestOutsideOnOnePort: which load balancer is meant shows in the Host header,
// and only there whether the client may reach it; also on a kept connection.
func TestOutsideOnOnePort(t *testing.T) {
	r, _ := startPublic(t)
	r.SetPolicy(sees(map[string][]string{"sg-all": {"0.0.0.0/0"}, "sg-friend": {friend.String() + "/32"}}))
	port := freePort(t)
	open := r.facing("open", "internet-facing", port, "sg-all")
	closed := r.facing("closed", "internet-facing", port, "sg-friend")
	url := outsideURL(port)
	for _, row := range []struct {
		client netip.Addr
		host   string
		want   string // "" is no answer
	}{
		{friend, open.DNSName, "open"},
		{friend, closed.DNSName, "closed"},
		{stranger, open.DNSName, "open"},
		{stranger, closed.DNSName, ""},
	} {
		got, err := ask1(t, from(t, row.client), url, row.host)
		if got.body != row.want || (err != nil) != (row.want == "") || (err != nil && !cut(err)) {
			t.Errorf("%s for %s: got %q, %v; want %q", row.client, row.host, got.body, err, row.want)
		}
	}
	if got := get(t, from(t, stranger), url, "example.com"); got.status != 421 || strings.Contains(got.body, closed.DNSName) {
		t.Errorf("without a name: %d %q, want 421 and no names", got.status, got.body)
	}
	kept := from(t, stranger)
	kept.Transport.(*http.Transport).DisableKeepAlives = false
	get(t, kept, url, open.DNSName)
	if err := r.DeleteLoadBalancer(t.Context(), open.ARN); err != nil {
		t.Fatal(err)
	}
	if got, err := ask1(t, kept, url, ""); err == nil {
		t.Errorf("a kept connection of another's client was answered by %q", got.body)
	}
	if got := get(t, from(t, friend), url, "").body; got != "closed" {
		t.Errorf("the only one left does not answer: %q", got)
	}
}

func TestOutsideFollowsAddresses(t *testing.T) {
	r, a := startPublic(t)
	r.SetPolicy(sees(map[string][]string{"sg": {"0.0.0.0/0"}}))
	port := freePort(t)
	lb := r.facing("web", "internet-facing", port, "sg")
	second := netip.MustParseAddr("127.0.43.2")
	reaches := func(at netip.Addr) bool {
		conn, err := net.DialTimeout("tcp", netip.AddrPortFrom(at, uint16(port)).String(), time.Second)
		if err == nil {
			_ = conn.Close()
		}
		return err == nil
	}
	if !reaches(publicAddress) || reaches(second) {
		t.Fatal("not at the first address only")
	}
	a.set(second)
	eventually(t, "moved to the new address", func() bool { return reaches(second) && !reaches(publicAddress) })
	// Another program has the port at one of them, and ends.
	a.set()
	eventually(t, "no address", func() bool { return !reaches(second) })
	other, err := net.Listen("tcp", netip.AddrPortFrom(second, uint16(port)).String())
	if err != nil {
		t.Fatal(err)
	}
	a.set(publicAddress, second)
	state := func() model.LoadBalancer { lb, _ := r.LoadBalancer(lb.ARN); return lb }
	eventually(t, "impaired", func() bool {
		return state().State == "active_impaired" && strings.Contains(state().StateReason, "another process")
	})
	if !reaches(publicAddress) {
		t.Error("the free address does not answer")
	}
	_ = other.Close()
	eventually(t, "active", func() bool { return state().State == "active" && reaches(second) })
}

func TestOutsidePortTaken(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	cfg := Config{Public: (&addresses{now: []netip.Addr{publicAddress, netip.MustParseAddr("192.0.2.77")}}).list}
	r := startAt(t, path, cfg)
	port := freePort(t)
	at := netip.AddrPortFrom(publicAddress, uint16(port)).String()
	other, err := net.Listen("tcp", at)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	lb, err := r.CreateLoadBalancer(t.Context(), model.LoadBalancer{Name: "web", Scheme: "internet-facing"})
	if err != nil {
		t.Fatal(err)
	}
	fixed := []model.Action{{Type: "fixed-response", Fixed: &model.FixedResponse{StatusCode: 200, Body: "web"}}}
	_, err = r.CreateListener(t.Context(), model.Listener{LoadBalancerARN: lb.ARN, Port: port, DefaultActions: fixed})
	want := fmt.Sprintf("InvalidConfigurationRequest: Port %d cannot be used: another process on this machine listens on it", port)
	if err == nil || !strings.HasPrefix(err.Error(), want) {
		t.Fatalf("got %v, want %s", err, want)
	}
	if _, err := net.Dial("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port))); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("inside after the failure: %v, want refused", err)
	}
	_ = other.Close()
	r.listener(lb, port, fixed)
	// The other public address is none of this machine's yet.
	if lb, _ = r.LoadBalancer(lb.ARN); lb.State != "active_impaired" || !strings.Contains(lb.StateReason, "192.0.2.77 is no address of this machine") {
		t.Errorf("got %s, %q", lb.State, lb.StateReason)
	}
	r.stop()
	if other, err = net.Listen("tcp", at); err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	r = startAt(t, path, cfg)
	if lb, _ = r.LoadBalancer(lb.ARN); lb.State != "active_impaired" || !strings.Contains(lb.StateReason, "another process") {
		t.Errorf("taken while down: got %s, %q", lb.State, lb.StateReason)
	}
	if got := get(t, client(t), "http://127.0.0.1:"+strconv.Itoa(port), "").body; got != "web" {
		t.Errorf("inside got %q", got)
	}
}

// TestMoveListener: a listener that moves to another port answers there at every
// address, and nowhere else.
func TestMoveListener(t *testing.T) {
	r, _ := startPublic(t)
	r.SetPolicy(sees(map[string][]string{"sg": {"0.0.0.0/0"}}))
	port, next := freePort(t), freePort(t)
	lb := r.facing("web", "internet-facing", port, "sg")
	_, err := r.UpdateListener(t.Context(), r.Listeners(lb.ARN)[0].ARN, func(l *model.Listener) error {
		l.Port = next
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range []string{"127.0.0.1", lb.Address, publicAddress.String()} {
		if got := get(t, client(t), "http://"+net.JoinHostPort(a, strconv.Itoa(next)), "").body; got != "web" {
			t.Errorf("%s: got %q at the new port", a, got)
		}
		if _, err := net.Dial("tcp", net.JoinHostPort(a, strconv.Itoa(port))); !errors.Is(err, syscall.ECONNREFUSED) {
			t.Errorf("%s: the old port: %v, want refused", a, err)
		}
	}
}
