package http2

import (
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/net/http2"

	"neargate/internal/balancer/exchange"
)

// only is the one connection that there is.
func (w *world) only() (c *Conn) {
	w.t.Helper()
	until(w.t, "connection accepted", func() bool {
		w.mu.Lock()
		defer w.mu.Unlock()
		for conn := range w.conns {
			c = conn
		}
		return len(w.conns) == 1
	})
	return c
}

func TestDrainIdle(t *testing.T) {
	w := newWorld(t, exchange.DefaultSettings())
	r := w.rawClient()
	w.only().Drain()
	if code, said := r.ending(); !said || code != http2.ErrCodeNo {
		t.Errorf("got %v, %t", code, said)
	}
}

// A connection that is drained before it is served ends like one that is.
func TestDrainBeforeServe(t *testing.T) {
	w := newWorld(t, exchange.DefaultSettings())
	ours, theirs := net.Pipe()
	c := w.srv.Conn(t.Context(), w.proxy, &exchange.Conn{Scheme: "http", Started: time.Now()}, ours)
	c.Drain()
	w.all.Go(c.Serve)
	r := newRaw(t, theirs)
	if code, said := r.ending(); !said || code != http2.ErrCodeNo {
		t.Errorf("got %v, %t", code, said)
	}
}

// Requests in flight end, those on their way are served, and later ones may be
// sent elsewhere.
func TestDrainBusy(t *testing.T) {
	w := newWorld(t, exchange.DefaultSettings())
	release := make(chan struct{})
	w.forward(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/" {
			<-release
		}
		_, _ = io.WriteString(rw, "done")
	}))
	r := w.rawClient()
	r.open(1, true, get()...)
	w.only().Drain()
	var last []uint32
	warned := func(f http2.Frame) bool {
		if g, ok := f.(*http2.GoAwayFrame); ok {
			last = append(last, g.LastStreamID)
		}
		_, ping := f.(*http2.PingFrame)
		return ping
	}
	r.await("a warning", warned)
	r.open(3, true, ":method", "GET", ":scheme", "http", ":authority", "a.example", ":path", "/late") // it was on its way
	if got := r.status(3); got != "200" {
		t.Errorf("the request on its way got %s", got)
	}
	_ = r.WritePing(true, [8]byte([]byte("farewell")))
	r.await("the last stream", func(f http2.Frame) bool { warned(f); return len(last) == 2 })
	if last[0] != 1<<31-1 || last[1] != 3 {
		t.Errorf("got last streams %d", last)
	}
	r.open(5, true, get()...)
	close(release)
	if got := r.status(1); got != "200" {
		t.Errorf("the request in flight got %s", got)
	}
	if code, _ := r.ending(); code != http2.ErrCodeNo {
		t.Errorf("got %v", code)
	}
	if s, _ := w.finished(2); len(s) != 2 {
		t.Errorf("%d requests were served", len(s))
	}
}

// A client of net/http loses no request when its connections are drained.
func TestDrainUnderLoad(t *testing.T) {
	w := newWorld(t, exchange.DefaultSettings())
	w.forward(http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(rw, "done") }))
	c := w.client()
	var failed, done atomic.Int64
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{}, 20)
	for range cap(ended) {
		go func() {
			defer func() { ended <- struct{}{} }()
			for ctx.Err() == nil {
				resp, err := c.Get(w.url("/"))
				if err != nil {
					t.Error(err)
					failed.Add(1)
					continue
				}
				if b, err := io.ReadAll(resp.Body); err != nil || string(b) != "done" {
					failed.Add(1)
				}
				_ = resp.Body.Close()
				done.Add(1)
			}
		}()
	}
	for i := range 20 {
		until(t, "requests served", func() bool { return done.Load() >= int64(100*(i+1)) })
		w.mu.Lock()
		for conn := range w.conns {
			conn.Drain()
		}
		w.mu.Unlock()
	}
	cancel()
	for range cap(ended) {
		<-ended
	}
	if failed.Load() > 0 {
		t.Errorf("%d of %d failed", failed.Load(), done.Load())
	}
}

// An ALB ends a connection after so many requests, and so do we.
func TestServerManyRequests(t *testing.T) {
	w := newWorld(t, exchange.DefaultSettings())
	r := w.rawClient()
	goAway := false
	for i := uint32(0); !goAway && i < 2*maxRequests; i++ {
		r.open(2*i+1, true, get()...)
		r.await("an answer's end", func(f http2.Frame) bool {
			if _, ok := f.(*http2.GoAwayFrame); ok {
				goAway = true
				if i+1 < maxRequests {
					t.Errorf("ended after %d requests", i)
				}
			}
			d, ok := f.(*http2.DataFrame)
			return ok && d.StreamEnded() || goAway
		})
	}
	if !goAway {
		t.Error("the connection did not end")
	}
}

func TestKill(t *testing.T) {
	w := newWorld(t, exchange.DefaultSettings())
	reached := make(chan struct{})
	gone := make(chan struct{})
	w.forward(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		close(reached)
		<-r.Context().Done()
		close(gone)
	}))
	r := w.rawClient()
	r.open(1, true, get()...)
	<-reached
	w.only().Kill()
	<-gone
	if s, o := w.finished(1); o[0].Failure != exchange.Ended {
		t.Errorf("got %+v, %+v", s, o)
	}
}

// A client that resets its request, or leaves, is noticed while the target is
// silent, which is told.
func TestClientGone(t *testing.T) {
	for name, leave := range map[string]func(r *raw){
		"reset":  func(r *raw) { _ = r.WriteRSTStream(1, http2.ErrCodeCancel) },
		"closed": func(r *raw) { _ = r.Close() },
	} {
		for when, early := range map[string]bool{"before the answer": false, "within the answer": true} {
			t.Run(name+" "+when, func(t *testing.T) {
				w := newWorld(t, exchange.DefaultSettings())
				gone := make(chan struct{})
				reached := make(chan struct{})
				w.forward(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
					if early {
						_, _ = io.WriteString(rw, strings.Repeat("a", 10))
						_ = http.NewResponseController(rw).Flush()
					}
					close(reached)
					<-r.Context().Done()
					close(gone)
				}))
				r := w.rawClient()
				r.open(1, true, get()...)
				<-reached
				if early {
					_ = r.status(1)
				}
				leave(r)
				select {
				case <-gone:
				case <-time.After(5 * time.Second):
					t.Fatal("the target was not told")
				}
				s, o := w.finished(1)
				if o[0].Failure != exchange.ClientGone || !early && s[0].Status != 460 {
					t.Errorf("got %+v, %+v", s[0], o[0])
				}
			})
		}
	}
}
