package routing_test

import (
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"neargate/internal/decide/routing"
	"neargate/internal/model"
)

// The index finds what trying one rule after the other finds.
func TestTableMatchAgainstOneRuleAtATime(t *testing.T) {
	pattern := func(from, alphabet string) *rapid.Generator[string] {
		return rapid.Map(rapid.SliceOfN(rapid.SampledFrom(strings.Split(alphabet, "")), 0, 6), func(p []string) string { return from + strings.Join(p, "") })
	}
	condition := rapid.Custom(func(t *rapid.T) model.Condition {
		switch rapid.IntRange(0, 4).Draw(t, "kind") {
		case 0:
			return model.Condition{Field: "host-header", Values: rapid.SliceOfN(pattern("", "ab.B*?"), 1, 3).Draw(t, "hosts")}
		case 1:
			return model.Condition{Field: "http-request-method", Values: []string{rapid.SampledFrom([]string{"GET", "PUT"}).Draw(t, "method")}}
		case 2:
			return model.Condition{Field: "path-pattern", Regex: []string{rapid.SampledFrom([]string{"^/a", "b$", "/.a"}).Draw(t, "regex")}}
		default:
			return model.Condition{Field: "path-pattern", Values: rapid.SliceOfN(pattern("/", "ab/*?"), 1, 3).Draw(t, "paths")}
		}
	})
	rapid.Check(t, func(t *rapid.T) {
		rules := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) model.Rule {
			return model.Rule{Conditions: rapid.SliceOfN(condition, 1, 2).Draw(t, "conditions")}
		}), 0, 30).Draw(t, "rules")
		table := routing.Compile(rules, parse)
		for range 5 {
			req := &routing.Request{
				Host: pattern("", "abA.").Draw(t, "host"), Path: pattern("/", "ab/").Draw(t, "path"),
				Method: rapid.SampledFrom([]string{"GET", "PUT", "HEAD"}).Draw(t, "method"),
			}
			want := -1
			for i := range rules {
				if routing.Compile(rules[i:i+1], parse).Match(req) == 0 {
					want = i
					break
				}
			}
			if got := table.Match(req); got != want {
				t.Fatalf("%s %s %s: rule %d, want %d", req.Method, req.Host, req.Path, got, want)
			}
		}
	})
}

func TestTableMatchOfALongHost(t *testing.T) {
	table := routing.Compile([]model.Rule{{Conditions: values("host-header", "*.example.com")}, {}}, parse)
	if got := table.Match(&routing.Request{Host: strings.Repeat("a", 300) + ".example.com"}); got != 0 {
		t.Errorf("rule %d, want 0", got)
	}
}

func TestTableEvaluations(t *testing.T) {
	table := routing.Compile([]model.Rule{{Conditions: values("path-pattern", "/a")}, {Conditions: values("path-pattern", "/b")}, {}}, parse)
	for path, want := range map[string]int{"/a": 1, "/b": 2, "/c": 2} {
		if got := table.Evaluations(table.Match(&routing.Request{Path: path})); got != want {
			t.Errorf("%s: %d rules evaluated, want %d", path, got, want)
		}
	}
	if got := routing.Compile([]model.Rule{{}}, parse).Evaluations(0); got != 0 {
		t.Errorf("%d rules evaluated where there is but the default one", got)
	}
}

// thousand returns rules as they are written for many services behind one load
// balancer: by host, by path, by both and by the end of a host.
func thousand(n int) []model.Rule {
	rules := make([]model.Rule, 0, n+1)
	for i := range n {
		host, path := fmt.Sprintf("svc-%d.example.com", i), fmt.Sprintf("/svc-%d/*", i)
		var c []model.Condition
		switch i % 4 {
		case 0:
			c = values("host-header", host)
		case 1:
			c = values("path-pattern", path)
		case 2:
			c = append(values("host-header", "www.example.com"), values("path-pattern", path)...)
		case 3:
			c = values("host-header", "*."+host)
		}
		rules = append(rules, model.Rule{Priority: i + 1, Conditions: c})
	}
	return append(rules, model.Rule{})
}

func BenchmarkMatch(b *testing.B) {
	for _, n := range []int{1, 1000} {
		table := routing.Compile(thousand(n), parse)
		for _, r := range []struct{ name, host, path string }{
			{"last", fmt.Sprintf("a.svc-%d.example.com", n-1), "/"},
			{"none", "other.example.org", "/a/b/c"},
		} {
			b.Run(fmt.Sprintf("rules=%d/%s", n, r.name), func(b *testing.B) {
				req := &routing.Request{Method: "GET", Host: r.host, Path: r.path, Source: ip("10.0.0.1")}
				b.ReportAllocs()
				for b.Loop() {
					table.Match(req)
				}
			})
		}
	}
}
