package http1

import (
	"context"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"neargate/internal/balancer/exchange"
)

// silence is a network in which one address takes no connection and refuses
// none, as that of a machine that has just gone.
type silence struct {
	addr    string
	dialing chan struct{} // one for each dial to addr
}

func (s *silence) dial(ctx context.Context, addr string) (net.Conn, error) {
	if addr != s.addr {
		return new(net.Dialer).DialContext(ctx, "tcp", addr)
	}
	s.dialing <- struct{}{}
	<-ctx.Done()
	return nil, context.Cause(ctx)
}

// TestDialsEndWithTheirTarget: however a target leaves service, a request that
// has not reached it goes to another one at once.
func TestDialsEndWithTheirTarget(t *testing.T) {
	for _, leave := range []struct {
		name string
		how  func(*exchange.Target)
	}{{"drained", (*exchange.Target).EndDials}, {"cut", (*exchange.Target).Cut}, {"lost", (*exchange.Target).Lose}} {
		for _, send := range []struct{ name, raw string }{
			{"GET", last11},
			{"POST", "POST / HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: 2\r\n\r\nhi"},
		} {
			t.Run(leave.name+" "+send.name, func(t *testing.T) {
				gone := &silence{addr: deadAddr(t), dialing: make(chan struct{}, 1)}
				good := newBackend(t, says(okAnswer))
				ln, err := net.Listen("tcp", "127.0.0.1:0")
				if err != nil {
					t.Fatal(err)
				}
				w := serve(t, ln, exchange.Config{Settings: settings(nil)}, exchange.PoolConfig{Dial: gone.dial})
				w.add(gone.addr)
				w.add(good.addr)
				c := w.send(t, send.raw)
				<-gone.dialing
				leave.how(w.targets[0].t)
				if got := rest(t, c); got != lastAnswer {
					t.Errorf("got %q, want the other target's %q", got, lastAnswer)
				}
				_, o := w.finished(t, 1)
				if diff := cmp.Diff([]exchange.Outcome{{Failure: exchange.ConnectRefused, Retry: true}, {Status: 200}}, failures(o)); diff != "" {
					t.Errorf("outcomes (-want +got):\n%s", diff)
				}
			})
		}
	}
}

// TestNoDialToWhatLeft: neither a cut nor a lost target is dialled any more.
func TestNoDialToWhatLeft(t *testing.T) {
	for _, leave := range []func(*exchange.Target){(*exchange.Target).Cut, (*exchange.Target).Lose} {
		gone := newBackend(t, says(okAnswer))
		good := newBackend(t, says(okAnswer))
		w := start(t, nil, gone.addr, good.addr)
		leave(w.targets[0].t)
		if got := rest(t, w.send(t, last11)); got != lastAnswer {
			t.Errorf("got %q, want %q", got, lastAnswer)
		}
		if gone.conns() != 0 {
			t.Errorf("the target that left took %d connections", gone.conns())
		}
	}
}

// TestLostTargetBreaksRequestsInFlight: what may be repeated is, the rest fails.
func TestLostTargetBreaksRequestsInFlight(t *testing.T) {
	for _, row := range []struct{ name, send, want string }{
		{"GET", last11, lastAnswer},
		{"POST", "POST / HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: 2\r\n\r\nhi", "HTTP/1.1 502 "},
	} {
		t.Run(row.name, func(t *testing.T) {
			hold := make(chan struct{})
			got := make(chan struct{}, 1)
			gone := newBackend(t, func(net.Conn, *http.Request, string) bool { got <- struct{}{}; <-hold; return false })
			t.Cleanup(func() { close(hold) })
			good := newBackend(t, says(okAnswer))
			w := start(t, nil, gone.addr, good.addr)
			c := w.send(t, row.send)
			<-got
			w.targets[0].t.Lose()
			if got := rest(t, c); !strings.HasPrefix(got, row.want) {
				t.Errorf("got %q, want %q", got, row.want)
			}
		})
	}
}

// TestNobodyWaitsForAThirdConnection: where no target takes connections a client
// has its 504 after the time of one, or of two where there is another target.
func TestNobodyWaitsForAThirdConnection(t *testing.T) {
	for _, targets := range []int{1, 2, 3} {
		var dials atomic.Int32
		dial := func(ctx context.Context, _ string) (net.Conn, error) {
			dials.Add(1)
			<-ctx.Done()
			return nil, ctx.Err()
		}
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		w := serve(t, ln, exchange.Config{Settings: settings(nil)}, exchange.PoolConfig{Dial: dial, DialTimeout: 20 * time.Millisecond})
		for range targets {
			w.add(deadAddr(t))
		}
		if got := rest(t, w.send(t, last11)); !strings.HasPrefix(got, "HTTP/1.1 504 ") {
			t.Errorf("%d targets: got %q, want 504", targets, got)
		}
		w.finished(t, 1)
		if got := int(dials.Load()); got != min(targets, 2) {
			t.Errorf("%d targets: %d connections were waited for", targets, got)
		}
	}
}
