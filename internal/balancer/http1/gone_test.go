package http1

import (
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"neargate/internal/balancer/exchange"
)

// held is a target that keeps its requests waiting.
type held struct {
	*backend
	got chan struct{} // one for each request that has come
	let chan struct{} // one for each that may be answered
}

func newHeld(t *testing.T) *held {
	t.Helper()
	h := &held{got: make(chan struct{}, 9), let: make(chan struct{}, 9)}
	h.backend = newBackend(t, func(c net.Conn, r *http.Request, raw string) bool {
		h.got <- struct{}{}
		_, more := <-h.let
		return more && says(okAnswer)(c, r, raw)
	})
	t.Cleanup(func() { close(h.let) })
	return h
}

const question = "HTTP/1.1 100 Continue\r\n\r\n"

// TestHalfClosedClientIsAnswered: that a client sends no more does not mean that it
// has gone. Whoever understands is asked once.
func TestHalfClosedClientIsAnswered(t *testing.T) {
	b := newHeld(t)
	w := start(t, func(s *exchange.Settings) { s.IdleTimeout = time.Minute }, b.addr)
	c := w.send(t, get11)
	<-b.got
	if err := c.(*net.TCPConn).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	expect(t, c, question)
	b.let <- struct{}{}
	expect(t, c, okAnswer)
	if s, o := w.finished(t, 1); s[0].Status != 200 || o[0].Failure != exchange.OK {
		t.Errorf("got %+v and %v, want a 200", s[0], o[0].Failure)
	}
	if got := rest(t, c); got != "" {
		t.Errorf("got %q behind the answer", got)
	}
}

// TestClientThatLeavesInAQueueIsSeen: half-closed is not gone there either.
func TestClientThatLeavesInAQueueIsSeen(t *testing.T) {
	w := start(t, nil)
	waits := make(chan struct{})
	w.claim = func(r *exchange.Request) (exchange.Lease, error) {
		ctx := r.Context()
		close(waits)
		<-ctx.Done()
		return nil, ctx.Err()
	}
	c := w.send(t, get11)
	<-waits
	if err := c.(*net.TCPConn).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	expect(t, c, question)
	if err := c.(*net.TCPConn).SetLinger(0); err != nil {
		t.Fatal(err)
	}
	c.Close()
	if s, _ := w.finished(t, 1); s[0].Status != 460 {
		t.Errorf("got %+v, want 460", s[0])
	}
}

// TestClientThatLeavesInItsBodyIsSeen in a queue, at once.
func TestClientThatLeavesInItsBodyIsSeen(t *testing.T) {
	w := start(t, nil)
	waits := make(chan struct{})
	w.claim = func(r *exchange.Request) (exchange.Lease, error) {
		ctx := r.Context()
		close(waits)
		<-ctx.Done()
		return nil, ctx.Err()
	}
	c := w.send(t, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1000000\r\n\r\nsome")
	<-waits
	if err := c.(*net.TCPConn).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if s, _ := w.finished(t, 1); s[0].Status != 460 {
		t.Errorf("got %+v, want 460", s[0])
	}
}

// TestReadAheadLosesNothing: what a client sends while its request waits is its
// next request, or the rest of its body.
func TestReadAheadLosesNothing(t *testing.T) {
	b := newBackend(t, says(okAnswer))
	w := start(t, nil, b.addr)
	waits, proceed := make(chan struct{}), make(chan struct{})
	w.claim = func(r *exchange.Request) (exchange.Lease, error) {
		_ = r.Context()
		waits <- struct{}{}
		<-proceed
		w.mu.Lock()
		defer w.mu.Unlock()
		return w.targets[0], nil
	}
	c := w.send(t, "POST /1 HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhe")
	<-waits
	write(t, c, "llo\r\n0\r\n\r\n"+last11)
	proceed <- struct{}{}
	<-waits
	proceed <- struct{}{}
	if got := rest(t, c); got != okAnswer+lastAnswer {
		t.Errorf("got %q", got)
	}
	if s, _ := w.finished(t, 2); s[0].Received != 72 || s[1].Received != int64(len(last11)) {
		t.Errorf("got %d and %d bytes, want 72 and %d", s[0].Received, s[1].Received, len(last11))
	}
}

// secured wraps connections in TLS as a front does.
type secured struct {
	net.Listener
	cfg *tls.Config
}

func (s secured) Accept() (net.Conn, error) {
	c, err := s.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return tls.Server(c, s.cfg), nil
}

// overTLS serves a balancer over TLS, with the certificate of net/http's tests.
func overTLS(t *testing.T, change func(*exchange.Settings), targets ...string) *world {
	t.Helper()
	lender := httptest.NewUnstartedServer(nil)
	lender.StartTLS()
	certificates := lender.TLS.Certificates
	lender.Close()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	cfg := &tls.Config{Certificates: certificates} //nolint:gosec // whatever version
	w := serve(t, secured{ln, cfg}, exchange.Config{Settings: settings(change)}, exchange.PoolConfig{})
	for _, addr := range targets {
		w.add(addr)
	}
	return w
}

// TestClientThatLeavesIsSeenOverTLS, where no one can look into the socket.
func TestClientThatLeavesIsSeenOverTLS(t *testing.T) {
	for _, row := range []struct {
		name  string
		leave func(*tls.Conn) error
	}{
		{"as it should", (*tls.Conn).Close},
		{"without a word", func(c *tls.Conn) error { return c.NetConn().Close() }},
	} {
		t.Run(row.name, func(t *testing.T) {
			b := newHeld(t)
			w := overTLS(t, func(s *exchange.Settings) { s.IdleTimeout = time.Minute }, b.addr)
			c := tls.Client(w.dial(t), &tls.Config{InsecureSkipVerify: true}) //nolint:gosec // of this test
			if _, err := io.WriteString(c, get11); err != nil {
				t.Fatal(err)
			}
			<-b.got
			if err := row.leave(c); err != nil {
				t.Fatal(err)
			}
			if s, o := w.finished(t, 1); s[0].Status != 460 || o[0].Failure != exchange.ClientGone {
				t.Errorf("got %+v and %v, want 460 and client gone", s[0], o[0].Failure)
			}
		})
	}
}

// TestTargetOverTLS: its certificate is not looked at, and its connection is kept.
func TestTargetOverTLS(t *testing.T) {
	b := httptest.NewTLSServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(rw, r.Proto+" "+r.RemoteAddr)
	}))
	t.Cleanup(b.Close)
	w := start(t, nil)
	target := w.addSpec(exchange.TargetSpec{Addr: addrPort(b.Listener.Addr()), TLS: true})
	seen := map[string]bool{}
	for range 3 {
		c := w.send(t, get11)
		res, err := http.ReadResponse(newReader(c), nil)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(res.Body)
		if err != nil || res.StatusCode != http.StatusOK {
			t.Fatalf("got %d and %v, want 200", res.StatusCode, err)
		}
		seen[string(body)] = true
	}
	if len(seen) != 1 {
		t.Errorf("the target saw %v, want one connection", seen)
	}
	if target.Scheme() != "https" {
		t.Errorf("the target is spoken to by %s", target.Scheme())
	}
}
