package http1

import (
	"bytes"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"testing"

	"neargate/internal/balancer/exchange"
	"neargate/internal/balancer/front"
)

// steady is a router with one target and a client over TCP, none of which
// allocates, so that every allocation seen is the data plane's.
type steady struct {
	t      *exchange.Target
	client net.Conn
	in     []byte
}

func (s *steady) Route(*exchange.Request) exchange.Verdict        { return exchange.Verdict{Group: s} }
func (s *steady) Claim(*exchange.Request) (exchange.Lease, error) { return s, nil }
func (s *steady) Target() *exchange.Target                        { return s.t }
func (s *steady) Done(*exchange.Request, *exchange.Outcome)       {}
func (s *steady) Opened(netip.Addr)                               {}
func (s *steady) Rejected()                                       {}
func (s *steady) Refused(front.Refusal)                           {}
func (s *steady) Closed(netip.Addr)                               {}
func (s *steady) Finished(*exchange.Request, *exchange.Summary)   {}

func newSteady(tb testing.TB, answer string) *steady {
	tb.Helper()
	listen := func() net.Listener {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			tb.Fatal(err)
		}
		return ln
	}
	back, outer := listen(), listen()
	ended := make(chan struct{}, 2)
	go func() {
		defer func() { ended <- struct{}{} }()
		c, err := back.Accept()
		if err != nil {
			return
		}
		defer c.Close()
		in, out := make([]byte, 64<<10), []byte(answer)
		for held := 0; ; {
			n, err := c.Read(in[held:])
			if err != nil {
				return
			}
			held += n
			if !bytes.HasSuffix(in[:held], []byte("\r\n\r\n")) {
				continue
			}
			held = 0
			if _, err := c.Write(out); err != nil {
				return
			}
		}
	}()
	codec := New(Config{})
	s := &steady{t: exchange.NewPool(exchange.PoolConfig{Upstreams: exchange.Upstreams{exchange.HTTP1: codec}}).Target(exchange.TargetSpec{Addr: netip.MustParseAddrPort(back.Addr().String())})}
	log := slog.New(slog.DiscardHandler)
	proxy := exchange.NewProxy(exchange.Config{Router: s, Observer: s, Log: log, Settings: exchange.DefaultSettings()})
	srv := front.New(front.Config{Log: log, Events: s, Codec: speak(codec, proxy)})
	go func() {
		defer func() { ended <- struct{}{} }()
		_ = srv.Serve(tb.Context(), outer)
	}()
	var err error
	if s.client, err = net.Dial("tcp", outer.Addr().String()); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		_ = s.client.Close()
		srv.Drain()
		s.t.Close()
		_ = back.Close()
		<-ended
		<-ended
	})
	return s
}

// roundTrip sends a request and reads an answer of n bytes.
func (s *steady) roundTrip(tb testing.TB, request []byte, n int) {
	tb.Helper()
	if _, err := s.client.Write(request); err != nil {
		tb.Fatal(err)
	}
	if len(s.in) < n {
		s.in = make([]byte, n)
	}
	if _, err := io.ReadFull(s.client, s.in[:n]); err != nil {
		tb.Fatal(err)
	}
}

const (
	steadyRequest = "GET /a?b=c HTTP/1.1\r\nHost: example.com\r\nUser-Agent: test\r\nAccept: */*\r\nConnection: keep-alive\r\n\r\n"
	steadyAnswer  = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nDate: Mon, 23 Nov 2026 23:36:01 GMT\r\nContent-Length: 2\r\n\r\nok"
	// As Node answers, whose head must be written anew.
	hopAnswer = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nConnection: keep-alive\r\nKeep-Alive: timeout=5\r\nContent-Length: 2\r\n\r\nok"
)

func TestSteadyStateAllocatesNothing(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	const postRequest = "POST / HTTP/1.1\r\nHost: example.com\r\nContent-Length: 8\r\n\r\nbody\r\n\r\n"
	hopLen := len(hopAnswer) - len("Connection: keep-alive\r\nKeep-Alive: timeout=5\r\n")
	for _, row := range []struct {
		name, request, answer string
		length                int
	}{
		{"an answer passed on as it is", steadyRequest, steadyAnswer, len(steadyAnswer)},
		{"an answer with hop-by-hop fields", steadyRequest, hopAnswer, hopLen},
		{"a small body", postRequest, steadyAnswer, len(steadyAnswer)},
	} {
		t.Run(row.name, func(t *testing.T) {
			s := newSteady(t, row.answer)
			request := []byte(row.request)
			trip := func() { s.roundTrip(t, request, row.length) }
			for range 100 {
				trip() // buffers grow to their size
			}
			if n := testing.AllocsPerRun(500, trip); n > 0 {
				t.Errorf("a request allocates %v times, want 0", n)
			}
		})
	}
}

func BenchmarkProxy(b *testing.B) {
	for _, row := range []struct {
		name   string
		answer string
	}{{"small", steadyAnswer}, {"10k", "HTTP/1.1 200 OK\r\nContent-Length: 10000\r\n\r\n" + string(make([]byte, 10000))}} {
		b.Run(row.name, func(b *testing.B) {
			s := newSteady(b, row.answer)
			request := []byte(steadyRequest)
			b.ReportAllocs()
			for b.Loop() {
				s.roundTrip(b, request, len(row.answer))
			}
		})
	}
}

func BenchmarkParse(b *testing.B) {
	buf := []byte("GET /computation?x=1 HTTP/1.1\r\nHost: example.com\r\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64)\r\n" +
		"Accept: text/html,application/xhtml+xml\r\nAccept-Encoding: gzip, deflate\r\nCookie: session=0123456789abcdef\r\n\r\n")
	r := request{Request: new(exchange.Request)}
	b.ReportAllocs()
	for b.Loop() {
		r.reset()
		end, err := headEnd(buf, 0)
		if err != nil || r.parse(buf, 0, end) != nil {
			b.Fatal("not parsed")
		}
	}
}
