package front_test

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"neargate/internal/balancer/front"
	"neargate/internal/certs"
	"neargate/internal/decide/handshake"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var errStop = errors.New("the test is over")

// world is a server with a codec that answers each line with what it knows of the
// connection.
type world struct {
	*front.Server
	addr string
	cut  func() // ends Serve's context

	mu                             sync.Mutex
	opened, closed, rejected, fail int
	from                           []netip.Addr
	errs                           []error
	seen                           []front.Conn
	codecOf                        func(front.Conn) front.Session // begins sessions, if it is set
}

func (w *world) Opened(from netip.Addr) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.opened, w.from = w.opened+1, append(w.from, from)
}

func (w *world) Closed(netip.Addr) { w.mu.Lock(); w.closed++; w.mu.Unlock() }
func (w *world) Rejected()         { w.mu.Lock(); w.rejected++; w.mu.Unlock() }

func (w *world) Refused(r front.Refusal) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.fail, w.errs = w.fail+1, append(w.errs, r.Err)
}

// session echoes.
type session struct{ net.Conn }

func (s session) Serve() { _, _ = io.Copy(s.Conn, s.Conn); _ = s.Close() }
func (s session) Drain() { _ = s.SetReadDeadline(time.Unix(1, 0)) }
func (s session) Kill()  { _ = s.Close() }

// Retire has nothing to end: it does not know requests.
func (s session) Retire() {}

func (w *world) codec(_ context.Context, c front.Conn) front.Session {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.seen = append(w.seen, c)
	if w.codecOf != nil {
		return w.codecOf(c)
	}
	return session{c.Conn}
}

// serve runs a server on a socket until the test's end.
func serve(t *testing.T, cfg front.Config) *world {
	t.Helper()
	w := &world{}
	cfg.Log, cfg.Events, cfg.Codec = slog.New(slog.DiscardHandler), w, w.codec
	w.Server = front.New(cfg)
	socket, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w.addr = socket.Addr().String()
	ctx, cancel := context.WithCancelCause(context.Background())
	done := make(chan error, 1)
	w.cut = func() { cancel(errStop) }
	go func() { done <- w.Serve(ctx, socket) }()
	t.Cleanup(func() {
		cancel(errStop)
		if err := <-done; err != nil && !errors.Is(err, errStop) {
			t.Errorf("Serve ended with %v", err)
		}
	})
	return w
}

// speak has sessions begun by f from now on.
func (w *world) speak(f func(front.Conn) front.Session) { w.mu.Lock(); w.codecOf = f; w.mu.Unlock() }

func (w *world) dial(t *testing.T) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", w.addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	_ = c.SetDeadline(time.Now().Add(20 * time.Second))
	return c
}

// until waits for what the server has counted.
func (w *world) until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for range 2000 {
		w.mu.Lock()
		is := ok()
		w.mu.Unlock()
		if is {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
	t.Fatalf("%s has not come about", what)
}

// says sends and wants the echo.
func says(t *testing.T, c io.ReadWriter, text string) {
	t.Helper()
	if _, err := io.WriteString(c, text); err != nil {
		t.Fatal(err)
	}
	got := make([]byte, len(text))
	if _, err := io.ReadFull(c, got); err != nil || string(got) != text {
		t.Fatalf("got %q, %v, want the echo of %q", got, err, text)
	}
}

// pki is an authority and what it signs.
type pki struct {
	t *testing.T
	*certs.Authority
}

func newPKI(t *testing.T) pki {
	t.Helper()
	a, err := certs.OpenAuthority(t.TempDir(), time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return pki{t, a}
}

func (p pki) pair(names ...string) *tls.Certificate {
	p.t.Helper()
	cert, key, err := p.Issue(names, time.Now(), time.Hour)
	if err != nil {
		p.t.Fatal(err)
	}
	pair, err := tls.X509KeyPair(cert, key)
	if err != nil {
		p.t.Fatal(err)
	}
	return &pair
}

// listener is TLS with a policy and certificates, whose ARNs are their first names.
func listener(t *testing.T, policy string, change func(*front.TLSConfig), pairs ...*tls.Certificate) *front.TLS {
	t.Helper()
	p, ok := handshake.Lookup(policy)
	if !ok {
		t.Fatalf("no policy %s", policy)
	}
	cfg := front.TLSConfig{Policy: p, Protocols: []string{"http/1.1"}}
	for _, pair := range pairs {
		cfg.Certificates = append(cfg.Certificates, front.Certificate{ARN: pair.Leaf.DNSNames[0], Pair: pair})
	}
	if change != nil {
		change(&cfg)
	}
	return front.NewTLS(cfg)
}

// speaking is the configuration of a server with one TLS listener.
func speaking(one *front.TLS) front.Config {
	return front.Config{
		Speaks: func() (plain, secure bool) { return false, true },
		TLS:    func(*tls.ClientHelloInfo) *front.TLS { return one },
	}
}

const modern = "ELBSecurityPolicy-TLS13-1-2-2021-06"
