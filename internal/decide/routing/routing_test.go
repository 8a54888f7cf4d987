package routing_test

import (
	"net/http"
	"net/netip"
	"testing"

	"neargate/internal/decide/routing"
	"neargate/internal/model"
)

type header http.Header

func (h header) Each(name string, fn func(string) bool) {
	for _, v := range http.Header(h).Values(name) {
		if !fn(v) {
			return
		}
	}
}

func parse(cidr string) (routing.Prefix, bool) {
	p, err := netip.ParsePrefix(cidr)
	bits := p.Bits()
	if p.Addr().Is4() {
		bits += 96
	}
	return routing.Prefix{Addr: p.Addr().As16(), Bits: bits}, err == nil
}

func ip(s string) [16]byte { return netip.MustParseAddr(s).As16() }

func values(field string, v ...string) []model.Condition {
	return []model.Condition{{Field: field, Values: v}}
}

func regex(field string, v ...string) []model.Condition {
	return []model.Condition{{Field: field, Regex: v}}
}

func TestTableMatchConditions(t *testing.T) {
	query := func(pairs ...model.Tag) []model.Condition {
		return []model.Condition{{Field: "query-string", Query: pairs}}
	}
	head := func(name string, v ...string) []model.Condition {
		return []model.Condition{{Field: "http-header", HeaderName: name, Values: v}}
	}
	rows := []struct {
		name       string
		conditions []model.Condition
		req        routing.Request
		want       bool
	}{
		{"host equal", values("host-header", "api.example.com"), routing.Request{Host: "api.example.com"}, true},
		{"host in another case, with port", values("host-header", "API.example.com"), routing.Request{Host: "api.Example.com:8080"}, true},
		{"host wildcard", values("host-header", "*.example.com"), routing.Request{Host: "a.b.example.com"}, true},
		{"host wildcard needs the dot", values("host-header", "*.example.com"), routing.Request{Host: "example.com"}, false},
		{"host one character", values("host-header", "v?.example.com"), routing.Request{Host: "v2.example.com"}, true},
		{"host is an IPv6 address with port", values("host-header", "[::1]"), routing.Request{Host: "[::1]:80"}, true},
		{"second of two hosts", values("host-header", "a.test", "b.test"), routing.Request{Host: "b.test"}, true},
		{"path equal", values("path-pattern", "/img"), routing.Request{Path: "/img"}, true},
		{"path is more than the pattern", values("path-pattern", "/img"), routing.Request{Path: "/img/a"}, false},
		{"path case counts", values("path-pattern", "/img/*"), routing.Request{Path: "/IMG/a"}, false},
		{"path wildcard crosses slashes", values("path-pattern", "/img/*/x.png"), routing.Request{Path: "/img/a/b/x.png"}, true},
		{"path wildcard matches nothing", values("path-pattern", "/img*"), routing.Request{Path: "/img"}, true},
		{"path question mark matches no nothing", values("path-pattern", "/img?"), routing.Request{Path: "/img"}, false},
		{"path is not decoded", values("path-pattern", "/a b"), routing.Request{Path: "/a%20b"}, false},
		{"path without the query", values("path-pattern", "/a"), routing.Request{Path: "/a", Query: "b=c"}, true},
		{"method equal", values("http-request-method", "PURGE", "GET"), routing.Request{Method: "GET"}, true},
		{"method case counts", values("http-request-method", "GET"), routing.Request{Method: "get"}, false},
		{"method has no wildcard", values("http-request-method", "*"), routing.Request{Method: "GET"}, false},
		{"query key and value", query(model.Tag{Key: "version", Value: "v1"}), routing.Request{Query: "a=b&version=V1"}, true},
		{"query value under another key", query(model.Tag{Key: "version", Value: "v1"}), routing.Request{Query: "a=v1"}, false},
		{"query value under any key", query(model.Tag{Value: "*v1*"}), routing.Request{Query: "a=xv1x"}, true},
		{"query escaped star", query(model.Tag{Key: "q", Value: `\*`}), routing.Request{Query: "q=a"}, false},
		{"query real star", query(model.Tag{Key: "q", Value: `\*`}), routing.Request{Query: "q=*"}, true},
		{"no query", query(model.Tag{Value: "*"}), routing.Request{}, false},
		{"header in another case", head("x-env", "*PROD*"), routing.Request{Header: header{"X-Env": {"dev", "my-prod-1"}}}, true},
		{"header is missing", head("X-Env", "*"), routing.Request{Header: header{}}, false},
		{"source in the block", values("source-ip", "10.0.0.0/8"), routing.Request{Source: ip("10.200.1.1")}, true},
		{"source beside the block", values("source-ip", "10.0.0.0/9"), routing.Request{Source: ip("10.200.1.1")}, false},
		{"source in the second block", values("source-ip", "10.0.0.0/9", "127.0.0.1/32"), routing.Request{Source: ip("127.0.0.1")}, true},
		{"source in a v6 block", values("source-ip", "fd00::/9"), routing.Request{Source: ip("fd12::1")}, true},
		{"source of IPv4 in all of IPv6", values("source-ip", "::/0"), routing.Request{Source: ip("9.9.9.9")}, false},
		{"source of IPv6 in all of IPv6", values("source-ip", "::/0"), routing.Request{Source: ip("2001:db8::1")}, true},
		{"source of IPv6 in all of IPv4", values("source-ip", "0.0.0.0/0"), routing.Request{Source: ip("2001:db8::1")}, false},
		{"host by regular expression", regex("host-header", `^(.+)\.example\.com$`), routing.Request{Host: "A.Example.com:81"}, true},
		{"host by regular expression with port", regex("host-header", `^a\.example\.com:8443$`), routing.Request{Host: "a.example.com:8443"}, true},
		{"host by regular expression with another port", regex("host-header", `^a\.example\.com:8443$`), routing.Request{Host: "a.example.com:443"}, false},
		{"path by regular expression", regex("path-pattern", `^/v[0-9]+/`), routing.Request{Path: "/v12/a"}, true},
		{"path by regular expression, case counts", regex("path-pattern", `^/v[0-9]+/`), routing.Request{Path: "/V12/a"}, false},
		{"path by regular expression found inside", regex("path-pattern", `img`), routing.Request{Path: "/a/img/b"}, true},
		{"header by regular expression", []model.Condition{{Field: "http-header", HeaderName: "User-Agent", Regex: []string{"(chrome|safari)/[0-9]"}}}, routing.Request{Header: header{"User-Agent": {"Chrome/9"}}}, true},
		{"source of any kind", values("source-ip", "0.0.0.0/0"), routing.Request{Source: ip("9.9.9.9")}, true},
		{"all conditions must hold", append(values("path-pattern", "/a"), values("http-request-method", "GET")...), routing.Request{Path: "/a", Method: "POST"}, false},
		{"all conditions hold", append(values("path-pattern", "/a"), values("http-request-method", "GET")...), routing.Request{Path: "/a", Method: "GET"}, true},
	}
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			table := routing.Compile([]model.Rule{{Conditions: r.conditions}, {}}, parse)
			if got := table.Match(&r.req) == 0; got != r.want {
				t.Errorf("matches = %v, want %v", got, r.want)
			}
		})
	}
}

func TestTableMatchTakesTheFirst(t *testing.T) {
	table := routing.Compile([]model.Rule{
		{Conditions: values("path-pattern", "/a/b")},
		{Conditions: values("path-pattern", "/a/*")},
		{},
	}, parse)
	for path, want := range map[string]int{"/a/b": 0, "/a/c": 1, "/b": 2} {
		if got := table.Match(&routing.Request{Path: path}); got != want {
			t.Errorf("%s goes to rule %d, want %d", path, got, want)
		}
	}
}

func TestTableMatchAllocatesNothing(t *testing.T) {
	table := routing.Compile([]model.Rule{
		{Conditions: values("host-header", "*.example.com")},
		{Conditions: append(values("path-pattern", "/a/*/z"), values("source-ip", "10.0.0.0/8")...)},
		{},
	}, parse)
	req := &routing.Request{Host: "localhost:80", Path: "/a/b/c/d", Source: ip("127.0.0.1")}
	loads := []int{3, 1, 2}
	turn := uint64(0)
	got := testing.AllocsPerRun(100, func() {
		table.Match(req)
		turn++
		routing.Pick(routing.LeastOutstanding, loads, load, turn, 0)
	})
	if got != 0 {
		t.Errorf("%v allocations for a request", got)
	}
}

func load(n int) int { return n }
