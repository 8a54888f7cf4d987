package http2

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"golang.org/x/net/http2"
	"pgregory.net/rapid"

	"neargate/internal/balancer/exchange"
	"neargate/internal/balancer/http1"
)

// recorder is a target of HTTP/1.1 that keeps every octet it gets, by connection.
type recorder struct {
	ln  net.Listener
	all sync.WaitGroup

	mu  sync.Mutex
	got [][]byte
}

func newRecorder(t *testing.T) *recorder {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r := &recorder{ln: ln}
	r.all.Go(func() {
		for {
			nc, err := ln.Accept()
			if err != nil {
				return
			}
			r.all.Go(func() { r.serve(nc) })
		}
	})
	t.Cleanup(func() { r.end() })
	return r
}

// serve answers the first request of a connection as net/http reads it, and keeps
// what came until its end.
func (r *recorder) serve(nc net.Conn) {
	var kept bytes.Buffer
	in := bufio.NewReader(io.TeeReader(nc, &kept))
	answer := "HTTP/1.1 400 Bad Request"
	if req, err := http.ReadRequest(in); err == nil {
		_, _ = io.Copy(io.Discard, req.Body)
		answer = "HTTP/1.1 200 OK"
	}
	_, _ = io.WriteString(nc, answer+"\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
	_ = nc.(*net.TCPConn).CloseWrite()
	_, _ = io.Copy(io.Discard, in)
	_ = nc.Close()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.got = append(r.got, kept.Bytes())
}

// end waits for all connections, and returns what came over each.
func (r *recorder) end() [][]byte {
	_ = r.ln.Close()
	r.all.Wait()
	return r.got
}

// sent is a request as a client made it up.
type sent struct{ method, path, body string }

// Whatever fields and bodies a client of HTTP/2 makes up, a target of HTTP/1.1 gets
// one request or none, with the fields and the body that were meant.
func TestDowngradeSmugglesNothing(t *testing.T) {
	w := newWorld(t, exchange.DefaultSettings())
	h1 := http1.New(http1.Config{})
	pool := exchange.NewPool(exchange.PoolConfig{Upstreams: exchange.Upstreams{exchange.HTTP1: h1}})
	target := newRecorder(t)
	w.mu.Lock()
	w.target = pool.Target(exchange.TargetSpec{Addr: target.ln.Addr().(*net.TCPAddr).AddrPort()})
	w.route = func(*exchange.Request) exchange.Verdict { return exchange.Verdict{Group: w} }
	w.mu.Unlock()
	t.Cleanup(w.target.Close)

	evil := rapid.SampledFrom([]string{
		"", "a", "GET / HTTP/1.1\r\nHost: evil\r\n\r\n", "a\r\nx-evil: 1", "a\nx-evil: 1", "a\rb", "a\x00b", " a", "a ", "\ta", "chunked", "0", "5", "5,5",
		"+5", "0x5", "close", "x-a", "trailers", "100-continue", "0\r\n\r\nGET /evil HTTP/1.1\r\n\r\n", "/evil HTTP/1.1\r\nx-evil: 1\r\n\r\n", "a:b", "é", "\u2028", "a;b", "h2c",
	})
	names := rapid.SampledFrom([]string{
		"x-a", "cookie", "host", "content-length", "transfer-encoding", "connection", "te", "expect", "upgrade", "keep-alive", "proxy-connection",
		"x-a\r\nx-evil", "x-a: b\r\nx-evil", "x a", "x-a:", "X-A", "", "transfer_encoding", "content-length ", " content-length", "x-forwarded-for", "trailer", ":path", ":evil",
	})
	heads := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) []string { return []string{names.Draw(t, "name"), evil.Draw(t, "value")} }), 0, 4)
	var requests []sent
	rapid.Check(t, func(rt *rapid.T) {
		mostly := func(good ...string) *rapid.Generator[string] {
			g := rapid.SampledFrom(good)
			return rapid.OneOf(g, g, g, g, g, g, evil)
		}
		method := mostly("GET", "POST", "PUT", "HEAD", "OPTIONS").Draw(rt, "method")
		path := mostly("/", "/a?b", "/%0d%0a").Draw(rt, "path")
		host := mostly("a.example").Draw(rt, "authority")
		fields := []string{":method", method, ":scheme", "http", ":authority", host, ":path", path, "x-number", strconv.Itoa(len(requests))}
		fields = append(fields, slices.Concat(heads.Draw(rt, "fields")...)...)
		body := rapid.OneOf(rapid.Just(""), evil).Draw(rt, "body")
		trailers := slices.Concat(heads.Draw(rt, "trailers")...)
		requests = append(requests, sent{method, path, body})
		r := w.rawClient()
		defer r.Close()
		r.open(1, body == "" && len(trailers) == 0, fields...)
		if body != "" {
			_ = r.WriteData(1, len(trailers) == 0, []byte(body))
		}
		if len(trailers) > 0 {
			r.open(1, true, trailers...)
		}
		for {
			f, err := r.ReadFrame()
			if err != nil {
				break
			}
			if _, reset := f.(*http2.RSTStreamFrame); reset || ended(f) {
				break
			}
		}
	})
	w.target.Close()
	got := target.end()
	if len(got) == 0 {
		t.Error("no request reached the target")
	}
	for _, p := range got {
		compare(t, p, requests)
	}
	t.Logf("%d of %d requests reached the target", len(got), len(requests))
}

// compare looks at what a target got over one connection.
func compare(t *testing.T, got []byte, requests []sent) {
	t.Helper()
	in := bufio.NewReader(bytes.NewReader(got))
	req, err := http.ReadRequest(in)
	if err != nil {
		t.Errorf("the target got %q: %v", got, err)
		return
	}
	b, err := io.ReadAll(req.Body)
	if rest, _ := io.ReadAll(in); len(rest) > 0 {
		t.Errorf("the target got more behind its request: %q", got)
	}
	n, _ := strconv.Atoi(req.Header.Get("X-Number"))
	want := requests[n]
	if err == nil && string(b) != want.body || req.Method != want.method || req.RequestURI != want.path {
		t.Errorf("the target got %q of %+v", got, want)
	}
	if req.Header.Get("X-Evil") != "" || req.Trailer.Get("X-Evil") != "" || strings.Contains(req.Host, "evil") {
		t.Errorf("the target got %q", got)
	}
}

// ended reports whether a frame is the last of its stream.
func ended(f http2.Frame) bool {
	switch f := f.(type) {
	case *http2.DataFrame:
		return f.StreamEnded()
	case *http2.MetaHeadersFrame:
		return f.StreamEnded()
	}
	return false
}
