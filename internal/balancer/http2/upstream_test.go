package http2

import (
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"neargate/internal/balancer/exchange"
)

// script has requests go to a target of which every connection is served by a
// function, which is given the connection's number from 0.
func (w *world) script(serve func(n int, r *raw)) {
	w.t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		w.t.Fatal(err)
	}
	w.forwardTo(ln.Addr().String())
	var all sync.WaitGroup
	all.Go(func() {
		for n := 0; ; n++ {
			nc, err := ln.Accept()
			if err != nil {
				return
			}
			r := newRaw(w.t, nc)
			all.Go(func() {
				defer nc.Close()
				p := make([]byte, len(http2.ClientPreface))
				if _, err := io.ReadFull(nc, p); err != nil || string(p) != http2.ClientPreface {
					return
				}
				serve(n, r)
			})
		}
	})
	w.t.Cleanup(all.Wait)
	w.t.Cleanup(func() { _ = ln.Close() })
	w.t.Cleanup(w.target.Cut)
}

// each calls f for each request's head, until the connection ends.
func (r *raw) each(f func(h *http2.MetaHeadersFrame)) {
	for {
		frame, err := r.ReadFrame()
		if err != nil {
			return
		}
		if h, ok := frame.(*http2.MetaHeadersFrame); ok {
			f(h)
		}
	}
}

// answer sends an answer's head.
func (r *raw) answer(stream uint32, end bool, fields ...string) {
	_ = r.WriteHeaders(http2.HeadersFrameParam{
		StreamID: stream, BlockFragment: r.block(append([]string{":status", "200"}, fields...)...), EndStream: end, EndHeaders: true,
	})
}

func (w *world) get() (*http.Response, string, error) {
	resp, err := w.client().Get(w.url("/"))
	if err != nil {
		return nil, "", err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	return resp, string(b), err
}

// What a target has not looked at is sent again, whatever its method.
func TestUpstreamUnprocessed(t *testing.T) {
	for name, refuse := range map[string]func(r *raw, stream uint32){
		"refused stream": func(r *raw, stream uint32) { _ = r.WriteRSTStream(stream, http2.ErrCodeRefusedStream) },
		"GOAWAY":         func(r *raw, stream uint32) { _ = r.WriteGoAway(stream-2, http2.ErrCodeNo, nil) },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, exchange.DefaultSettings())
			var refused atomic.Int64
			w.script(func(n int, r *raw) {
				_ = r.WriteSettings()
				r.each(func(h *http2.MetaHeadersFrame) {
					if n == 0 && h.StreamID > 1 {
						refused.Add(1)
						refuse(r, h.StreamID)
						return
					}
					r.answer(h.StreamID, true)
				})
			})
			for range 3 {
				resp, err := w.client().Post(w.url("/"), "text/plain", strings.NewReader("once"))
				if err != nil || resp.StatusCode != http.StatusOK {
					t.Fatalf("got %v, %v", resp, err)
				}
				_ = resp.Body.Close()
			}
			if refused.Load() == 0 {
				t.Error("nothing was refused")
			}
		})
	}
}

// A connection that breaks loses only what may not be repeated.
func TestUpstreamBreaks(t *testing.T) {
	w := newWorld(t, exchange.DefaultSettings())
	w.script(func(n int, r *raw) {
		_ = r.WriteSettings()
		r.each(func(h *http2.MetaHeadersFrame) {
			if n == 0 && h.StreamID > 1 {
				_ = r.Close()
				return
			}
			r.answer(h.StreamID, true)
		})
	})
	for range 2 {
		if resp, _, err := w.get(); err != nil || resp.StatusCode != http.StatusOK {
			t.Fatalf("got %v, %v", resp, err)
		}
	}
	w.target.CloseIdle()
	if resp, _, err := w.get(); err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("got %v, %v", resp, err)
	}
}

// One connection is enough, until the target takes no more streams on it.
func TestUpstreamConnections(t *testing.T) {
	for name, c := range map[string]struct{ most, want int }{
		"no limit": {0, 1}, "ten at a time": {10, 2},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, exchange.DefaultSettings())
			var conns, running atomic.Int64
			release := make(chan struct{})
			w.script(func(_ int, r *raw) {
				conns.Add(1)
				var mu sync.Mutex
				if c.most > 0 {
					_ = r.WriteSettings(http2.Setting{ID: http2.SettingMaxConcurrentStreams, Val: uint32(c.most)})
				} else {
					_ = r.WriteSettings()
				}
				r.each(func(h *http2.MetaHeadersFrame) {
					if h.PseudoValue("path") == "/first" {
						r.answer(h.StreamID, true)
						return
					}
					if running.Add(1) == 40 {
						close(release)
					}
					go func() {
						<-release
						mu.Lock()
						defer mu.Unlock()
						r.answer(h.StreamID, true)
					}()
				})
			})
			client := w.client()
			if resp, err := client.Get(w.url("/first")); err != nil { // its settings are known from then on
				t.Fatal(err)
			} else {
				_ = resp.Body.Close()
			}
			var all sync.WaitGroup
			for range 40 {
				all.Go(func() {
					resp, err := client.Get(w.url("/"))
					if err != nil || resp.StatusCode != http.StatusOK {
						t.Errorf("got %v, %v", resp, err)
						return
					}
					_ = resp.Body.Close()
				})
			}
			all.Wait()
			if got := conns.Load(); got < int64(c.want) || c.most == 0 && got > 1 {
				t.Errorf("%d connections, want %d", got, c.want)
			}
		})
	}
}

// A target that does not read the bodies of some requests gets those of others.
func TestUpstreamUnreadBodies(t *testing.T) {
	w := newWorld(t, exchange.DefaultSettings())
	release := make(chan struct{})
	w.forward(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/" {
			rw.WriteHeader(http.StatusOK)
			_ = http.NewResponseController(rw).Flush()
			select {
			case <-release:
			case <-r.Context().Done():
			}
			return
		}
		_, _ = io.Copy(io.Discard, r.Body)
	}))
	defer close(release)
	var clients []*raw
	for range 4 { // 3.5 MB; net/http takes 1 MB over a connection
		r := w.rawClient()
		clients = append(clients, r)
		for i := range uint32(14) {
			r.open(2*i+1, false, post("content-length", "100000")...)
			for range 3 {
				_ = r.WriteData(2*i+1, false, make([]byte, 16<<10))
			}
			_ = r.WriteData(2*i+1, false, make([]byte, 15<<10))
		}
	}
	// One that was begun just before the space is used up may be held up, not those
	// that come later.
	until(t, "others' bodies read", func() bool {
		for range 5 {
			c := w.client()
			c.Timeout = time.Second
			resp, err := c.Post(w.url("/read"), "", strings.NewReader(strings.Repeat("a", 40_000)))
			if err != nil {
				return false
			}
			_ = resp.Body.Close()
			if resp.StatusCode != http.StatusOK {
				t.Fatalf("got %d", resp.StatusCode)
			}
		}
		return true
	})
	for _, r := range clients {
		_ = r.Close()
	}
}

// What a target answers that cannot be passed on is 502, or ends the answer.
func TestUpstreamMalformed(t *testing.T) {
	for name, answer := range map[string]func(r *raw, stream uint32){
		"no status": func(r *raw, stream uint32) {
			_ = r.WriteHeaders(http2.HeadersFrameParam{StreamID: stream, BlockFragment: r.block("x-a", "b"), EndStream: true, EndHeaders: true})
		},
		"bad status": func(r *raw, stream uint32) {
			_ = r.WriteHeaders(http2.HeadersFrameParam{StreamID: stream, BlockFragment: r.block(":status", "2x0"), EndStream: true, EndHeaders: true})
		},
		"two statuses":      func(r *raw, stream uint32) { r.answer(stream, true, ":status", "200") },
		"path":              func(r *raw, stream uint32) { r.answer(stream, true, ":path", "/") },
		"upper case":        func(r *raw, stream uint32) { r.answer(stream, true, "X-A", "b") },
		"line end":          func(r *raw, stream uint32) { r.answer(stream, true, "x-a", "b\r\nc: d") },
		"NUL":               func(r *raw, stream uint32) { r.answer(stream, true, "x-a", "b\x00") },
		"Transfer-Encoding": func(r *raw, stream uint32) { r.answer(stream, true, "transfer-encoding", "chunked") },
		"Connection":        func(r *raw, stream uint32) { r.answer(stream, true, "connection", "close") },
		"bad length":        func(r *raw, stream uint32) { r.answer(stream, true, "content-length", "-1") },
		"length of nothing": func(r *raw, stream uint32) { r.answer(stream, true, "content-length", "5") },
		"too large": func(r *raw, stream uint32) {
			r.answer(stream, true, "x-a", strings.Repeat("a", 10000), "x-b", strings.Repeat("a", 10000), "x-c", strings.Repeat("a", 15000))
		},
		"interim that ends": func(r *raw, stream uint32) {
			_ = r.WriteHeaders(http2.HeadersFrameParam{StreamID: stream, BlockFragment: r.block(":status", "103"), EndStream: true, EndHeaders: true})
		},
		"body first": func(r *raw, stream uint32) { _ = r.WriteData(stream, true, []byte("x")) },
		"reset":      func(r *raw, stream uint32) { _ = r.WriteRSTStream(stream, http2.ErrCodeInternal) },
		"broken table": func(r *raw, stream uint32) {
			_ = r.WriteHeaders(http2.HeadersFrameParam{StreamID: stream, BlockFragment: []byte{0xff, 0xff}, EndHeaders: true})
		},
		"HTTP/1": func(r *raw, _ uint32) { _, _ = io.WriteString(r, "HTTP/1.1 400 Bad Request\r\n\r\n") },
		"a promise": func(r *raw, stream uint32) {
			_ = r.WritePushPromise(http2.PushPromiseParam{StreamID: stream, PromiseID: 2, BlockFragment: r.block(get()...), EndHeaders: true})
		},
		"stream of nobody": func(r *raw, stream uint32) { r.answer(stream+2, true) },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, exchange.DefaultSettings())
			w.script(func(_ int, r *raw) {
				_ = r.WriteSettings()
				r.each(func(h *http2.MetaHeadersFrame) { answer(r, h.StreamID) })
			})
			resp, _, err := w.get()
			if err != nil || resp.StatusCode != http.StatusBadGateway {
				t.Errorf("got %v, %v", resp, err)
			}
		})
	}
}

func TestUpstreamMalformedBody(t *testing.T) {
	for name, end := range map[string]func(r *raw, stream uint32){
		"short":    func(r *raw, stream uint32) { _ = r.WriteData(stream, true, []byte("x")) },
		"long":     func(r *raw, stream uint32) { _ = r.WriteData(stream, true, []byte("0123456789ab")) },
		"reset":    func(r *raw, stream uint32) { _ = r.WriteRSTStream(stream, http2.ErrCodeInternal) },
		"trailers": func(r *raw, stream uint32) { r.answer(stream, true) },
		"closed":   func(r *raw, _ uint32) { _ = r.Close() },
		"beyond the window": func(r *raw, stream uint32) {
			for range 20 {
				_ = r.WriteData(stream, false, make([]byte, 16<<10))
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, exchange.DefaultSettings())
			w.script(func(_ int, r *raw) {
				_ = r.WriteSettings()
				r.each(func(h *http2.MetaHeadersFrame) {
					r.answer(h.StreamID, false, "content-length", "10")
					_ = r.WriteData(h.StreamID, false, []byte("012"))
					end(r, h.StreamID)
				})
			})
			resp, b, err := w.get()
			if err == nil && resp.StatusCode == http.StatusOK {
				t.Errorf("got %q as if it were whole", b)
			}
			_, o := w.finished(1)
			if o[0].Failure == exchange.OK {
				t.Errorf("got %+v", o)
			}
		})
	}
}

// A target that was silent when a request gave up is asked whether it is still
// there, and left if not.
func TestUpstreamDead(t *testing.T) {
	set := exchange.DefaultSettings()
	set.IdleTimeout = 50 * time.Millisecond
	w := newWorld(t, set)
	var conns atomic.Int64
	w.script(func(n int, r *raw) {
		conns.Add(1)
		_ = r.WriteSettings()
		if n > 0 {
			r.each(func(h *http2.MetaHeadersFrame) { r.answer(h.StreamID, true) })
			return
		}
		_, _ = io.Copy(io.Discard, r.Conn)
	})
	if resp, _, err := w.get(); err != nil || resp.StatusCode != http.StatusGatewayTimeout {
		t.Fatalf("got %v, %v", resp, err)
	}
	if resp, _, err := w.get(); err != nil || resp.StatusCode != http.StatusOK || conns.Load() != 2 {
		t.Fatalf("got %v, %v, %d connections", resp, err, conns.Load())
	}
}

// A request's head has what the target needs, and nothing of the client's
// connection.
func TestUpstreamHead(t *testing.T) {
	w := newWorld(t, exchange.DefaultSettings())
	heads := make(chan []hpack.HeaderField, 1)
	w.script(func(_ int, r *raw) {
		_ = r.WriteSettings()
		r.each(func(h *http2.MetaHeadersFrame) {
			heads <- h.Fields
			r.answer(h.StreamID, true)
		})
	})
	req, _ := http.NewRequestWithContext(t.Context(), http.MethodDelete, w.url("/x?y"), http.NoBody)
	req.Host = "name.example:8080"
	req.Header.Set("X-Long", strings.Repeat("long", 3000))
	resp, err := w.client().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	got := map[string]string{}
	for _, f := range <-heads {
		if _, twice := got[f.Name]; twice {
			t.Errorf("%s came twice", f.Name)
		}
		got[f.Name] = f.Value
	}
	for name, want := range map[string]string{
		":method": "DELETE", ":scheme": "http", ":path": "/x?y", ":authority": "name.example", "te": "trailers",
		"x-forwarded-for": "127.0.0.1", "x-forwarded-proto": "http", "x-forwarded-port": "80", "x-long": strings.Repeat("long", 3000),
		"host": "",
	} {
		if got[name] != want {
			t.Errorf("%s: got %.40q, want %.40q", name, got[name], want)
		}
	}
}

// Requests that wait for one attempt to connect all learn of its failure.
func TestUpstreamRefuses(t *testing.T) {
	w := newWorld(t, exchange.DefaultSettings())
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = ln.Close()
	w.forwardTo(ln.Addr().String())
	c := w.client()
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			resp, err := c.Get(w.url("/"))
			if err != nil || resp.StatusCode != http.StatusBadGateway {
				t.Errorf("got %v, %v", resp, err)
				return
			}
			_ = resp.Body.Close()
		})
	}
	all.Wait()
}

func TestUpstreamPrune(t *testing.T) {
	w := newWorld(t, exchange.DefaultSettings())
	w.script(func(_ int, r *raw) {
		_ = r.WriteSettings()
		r.each(func(h *http2.MetaHeadersFrame) { r.answer(h.StreamID, true) })
	})
	if _, _, err := w.get(); err != nil {
		t.Fatal(err)
	}
	k := w.up.Keep(w.target).(*kept) // its own are not to be had: one of the same kind
	try, err := k.Open(t.Context(), true)
	if err != nil {
		t.Fatal(err)
	}
	try.Free(true)
	try.Release()
	k.Prune(time.Now())
	if len(k.all()) != 1 {
		t.Error("a fresh connection was closed")
	}
	k.Prune(time.Now().Add(time.Hour))
	until(t, "idle connection closed", func() bool { return len(k.all()) == 0 })
}
