package balancer

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"neargate/internal/balancer/accesslog"
	"neargate/internal/model"
)

// follow collects the lines of a log until the test ends.
func (r *rig) follow(name string, kind accesslog.Kind) func() string {
	r.t.Helper()
	f, err := r.Follow(name, kind)
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(f.Close)
	var all bytes.Buffer
	return func() string {
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		for {
			lines, _, err := f.Next(ctx)
			if err != nil {
				return all.String()
			}
			all.Write(lines)
		}
	}
}

// match returns the line of text that a pattern matches, in which %d stands for the
// port.
func match(t *testing.T, text, pattern string, port int) string {
	t.Helper()
	line := regexp.MustCompile("(?m)" + strings.ReplaceAll(pattern, "%d", strconv.Itoa(port))).FindString(text)
	if line == "" {
		t.Errorf("in\n%s\nno line is %s", text, pattern)
	}
	return line
}

// Each protocol of clients has its name in the access log; each handshake, also one
// that fails, has a line in the connection log, whose ID is that of its requests.
func TestLogsOfTLS(t *testing.T) {
	to := &buckets{objects: map[string]string{}}
	s, trusted := newShelf(t), &trust{pool: x509.NewCertPool()}
	shown, root := clientPair(t)
	stranger, _ := clientPair(t)
	trusted.pool.AddCert(root)
	r := start(t, Config{Certificates: s, TrustStores: trusted, Logs: to})
	lb, port := r.loadBalancer("web"), freePort(t)
	l := r.secured(lb, port, fixed("here"), s.put("arn:one", "www.test"))
	access, conns := r.follow("web", accesslog.Access), r.follow("web", accesslog.Connections)
	if _, err := r.UpdateLoadBalancer(t.Context(), lb.ARN, func(lb *model.LoadBalancer) error {
		lb.Attributes = map[string]string{"connection_logs.s3.enabled": "true", "connection_logs.s3.bucket": "logs"}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	ask := func(second bool, kind string, with *tls.Certificate) error {
		c := s.client(port)
		tr := c.Transport.(*http.Transport)
		tr.ForceAttemptHTTP2 = second
		if with != nil {
			tr.TLSClientConfig.Certificates = []tls.Certificate{*with}
		}
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "https://www.test/a", http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", kind)
		resp, err := c.Do(req)
		if err == nil {
			_ = resp.Body.Close()
			tr.CloseIdleConnections()
		}
		return err
	}
	for _, err := range []error{ask(false, "text/plain", nil), ask(true, "text/plain", nil), ask(true, "application/grpc", nil)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	if _, err := r.UpdateListener(t.Context(), l.ARN, func(l *model.Listener) error {
		l.Mutual = model.MutualAuthentication{Mode: "verify", TrustStoreARN: trustARN}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if err := ask(false, "text/plain", &shown); err != nil {
		t.Fatal(err)
	}
	if err := ask(false, "text/plain", &stranger); err == nil {
		t.Error("a client with another authority's certificate was let in")
	}
	plain, err := net.Dial("tcp", "127.0.0.1:"+strconv.Itoa(port))
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprint(plain, "\x01\x02\x03")
	eventually(t, "six connections are logged", func() bool { return strings.Count(conns(), "\n") == 6 })
	eventually(t, "four requests are logged", func() bool { return strings.Count(access(), "\n") == 4 })
	_ = plain.Close()
	r.stop()

	const cipher = `ECDHE-ECDSA-[A-Z0-9-]+`
	node := regexp.QuoteMeta(lb.Address)
	for i, want := range []string{
		`^https .* 200 - \d+ \d+ "POST https://www\.test:%d/a HTTP/1\.1" "[^"]+" ` + cipher + ` TLSv1\.2 - "[^"]+" "www\.test" "arn:one" 0 \S+ "fixed-response" .* "-" "-" "-" ` + node + `$`,
		`^h2 .* "POST https://www\.test:%d/a HTTP/2\.0" .*`,
		`^grpcs .* "POST https://www\.test:%d/a HTTP/2\.0" .*`,
	} {
		line := match(t, access(), want, port) // which comes after the answer: they are in no order
		if id := regexp.MustCompile(`TID_[0-9a-f]{32}`).FindString(line); id == "" || strings.Count(conns(), id) != 1 {
			t.Errorf("request %d: its connection %q is not in\n%s", i, id, conns())
		}
	}
	const agreed = ` \d+ %d TLSv1\.2 ` + cipher
	const leaf = `"CN=someone\\x0d\\x0aX-Forged: yes" NotBefore=\S+Z;NotAfter=\S+Z ABC` // it forges no line
	const id = ` TID_[0-9a-f]{32} `
	for _, want := range []string{
		agreed + ` \d\.\d{3} "-" - - Success` + id + `\S+ app/web/\S+ ` + node + `$`, agreed, agreed,
		agreed + ` \d\.\d{3} ` + leaf + ` Success` + id,
		agreed + ` - ` + leaf + ` Failed:ClientCertUntrusted` + id,
		` \d+ %d - - - "-" - - Failed:UnmappedConnectionError` + id + `- app/web/`,
	} {
		match(t, conns(), want, port)
	}
	if got := len(to.lines(t)); got != 6 {
		t.Errorf("the bucket has %d connections", got)
	}
	for key := range to.objects {
		if !strings.Contains(key, "/conn_log.000000000000_elasticloadbalancing_us-east-1_app.web.") {
			t.Errorf("the bucket has %s", key)
		}
	}
}

// Each probe has a line in the health check log of the load balancer that uses the
// target group.
func TestHealthCheckLog(t *testing.T) {
	r := start(t, Config{})
	lb, tg, port := r.loadBalancer("web"), r.targetGroup("shop", nil), freePort(t)
	checks := r.follow("web", accesslog.HealthChecks)
	r.listener(lb, port, forward(tg.ARN))
	target := serve(t, "one")
	r.register(tg, target)
	r.await(tg, "healthy", target)
	nobody := &backend{name: "nobody", at: model.Target{IP: "127.0.0.1", Port: freePort(t)}}
	r.register(tg, nobody)
	pass := regexp.MustCompile(fmt.Sprintf(`(?m)^http \S+Z \d\.\d{9} 127\.0\.0\.1:%d shop PASS 200 - app/web/[0-9a-f]{16} %s$`, target.at.Port, regexp.QuoteMeta(lb.Address)))
	fail := regexp.MustCompile(fmt.Sprintf(`(?m)^http \S+Z \d\.\d{9} 127\.0\.0\.1:%d shop FAIL - ConnectionReset app/web/`, nobody.at.Port))
	eventually(t, "a check that passed and one that failed are logged", func() bool {
		text := checks()
		return pass.MatchString(text) && fail.MatchString(text)
	})
	if _, err := r.Follow("none", accesslog.Access); model.KindOf(err) != model.NotFound {
		t.Errorf("the log of a load balancer that is not there: %v", err)
	}
}
