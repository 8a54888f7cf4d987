package workshop

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync"
	"testing"
)

func get(t *testing.T, url string) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(body)
}

func TestHandlerAnswers(t *testing.T) {
	srv := httptest.NewServer((&handler{host: "ip-10-0-0-7", compute: compute}).routes())
	defer srv.Close()
	for _, row := range []struct {
		name, path string
		status     int
		body       string // regular expression
	}{
		{"greets by name", "/", 200, `^Hello from ip-10-0-0-7!$`},
		{"computes a hash", "/computation", 200, `^[0-9a-f]{32}$`},
		{"knows no other path", "/other", 404, `not found`},
	} {
		t.Run(row.name, func(t *testing.T) {
			status, body := get(t, srv.URL+row.path)
			if status != row.status || !regexp.MustCompile(row.body).MatchString(body) {
				t.Errorf("GET %s = %d %q, want %d and %s", row.path, status, body, row.status, row.body)
			}
		})
	}
}

func TestComputeEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if got := compute(ctx, 1<<40); got != "" {
		t.Errorf("compute after cancel = %q, want no round done", got)
	}
}

func TestServeFinishesRequestsInFlight(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	started := make(chan struct{})
	h := &handler{host: "blue", compute: func(context.Context, int) string {
		close(started)
		<-ctx.Done() // answers only once the app has been told to stop
		return "late but there"
	}}
	var out bytes.Buffer
	var wg sync.WaitGroup
	var serveErr error
	wg.Go(func() { serveErr = serve(ctx, ln, h, &out) })

	answer := make(chan string, 1)
	wg.Go(func() {
		_, body := get(t, "http://"+ln.Addr().String()+"/computation")
		answer <- body
	})
	<-started
	cancel()
	wg.Wait()
	if serveErr != nil {
		t.Errorf("serve = %v, want a clean stop", serveErr)
	}
	select {
	case body := <-answer:
		if body != "late but there" {
			t.Errorf("answer during the stop = %q, want the whole of it", body)
		}
	default:
		t.Error("the request in flight was not answered")
	}
	if got := out.String(); !strings.HasPrefix(got, "blue listens on 127.0.0.1:") || !strings.HasSuffix(got, "\nblue stopped\n") {
		t.Errorf("output = %q", got)
	}
}

func TestMainRefusesABadPort(t *testing.T) {
	env := func(k string) (string, bool) { return map[string]string{"PORT": "none"}[k], k == "PORT" }
	err := Main(t.Context(), env, io.Discard)
	if err == nil || !strings.Contains(err.Error(), "listen on port none") {
		t.Errorf("Main = %v, want it to name the port", err)
	}
}

func TestMainWaitsForItsStartup(t *testing.T) {
	env := func(startup string) func(string) (string, bool) {
		return func(k string) (string, bool) {
			v, ok := map[string]string{"PORT": "none", "STARTUP": startup}[k]
			return v, ok
		}
	}
	if err := Main(t.Context(), env("soon"), io.Discard); err == nil || !strings.Contains(err.Error(), `STARTUP "soon"`) {
		t.Errorf("Main = %v, want it to name the time", err)
	}
	if err := Main(t.Context(), env("1ms"), io.Discard); err == nil || !strings.Contains(err.Error(), "port none") {
		t.Errorf("Main = %v, want it to listen after the wait", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := Main(ctx, env("1h"), io.Discard); err != nil {
		t.Errorf("Main = %v, want a clean stop within the wait", err)
	}
}

func BenchmarkCompute(b *testing.B) {
	for b.Loop() {
		compute(b.Context(), rounds)
	}
}
