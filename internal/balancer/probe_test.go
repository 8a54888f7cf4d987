package balancer

import (
	"context"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"neargate/internal/decide/health"
	"neargate/internal/model"
)

// TestHostHeader: elasticloadbalancing, "Health checks for your target groups":
// the Host header holds the target's address and, but for the protocol's own
// port, the health check port.
func TestHostHeader(t *testing.T) {
	for to, want := range map[string]string{
		"10.0.0.7:80":     "10.0.0.7",
		"10.0.0.7:8080":   "10.0.0.7:8080",
		"10.0.0.7:443":    "10.0.0.7:443",
		"[fd00::7]:80":    "[fd00::7]",
		"[fd00::7]:8080":  "[fd00::7]:8080",
		"10.0.0.80:80800": "10.0.0.80:80800",
	} {
		if got := hostHeader(to); got != want {
			t.Errorf("hostHeader(%q) is %q, want %q", to, got, want)
		}
	}
}

// TestProbeReadsNoEndlessHead: a target's answer to a health check is bounded,
// however long it goes on.
func TestProbeReadsNoEndlessHead(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	sent := make(chan int, 1)
	go func() {
		c, err := l.Accept()
		if err != nil {
			sent <- 0
			return
		}
		defer c.Close()
		n, err := io.WriteString(c, "HTTP/1.1 200 OK\r\n")
		for more := 0; err == nil; n += more {
			more, err = io.WriteString(c, "X: "+strings.Repeat("a", 4000)+"\r\n")
		}
		sent <- n
	}()
	at := l.Addr().(*net.TCPAddr)
	plan := health.Plan{Connect: time.Minute, Timeout: time.Minute}
	dial := func(ctx context.Context, addr string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "tcp", addr)
	}
	got := probeOnce(t.Context(), dial, model.Target{IP: "127.0.0.1", Port: at.Port}, &groupConf{TargetGroup: model.TargetGroup{HealthCheck: model.HealthCheck{Path: "/"}}}, plan)
	if got.Outcome != health.Broken {
		t.Errorf("got %+v, want a broken answer, before the time is over", got)
	}
	if n := <-sent; n > 64<<20 {
		t.Errorf("the target could send %d MiB", n>>20)
	}
}
