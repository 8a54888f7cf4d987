package http1

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"regexp"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"neargate/internal/balancer/exchange"
	"neargate/internal/balancer/front"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// world is a Router, a Group, a exchange.Lease for each target, and an Observer, which
// keep what they were told.
type world struct {
	t       *testing.T
	addr    string // of the balancer
	srv     *front.Server
	proxy   *exchange.Proxy
	pool    *exchange.Pool
	codec   *recorder
	served  chan error // what Serve returned
	endHard context.CancelCauseFunc

	mu        sync.Mutex
	answer    *exchange.Answer
	settings  *exchange.Settings
	claim     func(r *exchange.Request) (exchange.Lease, error) // if set, instead of the targets
	targets   []*lease                                          // tried in turn by attempt
	outcomes  []exchange.Outcome
	summaries []exchange.Summary
	open      int
}

// recorder remembers the connections to each target.
type recorder struct {
	*Codec
	mu   sync.Mutex
	kept map[*exchange.Target]*kept // guarded by mu
}

func (r *recorder) Keep(t *exchange.Target) exchange.Kept {
	k := r.Codec.Keep(t).(*kept)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.kept[t] = k
	return k
}

func (w *world) keeps(t *exchange.Target) *kept {
	w.codec.mu.Lock()
	defer w.codec.mu.Unlock()
	return w.codec.kept[t]
}

// lease is one target's record.
type lease struct {
	w *world
	t *exchange.Target
}

func (l *lease) Target() *exchange.Target { return l.t }

func (l *lease) Done(_ *exchange.Request, o *exchange.Outcome) {
	l.w.mu.Lock()
	defer l.w.mu.Unlock()
	l.w.outcomes = append(l.w.outcomes, *o)
}

func (w *world) Route(*exchange.Request) exchange.Verdict {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.answer != nil {
		return exchange.Verdict{Answer: w.answer, Settings: w.settings}
	}
	return exchange.Verdict{Group: w, Settings: w.settings}
}

func (w *world) Claim(r *exchange.Request) (exchange.Lease, error) {
	w.mu.Lock()
	claim := w.claim
	w.mu.Unlock()
	if claim != nil {
		return claim(r)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.targets) == 0 {
		return nil, &exchange.RefusalError{Status: 503, Reason: "no targets"}
	}
	return w.targets[r.Attempt()%len(w.targets)], nil
}

func (w *world) Opened(netip.Addr) { w.mu.Lock(); w.open++; w.mu.Unlock() }

func (w *world) Closed(netip.Addr) { w.mu.Lock(); w.open--; w.mu.Unlock() }

func (w *world) Rejected() { w.t.Error("there is no limit, but it is reached") }

func (w *world) Refused(front.Refusal) { w.t.Error("there is no TLS, but it fails") }

func (w *world) Finished(_ *exchange.Request, s *exchange.Summary) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.summaries = append(w.summaries, *s)
}

func (w *world) add(addr string) *exchange.Target {
	return w.addSpec(exchange.TargetSpec{Addr: netip.MustParseAddrPort(addr)})
}

func addrPort(a net.Addr) netip.AddrPort { return a.(*net.TCPAddr).AddrPort() }

func (w *world) addSpec(spec exchange.TargetSpec) *exchange.Target {
	t := w.pool.Target(spec)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.targets = append(w.targets, &lease{w, t})
	return t
}

// until polls for what another goroutine is about to do.
func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("did not happen: %s", what)
		}
	}
}

// finished waits for n summaries and returns them with the outcomes.
func (w *world) finished(t *testing.T, n int) ([]exchange.Summary, []exchange.Outcome) {
	t.Helper()
	until(t, "request finished", func() bool {
		w.mu.Lock()
		defer w.mu.Unlock()
		return len(w.summaries) >= n
	})
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]exchange.Summary(nil), w.summaries...), append([]exchange.Outcome(nil), w.outcomes...)
}

// start serves a balancer on loopback until the test ends.
func start(t *testing.T, change func(*exchange.Settings), targets ...string) *world {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w := serve(t, ln, exchange.Config{Settings: settings(change)}, exchange.PoolConfig{})
	for _, addr := range targets {
		w.add(addr)
	}
	return w
}

// settings are the defaults with a shorter idle timeout and what change does.
func settings(change func(*exchange.Settings)) exchange.Settings {
	set := exchange.DefaultSettings()
	set.IdleTimeout = 10 * time.Second
	if change != nil {
		change(&set)
	}
	return set
}

func serve(t *testing.T, ln net.Listener, cfg exchange.Config, pool exchange.PoolConfig) *world {
	t.Helper()
	codec := &recorder{Codec: New(Config{}), kept: map[*exchange.Target]*kept{}}
	pool.Upstreams = exchange.Upstreams{exchange.HTTP1: codec}
	w := &world{t: t, addr: ln.Addr().String(), pool: exchange.NewPool(pool), served: make(chan error, 1), codec: codec}
	cfg.Router, cfg.Observer, cfg.Log = w, w, slog.New(slog.DiscardHandler)
	w.proxy = exchange.NewProxy(cfg)
	w.srv = front.New(front.Config{Log: cfg.Log, Events: w, Codec: speak(codec.Codec, w.proxy)})
	ctx, cancel := context.WithCancelCause(context.Background())
	w.endHard = cancel
	go func() { w.served <- w.srv.Serve(ctx, ln) }()
	t.Cleanup(func() {
		cancel(errors.New("the test is over"))
		if err, ok := <-w.served; ok {
			close(w.served)
			_ = err
		}
		w.mu.Lock()
		defer w.mu.Unlock()
		for _, target := range w.targets {
			target.t.Close()
		}
	})
	return w
}

// speak is the codec as a front calls it.
func speak(c *Codec, p *exchange.Proxy) func(context.Context, front.Conn) front.Session {
	return func(ctx context.Context, of front.Conn) front.Session { return c.Conn(ctx, p, of.Conn, of.Describe()) }
}

// dial connects a client.
func (w *world) dial(t *testing.T) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", w.addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	if err := c.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	return c
}

// send writes raw bytes on a new connection.
func (w *world) send(t *testing.T, raw string) net.Conn {
	t.Helper()
	c := w.dial(t)
	write(t, c, raw)
	return c
}

func write(t *testing.T, c net.Conn, raw string) {
	t.Helper()
	if _, err := io.WriteString(c, raw); err != nil {
		t.Fatal(err)
	}
}

// rest reads until the peer closes.
func rest(t *testing.T, c io.Reader) string {
	t.Helper()
	b, err := io.ReadAll(c)
	if err != nil {
		t.Errorf("read to the end: %v after %q", err, b)
	}
	return string(b)
}

// expect reads exactly what is wanted.
func expect(t *testing.T, c io.Reader, want string) {
	t.Helper()
	b := make([]byte, len(want))
	n, err := io.ReadFull(c, b)
	if string(b[:n]) != want {
		t.Fatalf("got %q (%v), want %q", b[:n], err, want)
	}
}

// backend is a target that answers raw bytes and keeps what it got.
type backend struct {
	addr string
	mu   sync.Mutex
	got  []string // whole requests
	n    int      // connections taken
}

// newBackend serves each request by handle, which returns false to close.
func newBackend(t *testing.T, handle func(c net.Conn, r *http.Request, raw string) bool) *backend {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	b := &backend{addr: ln.Addr().String()}
	var wg sync.WaitGroup
	var conns sync.Map
	wg.Go(func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			conns.Store(c, nil)
			wg.Go(func() { defer c.Close(); b.take(c, handle) })
		}
	})
	t.Cleanup(func() {
		_ = ln.Close()
		conns.Range(func(c, _ any) bool { _ = c.(net.Conn).Close(); return true })
		wg.Wait()
	})
	return b
}

func (b *backend) take(c net.Conn, handle func(net.Conn, *http.Request, string) bool) {
	b.mu.Lock()
	b.n++
	b.mu.Unlock()
	var raw bytes.Buffer
	in := bufio.NewReader(io.TeeReader(c, &raw))
	for {
		r, err := http.ReadRequest(in)
		if err != nil {
			return
		}
		if r.Header.Get("X-Body") != "leave" && r.Header.Get("Upgrade") == "" {
			if _, err := io.Copy(io.Discard, r.Body); err != nil {
				return
			}
		}
		b.mu.Lock()
		b.got = append(b.got, raw.String())
		b.mu.Unlock()
		if !handle(c, r, raw.String()) {
			return
		}
		raw.Reset()
	}
}

// conns is how many connections were taken.
func (b *backend) conns() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.n
}

func (b *backend) requests() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return append([]string(nil), b.got...)
}

// says answers every request with the same bytes over kept connections.
func says(answer string) func(net.Conn, *http.Request, string) bool {
	return func(c net.Conn, _ *http.Request, _ string) bool {
		_, err := io.WriteString(c, answer)
		return err == nil
	}
}

// once answers one request, then closes.
func once(answer string) func(net.Conn, *http.Request, string) bool {
	return func(c net.Conn, _ *http.Request, _ string) bool {
		_, _ = io.WriteString(c, answer)
		return false
	}
}

const (
	date     = "Date: Sat, 28 Nov 2026 09:00:00 GMT\r\n"
	okAnswer = "HTTP/1.1 200 OK\r\n" + date + "Content-Length: 2\r\n\r\nok"
)

var (
	traceRE   = regexp.MustCompile(`1-[0-9a-f]{8}-[0-9a-f]{24}`)
	undatedRE = regexp.MustCompile(`Date: [^\r]*\r\n`)
	dateRE    = regexp.MustCompile(`Date: [^\r]*`)
)

// undated is s without Date fields.
func undated(s string) string { return undatedRE.ReplaceAllString(s, "") }

// masked replaces what differs from run to run.
func masked(s string) string {
	return dateRE.ReplaceAllString(traceRE.ReplaceAllString(s, "1-TIME-ID"), "Date: NOW")
}

func newReader(c net.Conn) *bufio.Reader { return bufio.NewReader(c) }
