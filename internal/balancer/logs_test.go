package balancer

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"

	"neargate/internal/balancer/accesslog"
	"neargate/internal/model"
)

// buckets are objects by BUCKET/KEY; there is no other bucket than "logs".
type buckets struct {
	mu      sync.Mutex
	objects map[string]string
}

func (b *buckets) Put(_ context.Context, bucket, key string, content []byte) error {
	if bucket != "logs" {
		return errors.New("no such bucket")
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.objects[bucket+"/"+key] = string(content)
	return nil
}

// lines returns the lines of all logs.
func (b *buckets) lines(t *testing.T) []string {
	t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	var all []string
	for key, content := range b.objects {
		if !strings.HasSuffix(key, ".log.gz") {
			continue
		}
		z, err := gzip.NewReader(bytes.NewReader([]byte(content)))
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(z)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")...)
	}
	return all
}

func (r *rig) logTo(arn, enabled, bucket string) {
	r.t.Helper()
	_, err := r.UpdateLoadBalancer(r.t.Context(), arn, func(lb *model.LoadBalancer) error {
		lb.Attributes = map[string]string{"access_logs.s3.enabled": enabled, "access_logs.s3.bucket": bucket, "access_logs.s3.prefix": "/p/"}
		return nil
	})
	if err != nil {
		r.t.Fatal(err)
	}
}

// What a load balancer answers while its access log is on has a line each, as it
// happened; what it answers otherwise has none; and nothing is lost when the log
// is turned off or the server ends.
func TestAccessLog(t *testing.T) {
	to := &buckets{objects: map[string]string{}}
	r := start(t, Config{Logs: to})
	lb, tg, port := r.loadBalancer("web"), r.targetGroup("web", nil), freePort(t)
	l := r.listener(lb, port, forward(tg.ARN))
	for i, rule := range []model.Rule{
		{Priority: 5, Conditions: []model.Condition{{Field: "path-pattern", Values: []string{"/fixed"}}}, Actions: []model.Action{{Type: "fixed-response", Fixed: &model.FixedResponse{StatusCode: 404}}}},
		{Priority: 7, Conditions: []model.Condition{{Field: "path-pattern", Values: []string{"/moved"}}}, Actions: []model.Action{{Type: "redirect", Redirect: &model.Redirect{StatusCode: 301, Protocol: "#{protocol}", Host: "#{host}", Port: "#{port}", Path: "/new", Query: "#{query}"}}}},
	} {
		rule.ListenerARN = l.ARN
		if _, err := r.CreateRule(t.Context(), rule); err != nil {
			t.Fatalf("rule %d: %v", i, err)
		}
	}
	target := serve(t, "one")
	r.register(tg, target)
	r.await(tg, "healthy", target)
	client := &http.Client{
		Transport:     &http.Transport{DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	ask := func(path string) {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, fmt.Sprintf("http://%s:%d%s", lb.Address, port, path), nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("User-Agent", `a "quoted" agent`)
		resp, err := client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
	}
	ask("/before")
	r.logTo(lb.ARN, "true", "logs")
	ask("/served?q=1")
	ask("/fixed")
	ask("/moved")
	bad, err := net.Dial("tcp", net.JoinHostPort(lb.Address, strconv.Itoa(port)))
	if err != nil {
		t.Fatal(err)
	}
	_, _ = bad.Write([]byte("NONSENSE\r\n\r\n"))
	_, _ = io.Copy(io.Discard, bad)
	bad.Close()
	r.logTo(lb.ARN, "false", "logs")
	ask("/between")
	eventually(t, "the request between has ended", func() bool { return r.LoadBalancerTraffic()[0].Requests == 3 })
	r.logTo(lb.ARN, "true", "logs")
	ask("/last")
	r.stop()

	want := map[string]string{
		"/served": `^http \S+Z app/web/[0-9a-f]{16} 127\.0\.0\.1:\d+ ` + regexp.QuoteMeta(fmt.Sprintf("127.0.0.1:%d", target.at.Port)) +
			` 0\.\d{3} 0\.\d{3} 0\.000 200 200 \d+ \d+ "GET http://` + regexp.QuoteMeta(fmt.Sprintf("%s:%d", lb.Address, port)) +
			`/served\?q=1 HTTP/1\.1" "a \\x22quoted\\x22 agent" - - ` + regexp.QuoteMeta(tg.ARN) + ` "Root=1-[0-9a-f]{8}-[0-9a-f]{24}" "-" "-" 0 \S+Z "forward" "-" "-" "\S+" "200" "-" "-" TID_[0-9a-f]{32} "-" "-" "-" ` + regexp.QuoteMeta(lb.Address) + `$`,
		"/fixed": ` - -1 -1 -1 404 - \d+ \d+ "GET \S+/fixed HTTP/1\.1" .* - "Root=1-[0-9a-f-]+" "-" "-" 5 \S+ "fixed-response" "-" "-" "-" "-" "-" "-" TID_[0-9a-f]{32} "-" "-" "-" \S+$`,
		"/moved": ` 301 - .* 7 \S+ "redirect" "http://\S+/new" "-" "-" "-" `,
		` "- `:   ` - -1 -1 -1 400 - \d+ \d+ "- http://:\d+- -" "-" - - - "[^"]+" "-" "-" - \S+ "-" "-" "-" "-" "-" "`,
		"/last":  ` 200 200 `,
	}
	lines := to.lines(t)
	if len(lines) != len(want) {
		t.Errorf("%d lines, want %d:\n%s", len(lines), len(want), strings.Join(lines, "\n"))
	}
	for part, pattern := range want {
		found := ""
		for _, line := range lines {
			if strings.Contains(line, part) {
				found = line
			}
		}
		if !regexp.MustCompile(pattern).MatchString(found) {
			t.Errorf("%s: got\n%s\nwant\n%s", part, found, pattern)
		}
	}
}

func TestTryLog(t *testing.T) {
	to := &buckets{objects: map[string]string{}}
	r := start(t, Config{Logs: to})
	if err := r.TryLog(t.Context(), accesslog.Access, "logs", "p"); err != nil || to.objects["logs/p/AWSLogs/000000000000/ELBAccessLogTestFile"] == "" {
		t.Errorf("got %v, %v", err, to.objects)
	}
	if err := r.TryLog(t.Context(), accesslog.Access, "none", ""); err == nil {
		t.Error("a bucket that is not there can be written to")
	}
}
