package http1

import (
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"neargate/internal/balancer/exchange"
)

func TestDrainFinishesWhatIsInFlight(t *testing.T) {
	release := make(chan struct{})
	got := make(chan struct{}, 1)
	b := newBackend(t, func(c net.Conn, r *http.Request, raw string) bool {
		if r.URL.Path == "/slow" {
			got <- struct{}{}
			<-release
		}
		return says(okAnswer)(c, r, raw)
	})
	w := start(t, nil, b.addr)
	idle := w.send(t, get11)
	expect(t, idle, okAnswer)
	fresh := w.dial(t)
	until(t, "connections accepted", func() bool { w.mu.Lock(); defer w.mu.Unlock(); return w.open == 2 })
	busy := w.send(t, "GET /slow HTTP/1.1\r\nHost: h\r\n\r\n")
	<-got
	w.srv.Drain()
	if s := rest(t, idle) + rest(t, fresh); s != "" {
		t.Errorf("idle connections got %q, want an end", s)
	}
	if c, err := net.Dial("tcp", w.addr); err == nil {
		c.Close()
		t.Error("a new connection was accepted")
	}
	select {
	case err := <-w.served:
		t.Fatalf("Serve returned %v with a request in flight", err)
	default:
	}
	close(release)
	if s := rest(t, busy); s != lastAnswer {
		t.Errorf("got %q, want %q", s, lastAnswer)
	}
	if err := <-w.served; err != nil {
		t.Errorf("Serve returned %v, want nil", err)
	}
	close(w.served)
}

// TestDrainUnderLoadLosesNothing: every request that was sent before the
// connection was seen to end is answered.
func TestDrainUnderLoadLosesNothing(t *testing.T) {
	b := newBackend(t, says(okAnswer))
	w := start(t, nil, b.addr)
	var clients sync.WaitGroup
	var answered, lost atomic.Int32
	for range 16 {
		c := w.dial(t)
		clients.Go(func() {
			in := newReader(c)
			for {
				if _, err := io.WriteString(c, get11); err != nil {
					return
				}
				res, err := http.ReadResponse(in, nil)
				if err != nil {
					lost.Add(1)
					return
				}
				if _, err := io.Copy(io.Discard, res.Body); err != nil {
					lost.Add(1)
				}
				answered.Add(1)
				if res.Close {
					return
				}
			}
		})
	}
	until(t, "requests flow", func() bool { return answered.Load() > 200 })
	w.srv.Drain()
	if err := <-w.served; err != nil {
		t.Errorf("Serve returned %v, want nil", err)
	}
	close(w.served)
	clients.Wait()
	if lost.Load() > 0 {
		t.Errorf("%d of %d requests were lost", lost.Load(), answered.Load())
	}
}

func TestHardEndCutsRequests(t *testing.T) {
	hold := make(chan struct{})
	got := make(chan struct{}, 1)
	b := newBackend(t, func(net.Conn, *http.Request, string) bool { got <- struct{}{}; <-hold; return false })
	t.Cleanup(func() { close(hold) })
	w := start(t, nil, b.addr)
	c := w.send(t, get11)
	<-got
	cause := errors.New("enough")
	w.endHard(cause)
	if err := <-w.served; !errors.Is(err, cause) {
		t.Errorf("Serve returned %v, want the cause", err)
	}
	close(w.served)
	if s := rest(t, c); s != "" {
		t.Errorf("got %q, want an end", s)
	}
	_, o := w.finished(t, 1)
	if o[0].Failure != exchange.Ended {
		t.Errorf("got %v, want ended", o[0].Failure)
	}
}

func TestClaimSeesTheClientLeave(t *testing.T) {
	w := start(t, nil)
	waits := make(chan struct{})
	w.claim = func(r *exchange.Request) (exchange.Lease, error) {
		close(waits)
		<-r.Context().Done()
		return nil, r.Context().Err()
	}
	c := w.send(t, get11)
	<-waits
	c.Close()
	s, o := w.finished(t, 1)
	if s[0].Status != 460 || len(o) != 0 {
		t.Errorf("got %+v and %d outcomes, want 460 and none", s[0], len(o))
	}
}

func TestClaimThatWaitedGoesOn(t *testing.T) {
	b := newBackend(t, says(okAnswer))
	w := start(t, nil, b.addr)
	waits, proceed := make(chan struct{}, 9), make(chan struct{})
	w.claim = func(r *exchange.Request) (exchange.Lease, error) {
		waits <- struct{}{}
		select {
		case <-r.Context().Done():
			return nil, r.Context().Err()
		case <-proceed:
			return w.targets[0], nil
		}
	}
	c := w.send(t, get11+last11)
	<-waits
	proceed <- struct{}{}
	<-waits
	proceed <- struct{}{}
	if got := rest(t, c); got != okAnswer+lastAnswer {
		t.Errorf("got %q", got)
	}
}

func TestClientThatLeavesFreesTheTarget(t *testing.T) {
	hold := make(chan struct{})
	got := make(chan struct{}, 1)
	b := newBackend(t, func(net.Conn, *http.Request, string) bool { got <- struct{}{}; <-hold; return false })
	t.Cleanup(func() { close(hold) })
	w := start(t, func(s *exchange.Settings) { s.IdleTimeout = time.Minute }, b.addr)
	c := w.send(t, get11)
	<-got
	c.Close()
	s, o := w.finished(t, 1)
	if o[0].Failure != exchange.ClientGone || s[0].Status != 460 {
		t.Errorf("got %v and status %d, want client gone and 460", o[0].Failure, s[0].Status)
	}
}

func TestTunnel(t *testing.T) {
	b := newBackend(t, func(c net.Conn, _ *http.Request, _ string) bool {
		_, _ = io.WriteString(c, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: x\r\n\r\nhello")
		_, _ = io.Copy(c, c) // echo
		_, _ = io.WriteString(c, "bye")
		return false
	})
	w := start(t, nil, b.addr)
	c := w.send(t, "GET /ws HTTP/1.1\r\nHost: h\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: k\r\n\r\n")
	expect(t, c, "HTTP/1.1 101 Switching Protocols\r\nSec-WebSocket-Accept: x\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\nhello")
	large := strings.Repeat("0123456789", 10000)
	var wg sync.WaitGroup
	wg.Go(func() { write(t, c, large) })
	expect(t, c, large)
	wg.Wait()
	if err := c.(*net.TCPConn).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if got := rest(t, c); got != "bye" {
		t.Errorf("got %q after the client's end, want %q", got, "bye")
	}
	s, o := w.finished(t, 1)
	if !s[0].Tunnel || s[0].Status != 101 || o[0].Failure != exchange.OK {
		t.Errorf("got %+v, want a tunnel", s[0])
	}
	if got := b.requests()[0]; !strings.Contains(got, "\r\nConnection: upgrade\r\nUpgrade: websocket\r\n") {
		t.Errorf("the target got %q, want the upgrade", got)
	}
}

func TestUpgradeDeclined(t *testing.T) {
	b := newBackend(t, says(okAnswer))
	w := start(t, nil, b.addr)
	c := w.send(t, "GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"+last11)
	if got := rest(t, c); got != okAnswer+lastAnswer {
		t.Errorf("got %q", got)
	}
}
