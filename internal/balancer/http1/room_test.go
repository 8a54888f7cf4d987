package http1

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"neargate/internal/balancer/exchange"
)

// Connections to targets are bounded, whatever their clients do: a request beyond is
// answered 503 at once, and kept connections of other targets make room.
func TestRoomForTargets(t *testing.T) {
	reached, release := make(chan struct{}), make(chan struct{})
	back := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/slow" {
			close(reached)
			<-release
		}
	})
	one, two := httptest.NewServer(back), httptest.NewServer(back)
	defer one.Close()
	defer two.Close()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w := serve(t, ln, exchange.Config{Settings: settings(nil)}, exchange.PoolConfig{MaxConns: 1})
	w.add(one.Listener.Addr().String())
	other := w.add(two.Listener.Addr().String())
	ask := func(path string) string {
		return rest(t, w.send(t, "GET "+path+" HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"))
	}
	slow := w.send(t, "GET /slow HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
	<-reached
	if got := ask("/"); !strings.HasPrefix(got, "HTTP/1.1 503 ") {
		t.Errorf("without room: %q", got)
	}
	close(release)
	if got, _ := io.ReadAll(slow); !strings.HasPrefix(string(got), "HTTP/1.1 200 ") {
		t.Errorf("the request that had room: %q", got)
	}
	// The connection is kept, and another target needs its place.
	w.mu.Lock()
	w.targets = w.targets[1:]
	w.mu.Unlock()
	until(t, "room for another target", func() bool { return strings.HasPrefix(ask("/"), "HTTP/1.1 200 ") })
	other.Close()
	one.CloseClientConnections()
}
