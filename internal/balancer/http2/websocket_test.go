package http2

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"sync"
	"testing"

	"golang.org/x/net/http2"

	"neargate/internal/balancer/exchange"
	"neargate/internal/balancer/http1"
)

// A WebSocket by extended CONNECT (RFC 8441) reaches a target of HTTP/1.1 as the
// upgrade that it is there, and octets pass both ways until both have ended.
func TestWebSocket(t *testing.T) {
	w := newWorld(t, exchange.DefaultSettings())
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	heads := make(chan *http.Request, 1)
	var all sync.WaitGroup
	all.Go(func() {
		nc, err := ln.Accept()
		if err != nil {
			return
		}
		defer func() { _ = nc.Close() }()
		in := bufio.NewReader(nc)
		req, err := http.ReadRequest(in)
		if err != nil {
			t.Error(err)
			return
		}
		heads <- req
		_, _ = io.WriteString(nc, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: x\r\nSec-WebSocket-Protocol: chat\r\n\r\nfirst")
		_, _ = io.Copy(nc, in)
	})
	t.Cleanup(all.Wait)
	t.Cleanup(func() { _ = ln.Close() })
	pool := exchange.NewPool(exchange.PoolConfig{Upstreams: exchange.Upstreams{exchange.HTTP1: http1.New(http1.Config{})}})
	w.mu.Lock()
	w.target = pool.Target(exchange.TargetSpec{Addr: ln.Addr().(*net.TCPAddr).AddrPort()})
	w.route = func(*exchange.Request) exchange.Verdict { return exchange.Verdict{Group: w} }
	w.mu.Unlock()
	t.Cleanup(w.target.Close)

	r := w.rawClient()
	r.open(1, false, ":method", "CONNECT", ":protocol", "websocket", ":scheme", "http", ":authority", "a.example", ":path", "/chat",
		"sec-websocket-version", "13", "sec-websocket-protocol", "chat")
	r.await("an answer", func(f http2.Frame) bool {
		h, ok := f.(*http2.MetaHeadersFrame)
		if ok && h.PseudoValue("status") != "200" {
			t.Errorf("got %v", h.Fields)
		}
		if ok {
			for _, f := range h.Fields {
				if f.Name == "sec-websocket-accept" || f.Name == "upgrade" || f.Name == "connection" {
					t.Errorf("got %v", f)
				}
			}
		}
		return ok
	})
	req := <-heads
	if req.Method != http.MethodGet || req.Header.Get("Upgrade") != "websocket" || len(req.Header.Get("Sec-Websocket-Key")) != 24 || req.RequestURI != "/chat" {
		t.Errorf("the target got %+v", req)
	}
	got := ""
	take := func(want string) {
		t.Helper()
		if got != want {
			r.await("octets", func(f http2.Frame) bool {
				if d, ok := f.(*http2.DataFrame); ok {
					got += string(d.Data())
				}
				return got == want
			})
		}
		got = ""
	}
	take("first")
	for _, s := range []string{"one", "two"} {
		_ = r.WriteData(1, false, []byte(s))
		take(s)
	}
	_ = r.WriteData(1, true, []byte("last"))
	ends := false
	for got != "last" || !ends {
		f, err := r.ReadFrame()
		if err != nil {
			t.Fatal(err)
		}
		if d, ok := f.(*http2.DataFrame); ok {
			got += string(d.Data())
			ends = d.StreamEnded()
		}
	}
	if s, _ := w.finished(1); !s[0].Tunnel || s[0].Status != 101 {
		t.Errorf("got %+v", s[0])
	}
}

func TestWebSocketRefused(t *testing.T) {
	w := newWorld(t, exchange.DefaultSettings())
	for name, c := range map[string]struct {
		protocol, want string
		end            bool
	}{
		"another protocol": {"connect-udp", "501", false}, "ended at once": {"websocket", "400", true},
	} {
		t.Run(name, func(t *testing.T) {
			r := w.rawClient()
			r.open(1, c.end, ":method", "CONNECT", ":protocol", c.protocol, ":scheme", "http", ":authority", "a.example", ":path", "/chat")
			if got := r.status(1); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}
