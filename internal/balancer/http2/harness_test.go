package http2

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"neargate/internal/balancer/exchange"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// world is a Router, a Group, a Lease for each target, and an Observer, which
// keep what they were told.
type world struct {
	t     *testing.T
	addr  string // of the balancer
	proxy *exchange.Proxy
	srv   *Server
	ln    net.Listener

	up   *Upstream
	pool *exchange.Pool

	mu        sync.Mutex
	target    *exchange.Target
	outcomes  []exchange.Outcome
	route     func(r *exchange.Request) exchange.Verdict
	summaries []exchange.Summary
	conns     map[*Conn]struct{}
	quiet     bool // keeps nothing; set before the first request
	all       sync.WaitGroup
}

func (w *world) Route(r *exchange.Request) exchange.Verdict {
	w.mu.Lock()
	route := w.route
	w.mu.Unlock()
	return route(r)
}

// Claim implements exchange.Group.
func (w *world) Claim(*exchange.Request) (exchange.Lease, error) { return w, nil }

// Target implements exchange.Lease.
func (w *world) Target() *exchange.Target { return w.target }

// Done implements exchange.Lease.
func (w *world) Done(_ *exchange.Request, o *exchange.Outcome) {
	if w.quiet {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.outcomes = append(w.outcomes, *o)
}

// forward has requests go to a target that speaks HTTP/2 by prior knowledge.
func (w *world) forward(h http.Handler) {
	w.t.Helper()
	srv := httptest.NewUnstartedServer(h)
	srv.Config.Protocols = new(http.Protocols)
	srv.Config.Protocols.SetUnencryptedHTTP2(true)
	srv.Start()
	w.forwardTo(srv.Listener.Addr().String())
	w.t.Cleanup(srv.Close)
}

// forwardTo has requests go to what listens at an address.
func (w *world) forwardTo(addr string) {
	t := w.pool.Target(exchange.TargetSpec{Addr: netip.MustParseAddrPort(addr), Protocol: exchange.HTTP2})
	w.mu.Lock()
	defer w.mu.Unlock()
	w.target = t
	w.route = func(*exchange.Request) exchange.Verdict { return exchange.Verdict{Group: w} }
	w.t.Cleanup(t.Close)
}

func (*world) Opened(netip.Addr) {}
func (*world) Closed(netip.Addr) {}
func (*world) Rejected()         {}

func (w *world) Finished(_ *exchange.Request, s *exchange.Summary) {
	if w.quiet {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.summaries = append(w.summaries, *s)
}

// newWorld serves HTTP/2 by prior knowledge on a port of its own.
func newWorld(t *testing.T, set exchange.Settings) *world {
	t.Helper()
	w := &world{t: t, srv: NewServer(0), conns: map[*Conn]struct{}{}}
	hello := &exchange.Answer{Status: 200, ContentType: "text/plain", Body: "hello"}
	w.route = func(*exchange.Request) exchange.Verdict { return exchange.Verdict{Answer: hello} }
	w.up = NewUpstream(UpstreamConfig{})
	w.pool = exchange.NewPool(exchange.PoolConfig{Upstreams: exchange.Upstreams{exchange.HTTP2: w.up}})
	w.proxy = exchange.NewProxy(exchange.Config{Router: w, Observer: w, Log: slog.New(slog.DiscardHandler), Settings: set})
	var err error
	if w.ln, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	w.addr = w.ln.Addr().String()
	w.all.Go(w.accept)
	t.Cleanup(w.up.Wait)
	t.Cleanup(func() {
		_ = w.ln.Close()
		w.mu.Lock()
		for c := range w.conns {
			c.Kill()
		}
		w.mu.Unlock()
		w.all.Wait()
		w.srv.Wait()
	})
	return w
}

func (w *world) accept() {
	for {
		nc, err := w.ln.Accept()
		if err != nil {
			return
		}
		c := w.srv.Conn(context.Background(), w.proxy, &exchange.Conn{
			Client: nc.RemoteAddr().(*net.TCPAddr).AddrPort(), Local: nc.LocalAddr().String(), Scheme: "http", Started: time.Now(),
		}, nc)
		w.mu.Lock()
		w.conns[c] = struct{}{}
		w.mu.Unlock()
		w.all.Go(func() {
			c.Serve()
			w.mu.Lock()
			delete(w.conns, c)
			w.mu.Unlock()
		})
	}
}

// finished waits for n summaries and returns them with the outcomes.
func (w *world) finished(n int) ([]exchange.Summary, []exchange.Outcome) {
	w.t.Helper()
	until(w.t, "request finished", func() bool {
		w.mu.Lock()
		defer w.mu.Unlock()
		return len(w.summaries) >= n
	})
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.summaries), slices.Clone(w.outcomes)
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

// client is an HTTP client that speaks HTTP/2 to the balancer.
func (w *world) client() *http.Client {
	tr := &http.Transport{Protocols: new(http.Protocols), DisableCompression: true}
	tr.Protocols.SetUnencryptedHTTP2(true)
	w.t.Cleanup(tr.CloseIdleConnections)
	return &http.Client{Transport: tr, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

func (w *world) url(path string) string { return "http://" + w.addr + path }

// raw is a peer that sends what it likes.
type raw struct {
	t *testing.T
	net.Conn
	*http2.Framer
	enc *hpack.Encoder
	buf bytes.Buffer
}

// rawClient connects to the balancer and exchanges settings.
func (w *world) rawClient(settings ...http2.Setting) *raw {
	w.t.Helper()
	nc, err := net.Dial("tcp", w.addr)
	if err != nil {
		w.t.Fatal(err)
	}
	r := newRaw(w.t, nc)
	if _, err := io.WriteString(nc, http2.ClientPreface); err != nil {
		w.t.Fatal(err)
	}
	if err := r.WriteSettings(settings...); err != nil {
		w.t.Fatal(err)
	}
	return r
}

func newRaw(t *testing.T, nc net.Conn) *raw {
	t.Helper()
	r := &raw{t: t, Conn: nc, Framer: http2.NewFramer(nc, nc)}
	r.AllowIllegalWrites = true
	r.enc = hpack.NewEncoder(&r.buf)
	r.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
	_ = nc.SetDeadline(time.Now().Add(20 * time.Second))
	t.Cleanup(func() { _ = nc.Close() })
	return r
}

// block encodes fields, given as name and value by turns.
func (r *raw) block(fields ...string) []byte {
	r.buf.Reset()
	for i := 0; i < len(fields); i += 2 {
		_ = r.enc.WriteField(hpack.HeaderField{Name: fields[i], Value: fields[i+1]})
	}
	return bytes.Clone(r.buf.Bytes())
}

// get is the fields of a request, and more.
func get(more ...string) []string {
	return append([]string{":method", "GET", ":scheme", "http", ":authority", "a.example", ":path", "/"}, more...)
}

func post(more ...string) []string {
	return append([]string{":method", "POST", ":scheme", "http", ":authority", "a.example", ":path", "/"}, more...)
}

// open sends the head of a request.
func (r *raw) open(stream uint32, end bool, fields ...string) {
	r.t.Helper()
	err := r.WriteHeaders(http2.HeadersFrameParam{StreamID: stream, BlockFragment: r.block(fields...), EndStream: end, EndHeaders: true})
	if err != nil {
		r.t.Fatal(err)
	}
}

// await reads frames until ok, and fails if the connection ends first.
func (r *raw) await(what string, ok func(http2.Frame) bool) {
	r.t.Helper()
	for {
		f, err := r.ReadFrame()
		if err != nil {
			r.t.Fatalf("waiting for %s: %v", what, err)
		}
		if ok(f) {
			return
		}
	}
}

// status waits for an answer's status.
func (r *raw) status(stream uint32) (status string) {
	r.t.Helper()
	r.await("an answer", func(f http2.Frame) bool {
		h, ok := f.(*http2.MetaHeadersFrame)
		if !ok || h.StreamID != stream {
			return false
		}
		status = h.PseudoValue("status")
		return true
	})
	return status
}

// ending reads until the connection ends, and returns the code of its GOAWAY.
func (r *raw) ending() (code http2.ErrCode, said bool) {
	for {
		f, err := r.ReadFrame()
		if err != nil {
			return code, said
		}
		if g, ok := f.(*http2.GoAwayFrame); ok {
			code, said = g.ErrCode, true
		}
	}
}

func dialTCP(t *testing.T, addr string) net.Conn {
	t.Helper()
	nc, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	return nc
}
