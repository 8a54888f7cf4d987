package load_test

import (
	"context"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"neargate/internal/load"
	"neargate/internal/traffic"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

type recorder struct {
	mu sync.Mutex
	rs []load.Result
}

func (r *recorder) record(x load.Result) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.rs = append(r.rs, x)
}

func run(ctx context.Context, t *testing.T, cfg load.Config) []load.Result {
	t.Helper()
	tester, err := load.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	var rec recorder
	if err := tester.Run(ctx, rec.record); err != nil && ctx.Err() == nil {
		t.Fatal(err)
	}
	return rec.rs
}

func TestUsersNeverExceedTheShape(t *testing.T) {
	var now, peak atomic.Int64
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if n := now.Add(1); n > peak.Load() {
			peak.Store(n)
		}
		defer now.Add(-1)
		time.Sleep(5 * time.Millisecond)
		_, _ = io.WriteString(w, "ok")
	}))
	defer srv.Close()
	rs := run(t.Context(), t, load.Config{URL: srv.URL, Users: traffic.RampHold(5, 50*time.Millisecond, 150*time.Millisecond)})
	if len(rs) == 0 {
		t.Fatal("no request was sent")
	}
	if peak.Load() > 5 {
		t.Errorf("%d requests at once from 5 users", peak.Load())
	}
	for _, r := range rs {
		if r.Failed() || r.Status != 200 || r.Bytes != 2 {
			t.Fatalf("result %+v, want a 200 of 2 bytes", r)
		}
		if r.Planned.After(r.Sent) || r.Sent.After(r.FirstByte) || r.FirstByte.After(r.Done) {
			t.Fatalf("times out of order: %+v", r)
		}
	}
}

func TestPaceHoldsUsersBack(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer srv.Close()
	rs := run(t.Context(), t, load.Config{
		URL: srv.URL, Pace: 50 * time.Millisecond,
		Users: traffic.Shape{{For: 220 * time.Millisecond, From: 2, To: 2}},
	})
	if len(rs) < 2 || len(rs) > 10 {
		t.Errorf("%d requests of 2 users in 220 ms at a pace of 50 ms, want at most 5 each", len(rs))
	}
}

// answer serves one raw answer a connection, the n-th connection the n-th one.
func answer(t *testing.T, answers ...string) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		for _, a := range answers {
			c, err := l.Accept()
			if err != nil {
				return
			}
			buf := make([]byte, 4096)
			_, _ = c.Read(buf)
			_, _ = io.WriteString(c, a)
			c.Close()
		}
	})
	t.Cleanup(func() { l.Close(); wg.Wait() })
	return "http://" + l.Addr().String()
}

func TestAnswersOfManyForms(t *testing.T) {
	for _, row := range []struct {
		name, answer string
		status       int
		bytes        int64
		failed       bool
	}{
		{"length", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc", 200, 3, false},
		{"chunked with trailer", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n0\r\nT: v\r\n\r\n", 200, 3, false},
		{"until close", "HTTP/1.0 200 OK\r\n\r\nabcd", 200, 4, false},
		{"no content after an interim answer", "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n", 204, 0, false},
		{"server error", "HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n", 503, 0, true},
		{"cut off in the body", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc", 200, 3, true},
		{"cut off in the head", "HTTP/1.1 200", 0, 0, true},
		{"not HTTP", "SSH-2.0-OpenSSH_9\r\n\r\n", 0, 0, true},
		{"closed without a word", "", 0, 0, true},
	} {
		t.Run(row.name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			tester, err := load.New(load.Config{URL: answer(t, row.answer), Users: traffic.Shape{{For: time.Minute, From: 1, To: 1}}})
			if err != nil {
				t.Fatal(err)
			}
			var got load.Result
			var once sync.Once
			_ = tester.Run(ctx, func(r load.Result) {
				once.Do(func() { got = r })
				cancel()
			})
			if got.Status != row.status || got.Bytes != row.bytes || got.Failed() != row.failed {
				t.Errorf("got status %d, %d bytes, failed %v (%v); want %d, %d, %v",
					got.Status, got.Bytes, got.Failed(), got.Err, row.status, row.bytes, row.failed)
			}
		})
	}
}

func TestEndingTheContextBreaksOffARequest(t *testing.T) {
	arrived := make(chan struct{})
	srv := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		close(arrived)
		<-r.Context().Done()
	}))
	defer srv.Close()
	ctx, cancel := context.WithCancelCause(t.Context())
	stop := errors.New("stopped by test")
	tester, err := load.New(load.Config{URL: srv.URL, Users: traffic.Shape{{For: time.Hour, From: 1, To: 1}}})
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	wg.Go(func() { <-arrived; cancel(stop) })
	if err := tester.Run(ctx, func(r load.Result) { t.Errorf("recorded %+v", r) }); !errors.Is(err, stop) {
		t.Errorf("Run = %v, want the context's cause", err)
	}
	wg.Wait()
}

func TestNewRefusesNonsense(t *testing.T) {
	for name, cfg := range map[string]load.Config{
		"another scheme": {URL: "ftp://a/"},
		"no host":        {URL: "http:///x"},
		"negative pace":  {URL: "http://a/", Pace: -1},
		"bad shape":      {URL: "http://a/", Users: traffic.Shape{{For: -1}}},
	} {
		if _, err := load.New(cfg); err == nil {
			t.Errorf("%s: New passed", name)
		}
	}
}

func TestHTTPS(t *testing.T) {
	srv := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "hello") }))
	t.Cleanup(srv.Close)
	trusted := x509.NewCertPool()
	trusted.AddCert(srv.Certificate())
	for name, row := range map[string]struct {
		roots *x509.CertPool
		want  int
	}{"trusted": {trusted, 200}, "not trusted": {x509.NewCertPool(), 0}} {
		tester, err := load.New(load.Config{
			URL: "https://example.com/", Dial: srv.Listener.Addr().String(), Roots: row.roots, Pace: time.Millisecond,
			Users: traffic.RampHold(1, 0, 50*time.Millisecond),
		})
		if err != nil {
			t.Fatal(err)
		}
		var mu sync.Mutex
		n := 0
		if err := tester.Run(t.Context(), func(r load.Result) {
			mu.Lock()
			defer mu.Unlock()
			if n++; r.Status != row.want || (r.Err == nil) != (row.want > 0) {
				t.Errorf("%s: status %d, %v", name, r.Status, r.Err)
			}
		}); err != nil {
			t.Fatal(err)
		}
		if n == 0 {
			t.Errorf("%s: nothing was sent", name)
		}
	}
}
