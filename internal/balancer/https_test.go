package balancer

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"neargate/internal/certs"
	"neargate/internal/decide/handshake"
	"neargate/internal/model"
	"neargate/internal/store/sealed"
)

// shelf is where the listeners of a test have their certificates from.
type shelf struct {
	t *testing.T
	*certs.Authority

	mu   sync.Mutex
	kept map[string]*tls.Certificate
}

func newShelf(t *testing.T) *shelf {
	t.Helper()
	a, err := certs.OpenAuthority(t.TempDir(), time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return &shelf{t: t, Authority: a, kept: map[string]*tls.Certificate{}}
}

func (s *shelf) Certificate(arn string) (*tls.Certificate, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if pair, ok := s.kept[arn]; ok {
		return pair, nil
	}
	return nil, model.Errorf(model.NotFound, "ResourceNotFoundException", "no %s", arn)
}

// put keeps a certificate for names under an ARN.
func (s *shelf) put(arn string, names ...string) string {
	s.t.Helper()
	cert, key, err := s.Issue(names, time.Now(), time.Hour)
	if err != nil {
		s.t.Fatal(err)
	}
	pair, err := tls.X509KeyPair(cert, key)
	if err != nil {
		s.t.Fatal(err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.kept[arn] = &pair
	return arn
}

// client asks a port of 127.0.0.1 by any name, and trusts the authority.
func (s *shelf) client(port int) *http.Client {
	s.t.Helper()
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(s.Root())
	transport := &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: roots},
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "tcp", "127.0.0.1:"+strconv.Itoa(port))
		},
	}
	s.t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

func fixed(text string) []model.Action {
	return []model.Action{{Type: "fixed-response", Order: 1, Fixed: &model.FixedResponse{StatusCode: 200, ContentType: "text/plain", Body: text}}}
}

// secured is an HTTPS listener.
func (r *rig) secured(lb model.LoadBalancer, port int, actions []model.Action, arns ...string) model.Listener {
	r.t.Helper()
	l, err := r.CreateListener(r.t.Context(), model.Listener{
		LoadBalancerARN: lb.ARN, Port: port, Protocol: "HTTPS", SSLPolicy: handshake.DefaultPolicy, Certificates: arns, DefaultActions: actions,
	})
	if err != nil {
		r.t.Fatal(err)
	}
	return l
}

// reach returns the status and body of an answer.
func reach(t *testing.T, c *http.Client, url, host string) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	req.Host = host
	resp, err := c.Do(req)
	if err != nil {
		return 0, err.Error()
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(body)
}

func (r *rig) lbTraffic(lb model.LoadBalancer) model.LoadBalancerTraffic {
	r.t.Helper()
	for _, t := range r.LoadBalancerTraffic() {
		if t.LoadBalancerARN == lb.ARN {
			return t
		}
	}
	r.t.Fatal("no traffic of the load balancer")
	return model.LoadBalancerTraffic{}
}

func TestHTTPS(t *testing.T) {
	s := newShelf(t)
	r := start(t, Config{Certificates: s})
	lb, tg, port, plain := r.loadBalancer("web"), r.targetGroup("web", nil), freePort(t), freePort(t)
	l := r.secured(lb, port, forward(tg.ARN), s.put("one", "www.test"))
	r.listener(lb, plain, []model.Action{{Type: "redirect", Order: 1, Redirect: &model.Redirect{
		Protocol: "HTTPS", Host: "#{host}", Port: "443", Path: "/#{path}", Query: "#{query}", StatusCode: 301,
	}}})
	var seen sync.Map
	target := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		seen.Store(q.URL.Path, q.Header.Get("X-Forwarded-Proto")+" "+q.Header.Get("X-Forwarded-Port")+" "+q.Host)
		_, _ = io.WriteString(w, "from the target")
	}))
	t.Cleanup(target.Close)
	b := &backend{name: "target", at: model.Target{IP: "127.0.0.1", Port: target.Listener.Addr().(*net.TCPAddr).Port}}
	r.register(tg, b)
	r.await(tg, "healthy", b)
	c := s.client(port)
	if status, body := reach(t, c, "https://www.test/x", ""); status != 200 || body != "from the target" {
		t.Fatalf("got %d %s", status, body)
	}
	want := "https " + strconv.Itoa(port) + " www.test:" + strconv.Itoa(port)
	if got, _ := seen.Load("/x"); got != want {
		t.Errorf("the target is told %q, want %q", got, want)
	}
	moved := s.client(plain)
	resp, err := moved.Get("http://www.test/a?b=c")
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if at := resp.Header.Get("Location"); resp.StatusCode != http.StatusMovedPermanently || at != "https://www.test:443/a?b=c" {
		t.Errorf("plain HTTP is answered %d, %q", resp.StatusCode, at)
	}
	if status, body := reach(t, c, "https://other.test/", ""); status != 0 || !strings.Contains(body, "other.test") {
		t.Errorf("a name that no certificate has is answered %d %s", status, body)
	}
	eventually(t, "the failure is counted", func() bool { return r.lbTraffic(lb).TLSErrors == 1 })

	// Certificates are added, and replaced, for connections to come.
	if _, err := r.UpdateListener(t.Context(), l.ARN, func(l *model.Listener) error {
		l.Certificates = append(l.Certificates, s.put("two", "*.test"))
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if status, _ := reach(t, c, "https://other.test/y", ""); status != 200 {
		t.Errorf("the added certificate is not shown")
	}
	s.put("two", "another.example")
	r.CertificateChanged("two")
	if status, _ := reach(t, s.client(port), "https://another.example/", ""); status != 200 {
		t.Error("the replaced certificate is not shown")
	}
	if users := r.CertificateUsers("two"); len(users) != 1 || users[0] != lb.ARN {
		t.Errorf("it is used by %v", users)
	}
	_, err = r.UpdateListener(t.Context(), l.ARN, func(l *model.Listener) error { l.Certificates = []string{"gone"}; return nil })
	if e, ok := errors.AsType[*model.Error](err); !ok || e.Code != "CertificateNotFound" {
		t.Errorf("a certificate that there is not: %v", err)
	}
	// The listener speaks plainly from now on, and then TLS again.
	for _, protocol := range []string{"HTTP", "HTTPS"} {
		if _, err := r.UpdateListener(t.Context(), l.ARN, func(l *model.Listener) error {
			l.Protocol, l.Certificates = protocol, []string{"one"}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		if status, body := reach(t, s.client(port), strings.ToLower(protocol)+"://www.test/z", ""); status != 200 {
			t.Errorf("%s: %d %s", protocol, status, body)
		}
	}
}

// Load balancers that share a port are told apart by the name that the client asks
// for in TLS: their own, or one that a certificate has.
func TestHTTPSOnASharedPort(t *testing.T) {
	s := newShelf(t)
	r := start(t, Config{Certificates: s})
	port := freePort(t)
	one, two, plain := r.loadBalancer("one"), r.loadBalancer("two"), r.loadBalancer("plain")
	r.secured(one, port, fixed("one"), s.put("c1", "www.one.test", one.DNSName))
	r.secured(two, port, fixed("two"), s.put("c2", "*.two.test", two.DNSName))
	r.listener(plain, port, fixed("plain"))
	at := ":" + strconv.Itoa(port) + "/"
	for _, row := range []struct {
		url, host string
		status    int
		body      string
	}{
		{"https://www.one.test" + at, "", 200, "one"},
		{"https://www.two.test" + at, "", 200, "two"},
		{"https://" + one.DNSName + at, "", 200, "one"},
		{"https://" + two.DNSName + at, "", 200, "two"},
		{"https://www.one.test" + at, "anything.else", 200, "one"},
		{"https://www.one.test" + at, two.DNSName, 421, ""}, // over the connection of another
		{"http://" + plain.DNSName + at, "", 200, "plain"},
		{"http://" + two.DNSName + at, "", 200, "plain"}, // the only one that speaks so
	} {
		status, body := reach(t, s.client(port), row.url, row.host)
		if status != row.status || row.body != "" && body != row.body {
			t.Errorf("%s for %q: got %d %s, want %d %s", row.url, row.host, status, body, row.status, row.body)
		}
	}
	// Without a name in TLS the Host header tells.
	c := s.client(port)
	c.Transport.(*http.Transport).TLSClientConfig.InsecureSkipVerify = true
	for host, want := range map[string]string{two.DNSName: "two", one.DNSName: "one", "unknown.test": "one"} {
		if status, body := reach(t, c, "https://127.0.0.1"+at, host); status != 200 || body != want {
			t.Errorf("no name, %s: got %d %s, want %s", host, status, body, want)
		}
	}
}

// What HTTPS listeners need survives a restart, sessions too.
func TestHTTPSAfterARestart(t *testing.T) {
	s := newShelf(t)
	dir := t.TempDir()
	key, err := sealed.OpenKey(filepath.Join(dir, "key"))
	if err != nil {
		t.Fatal(err)
	}
	cfg, path := Config{Certificates: s, Key: key}, filepath.Join(dir, "state.db")
	port := freePort(t)
	cache := tls.NewLRUClientSessionCache(1)
	resumed := func() bool {
		roots := x509.NewCertPool()
		roots.AppendCertsFromPEM(s.Root())
		c, err := tls.Dial("tcp", "127.0.0.1:"+strconv.Itoa(port), &tls.Config{RootCAs: roots, ServerName: "www.test", ClientSessionCache: cache, MaxVersion: tls.VersionTLS12})
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = c.Close() }()
		return c.ConnectionState().DidResume
	}
	r := startAt(t, path, cfg)
	r.secured(r.loadBalancer("web"), port, fixed("x"), s.put("one", "www.test"))
	if resumed() || !resumed() {
		t.Error("the second connection resumes no session")
	}
	r.stop()
	startAt(t, path, cfg)
	if !resumed() {
		t.Error("no session is resumed after a restart")
	}
}

// A target is told how TLS was agreed on where the load balancer is to tell, under
// the names that the listener has for it, and never by the client.
func TestTargetsAreToldOfTLS(t *testing.T) {
	s := newShelf(t)
	r := start(t, Config{Certificates: s})
	lb, tg, port := r.loadBalancer("web"), r.targetGroup("web", nil), freePort(t)
	l := r.secured(lb, port, forward(tg.ARN), s.put("one", "www.test"))
	target := handler(t, func(w http.ResponseWriter, q *http.Request) {
		_, _ = io.WriteString(w, strings.Join(append(q.Header.Values("X-Amzn-Tls-Version"), q.Header.Values("X-Amzn-Tls-Cipher-Suite")...), " ")+"|"+q.Header.Get("X-Version"))
	})
	r.register(tg, target)
	r.await(tg, "healthy", target)
	c := s.client(port)
	ask := func() string {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://www.test/", http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("X-Amzn-Tls-Version", "forged")
		resp, err := c.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return string(body)
	}
	if got := ask(); got != "forged|" {
		t.Errorf("without the attribute the target is told %q", got)
	}
	_, err := r.UpdateLoadBalancer(t.Context(), lb.ARN, func(lb *model.LoadBalancer) error {
		lb.Attributes = map[string]string{"routing.http.x_amzn_tls_version_and_cipher_suite.enabled": "true"}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := ask(); got != "TLSv1.2 ECDHE-ECDSA-AES128-GCM-SHA256|" {
		t.Errorf("the target is told %q", got)
	}
	_, err = r.UpdateListener(t.Context(), l.ARN, func(l *model.Listener) error {
		l.Attributes = map[string]string{"routing.http.request.x_amzn_tls_version.header_name": "X-Version"}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := ask(); got != "ECDHE-ECDSA-AES128-GCM-SHA256|TLSv1.2" {
		t.Errorf("under another name the target is told %q", got)
	}
}

// HTTP/2 is spoken by those who ask for it, unless the load balancer has it off.
func TestHTTP2ByALPN(t *testing.T) {
	s := newShelf(t)
	r := start(t, Config{Certificates: s})
	lb, port := r.loadBalancer("web"), freePort(t)
	r.secured(lb, port, fixed("x"), s.put("one", "www.test"))
	proto := func() string {
		t.Helper()
		c := s.client(port)
		c.Transport.(*http.Transport).ForceAttemptHTTP2 = true
		resp, err := c.Get("https://www.test/")
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		return resp.Proto
	}
	if got := proto(); got != "HTTP/2.0" {
		t.Errorf("%s is spoken", got)
	}
	if _, err := r.UpdateLoadBalancer(t.Context(), lb.ARN, func(lb *model.LoadBalancer) error {
		lb.Attributes = map[string]string{"routing.http2.enabled": "false"}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if got := proto(); got != "HTTP/1.1" {
		t.Errorf("%s is spoken though HTTP/2 is off", got)
	}
}

// A target is told of its client's certificate, and never by the client.
func TestTargetsAreToldOfClientCertificates(t *testing.T) {
	s := newShelf(t)
	r := start(t, Config{Certificates: s})
	lb, tg, port := r.loadBalancer("web"), r.targetGroup("web", nil), freePort(t)
	l := r.secured(lb, port, forward(tg.ARN), s.put("one", "www.test"))
	target := handler(t, func(w http.ResponseWriter, q *http.Request) {
		for name, values := range q.Header {
			if strings.HasPrefix(name, "X-Amzn-Mtls") || name == "X-Chain" {
				_, _ = fmt.Fprintln(w, name, strings.Join(values, ","))
			}
		}
	})
	r.register(tg, target)
	r.await(tg, "healthy", target)
	_, err := r.UpdateListener(t.Context(), l.ARN, func(l *model.Listener) error {
		l.Mutual.Mode = "passthrough"
		l.Attributes = map[string]string{"routing.http.request.x_amzn_mtls_clientcert.header_name": "X-Chain"}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	certPEM, keyPEM, err := s.Issue([]string{"client.test"}, time.Now(), time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	pair, err := tls.X509KeyPair(certPEM, keyPEM)
	if err != nil {
		t.Fatal(err)
	}
	ask := func(shown ...tls.Certificate) string {
		t.Helper()
		c := s.client(port)
		c.Transport.(*http.Transport).TLSClientConfig.Certificates = shown
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://www.test/", http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("X-Chain", "forged")
		req.Header.Set("X-Amzn-Mtls-Clientcert", "forged")
		resp, err := c.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = resp.Body.Close() }()
		body, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return strings.TrimSpace(string(body))
	}
	if got := ask(); got != "" {
		t.Errorf("without a certificate the target is told %s", got)
	}
	name, value, _ := strings.Cut(ask(pair), " ")
	text, err := url.PathUnescape(value)
	if err != nil || name != "X-Chain" || text != string(certPEM) || strings.Contains(value, "%2B") || strings.Contains(value, "%2F") {
		t.Errorf("the target is told %s %s, %v", name, value, err)
	}
}
