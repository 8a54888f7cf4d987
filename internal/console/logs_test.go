package console

import (
	"bufio"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"

	"neargate/internal/balancer/accesslog"
	"neargate/internal/model"
)

// stream is the one log that there is: the access log of the load balancer web.
type stream struct{ accesslog.Stream }

func (s *stream) Follow(name string, kind accesslog.Kind) (*accesslog.Follower, error) {
	if name != "web" || kind != accesslog.Access {
		return nil, model.Errorf(model.NotFound, "LoadBalancerNotFound", "no %s", name)
	}
	f, _ := s.Stream.Follow()
	return f, nil
}

func TestLogs(t *testing.T) {
	var of stream
	end := make(chan func(), 1)
	from := Sources{
		Logs: &of,
		Signed: func(r *http.Request, service string) error {
			if r.Header.Get("Authorization") != service {
				return model.Errorf(model.Denied, "MissingAuthenticationTokenException", "not signed")
			}
			return nil
		},
		AtEnd: func(f func()) func() bool { end <- f; return func() bool { return true } },
	}
	s := httptest.NewServer(Handler(nil, from))
	defer s.Close()
	ask := func(query, signed string) *http.Response {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL+LogsPath+"?"+query, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", signed)
		resp, err := s.Client().Do(req)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = resp.Body.Close() })
		return resp
	}
	for _, row := range []struct {
		query, signed string
		status        int
	}{
		{"balancer=web&log=access", "", http.StatusForbidden},
		{"balancer=web&log=access", "ecs", http.StatusForbidden},
		{"balancer=web&log=errors", LogsService, http.StatusBadRequest},
		{"balancer=web", LogsService, http.StatusBadRequest},
		{"balancer=none&log=access", LogsService, http.StatusNotFound},
		{"balancer=web&log=connections", LogsService, http.StatusNotFound},
	} {
		if got := ask(row.query, row.signed).StatusCode; got != row.status {
			t.Errorf("%s, signed for %q: status %d, want %d", row.query, row.signed, got, row.status)
		}
	}
	resp := ask("balancer=web&log=access", LogsService)
	check := accesslog.Check{Kind: "http", Target: netip.MustParseAddrPort("10.0.0.1:80"), TargetGroup: "shop"}
	lines := bufio.NewReader(resp.Body)
	for range 2 { // each comes without the next one
		of.Check(&check)
		if line, err := lines.ReadString('\n'); err != nil || line != string(check.Append(nil)) {
			t.Fatalf("got %q, %v", line, err)
		}
	}
	(<-end)() // the server ends
	if rest, err := io.ReadAll(lines); err != nil || len(rest) > 0 {
		t.Errorf("at the end: %q, %v", rest, err)
	}
	_ = resp.Body.Close()
	s.Close() // waits for the handler
	if of.Wanted() {
		t.Error("nobody follows, but lines are wanted")
	}
}
