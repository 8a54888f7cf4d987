package balancer

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"neargate/internal/balancer/exchange"
	"neargate/internal/decide/health"
	"neargate/internal/model"
)

// version2 serves h by HTTP/2, by TLS or prior knowledge.
func version2(t *testing.T, secure bool, h http.HandlerFunc) model.Target {
	t.Helper()
	srv := httptest.NewUnstartedServer(h)
	srv.Config.Protocols = new(http.Protocols)
	if secure {
		srv.EnableHTTP2 = true
		srv.Config.Protocols.SetHTTP2(true)
		srv.StartTLS()
	} else {
		srv.Config.Protocols.SetUnencryptedHTTP2(true)
		srv.Start()
	}
	t.Cleanup(srv.Close)
	return model.Target{IP: "127.0.0.1", Port: srv.Listener.Addr().(*net.TCPAddr).Port}
}

// unimplemented answers a call as gRPC's libraries do that know no such method: in
// trailers without a body, or in those behind one.
func unimplemented(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost || r.Header.Get("Content-Type") != "application/grpc" || r.Header.Get("Te") != "trailers" {
		http.Error(w, "no call", http.StatusBadRequest)
		return
	}
	_, _ = io.Copy(io.Discard, r.Body)
	w.Header().Set("Content-Type", "application/grpc")
	if r.URL.Path == "/bodiless" {
		w.Header().Set("Grpc-Status", "12")
		return
	}
	w.Header().Set("Trailer", "Grpc-Status")
	_, _ = w.Write([]byte{0, 0, 0, 0, 0})
	w.Header().Set("Grpc-Status", "12")
}

func TestProbeVersions(t *testing.T) {
	page := func(w http.ResponseWriter, r *http.Request) {
		if r.ProtoMajor != 2 || r.Header.Get("User-Agent") != probeAgent {
			w.WriteHeader(http.StatusTeapot)
		}
	}
	plain := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer plain.Close()
	secured := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer secured.Close()
	at := func(s *httptest.Server) model.Target {
		return model.Target{IP: "127.0.0.1", Port: s.Listener.Addr().(*net.TCPAddr).Port}
	}
	for name, r := range map[string]struct {
		at       model.Target
		speaks   exchange.Protocol
		protocol string
		path     string
		want     health.Result
	}{
		"HTTP/2":                {version2(t, false, page), exchange.HTTP2, "HTTP", "/", health.Result{Code: 200}},
		"HTTP/2 by TLS":         {version2(t, true, page), exchange.HTTP2, "HTTPS", "/", health.Result{Code: 200}},
		"HTTP/1.1 by TLS":       {at(secured), exchange.HTTP1, "HTTPS", "/", health.Result{Code: 200}},
		"TLS of a plain target": {at(plain), exchange.HTTP1, "HTTPS", "/", health.Result{Outcome: health.Broken}},
		"HTTP/2 of HTTP/1.1":    {at(plain), exchange.HTTP2, "HTTP", "/", health.Result{Outcome: health.Broken}},
		"gRPC":                  {version2(t, false, unimplemented), exchange.GRPC, "HTTP", "/AWS.ALB/healthcheck", health.Result{Code: 12}},
		"gRPC, bodiless":        {version2(t, false, unimplemented), exchange.GRPC, "HTTP", "/bodiless", health.Result{Code: 12}},
		"gRPC of HTTP/2":        {version2(t, false, page), exchange.GRPC, "HTTP", "/", health.Result{Code: grpcUnknown}},
	} {
		t.Run(name, func(t *testing.T) {
			conf := &groupConf{speaks: r.speaks}
			conf.HealthCheck = model.HealthCheck{Protocol: r.protocol, Path: r.path}
			dial := func(ctx context.Context, addr string) (net.Conn, error) {
				return new(net.Dialer).DialContext(ctx, "tcp", addr)
			}
			got := probeOnce(t.Context(), dial, r.at, conf, health.Plan{Connect: 10 * time.Second, Timeout: 10 * time.Second})
			if got != r.want {
				t.Errorf("got %+v, want %+v", got, r.want)
			}
		})
	}
}

// A probe that is not answered ends in time.
func TestProbeSilent(t *testing.T) {
	stop := make(chan struct{})
	at := version2(t, false, func(http.ResponseWriter, *http.Request) { <-stop })
	t.Cleanup(func() { close(stop) })
	conf := &groupConf{speaks: exchange.HTTP2}
	conf.HealthCheck = model.HealthCheck{Protocol: "HTTP", Path: "/"}
	dial := func(ctx context.Context, addr string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "tcp", addr)
	}
	got := probeOnce(t.Context(), dial, at, conf, health.Plan{Connect: time.Second, Timeout: 50 * time.Millisecond})
	if got.Outcome != health.TimedOut {
		t.Errorf("got %+v, want a timeout", got)
	}
}

func TestGroupTakes(t *testing.T) {
	request := func(version, method, kind string) *exchange.Request {
		return &exchange.Request{Version: version, Method: method, Fields: []exchange.Field{{Name: "content-type", Value: kind}}}
	}
	for name, r := range map[string]struct {
		request     *exchange.Request
		one, two, g bool
	}{
		"HTTP/1.1":        {request("HTTP/1.1", "GET", ""), true, false, false},
		"HTTP/1.1 POST":   {request("HTTP/1.1", "POST", "application/grpc"), true, false, false},
		"HTTP/2":          {request("HTTP/2.0", "GET", ""), true, true, false},
		"HTTP/2 POST":     {request("HTTP/2.0", "POST", "application/json"), true, true, true},
		"gRPC":            {request("HTTP/2.0", "POST", "application/grpc"), false, true, true},
		"gRPC with proto": {request("HTTP/2.0", "POST", "application/grpc+proto"), false, true, true},
	} {
		for speaks, want := range map[exchange.Protocol]bool{exchange.HTTP1: r.one, exchange.HTTP2: r.two, exchange.GRPC: r.g} {
			if got := (&groupConf{speaks: speaks}).takes(r.request); got != want {
				t.Errorf("%s to a group of version %d: got %t", name, speaks, got)
			}
		}
	}
}

// versioned is a target group of a protocol version, plain or by TLS.
func (r *rig) versioned(version, protocol string) model.TargetGroup {
	r.t.Helper()
	hc := model.HealthCheck{
		Enabled: true, Protocol: protocol, Port: "traffic-port", Path: "/", Matcher: "200",
		Interval: 30 * time.Second, Timeout: 5 * time.Second, HealthyThreshold: 5, UnhealthyThreshold: 2,
	}
	if version == "GRPC" {
		hc.Path, hc.Matcher = "/AWS.ALB/healthcheck", "12"
	}
	tg, err := r.CreateTargetGroup(r.t.Context(), model.TargetGroup{
		Name: version + protocol, Protocol: protocol, ProtocolVersion: version, Port: 80, TargetType: "ip", HealthCheck: hc,
	})
	if err != nil {
		r.t.Fatal(err)
	}
	return tg
}

// Requests go to targets by the version of their group, encrypted or not, and those
// that do not go with it get 464 without content.
func TestTargetGroupVersions(t *testing.T) {
	s := newShelf(t)
	r := start(t, Config{Certificates: s})
	lb := r.loadBalancer("web")
	certificate := s.put("one", "www.test")
	call := func(t *testing.T, port int, second bool, method, kind string) (*http.Response, string) {
		t.Helper()
		c := s.client(port)
		c.Transport.(*http.Transport).ForceAttemptHTTP2 = second
		req, err := http.NewRequestWithContext(t.Context(), method, "https://www.test/service/Method", http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", kind)
		req.Header.Set("Te", "trailers")
		resp, err := c.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = resp.Body.Close() }()
		b, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return resp, string(b)
	}
	told := func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Told", r.Proto+" "+r.Header.Get("X-Forwarded-Proto")+" "+r.Host)
	}
	for name, row := range map[string]struct {
		version, protocol string
		target            model.Target
		one, two, post, g int // statuses of HTTP/1.1, HTTP/2, its POST, gRPC
	}{
		"HTTP/1.1":      {"HTTP1", "HTTP", handler(t, told).at, 200, 200, 200, 464},
		"HTTP/2":        {"HTTP2", "HTTP", version2(t, false, told), 464, 200, 200, 200},
		"HTTP/2 by TLS": {"HTTP2", "HTTPS", version2(t, true, told), 464, 200, 200, 200},
		"gRPC":          {"GRPC", "HTTP", version2(t, false, unimplemented), 464, 464, 400, 200},
		"gRPC by TLS":   {"GRPC", "HTTPS", version2(t, true, unimplemented), 464, 464, 400, 200},
	} {
		t.Run(name, func(t *testing.T) {
			tg, port := r.versioned(row.version, row.protocol), freePort(t)
			r.secured(lb, port, forward(tg.ARN), certificate)
			b := &backend{name: name, at: row.target}
			r.register(tg, b)
			r.await(tg, "healthy", b)
			for _, q := range []struct {
				second       bool
				method, kind string
				want         int
			}{
				{false, http.MethodGet, "", row.one},
				{true, http.MethodGet, "", row.two},
				{true, http.MethodPost, "text/plain", row.post},
				{true, http.MethodPost, "application/grpc", row.g},
			} {
				resp, body := call(t, port, q.second, q.method, q.kind)
				if resp.StatusCode != q.want || q.want == 464 && (body != "" || resp.Header.Get("Content-Type") != "") {
					t.Errorf("%s %s %s: got %d %q, want %d", resp.Proto, q.method, q.kind, resp.StatusCode, body, q.want)
				}
				if row.version == "GRPC" && q.want == 200 && resp.Trailer.Get("Grpc-Status") != "12" {
					t.Errorf("got trailers %v", resp.Trailer)
				}
			}
		})
	}
	plain := r.versioned("HTTP2", "HTTP-plain")
	_, err := r.CreateListener(t.Context(), model.Listener{LoadBalancerARN: lb.ARN, Port: freePort(t), Protocol: "HTTP", DefaultActions: forward(plain.ARN)})
	if e, ok := errors.AsType[*model.Error](err); !ok || e.Code != "InvalidConfigurationRequest" {
		t.Errorf("a listener without TLS: got %v", err)
	}
}
