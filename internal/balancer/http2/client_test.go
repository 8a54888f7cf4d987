package http2

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"os/exec"
	"strings"
	"sync"
	"testing"

	"golang.org/x/net/http2"

	"neargate/internal/balancer/exchange"
)

// echo answers with the request's body, as it comes.
func echo(rw http.ResponseWriter, r *http.Request) {
	rw.Header().Set("X-Length", fmt.Sprint(r.ContentLength))
	rw.WriteHeader(http.StatusOK)
	_ = http.NewResponseController(rw).Flush()
	buf := make([]byte, 32<<10)
	for {
		n, err := r.Body.Read(buf)
		_, _ = rw.Write(buf[:n])
		_ = http.NewResponseController(rw).Flush()
		if err != nil {
			return
		}
	}
}

func TestForwardBodies(t *testing.T) {
	w := newWorld(t, exchange.DefaultSettings())
	w.forward(http.HandlerFunc(echo))
	c := w.client()
	var all sync.WaitGroup
	for i, size := range []int{0, 1, 100, 16 << 10, 16<<10 + 1, 65535, 65536, 300_000, 5_000_000} {
		for _, known := range []bool{true, false} {
			all.Go(func() {
				body := make([]byte, size)
				_, _ = rand.Read(body)
				var r io.Reader = bytes.NewReader(body)
				if !known {
					r = io.MultiReader(r)
				}
				resp, err := c.Post(w.url(fmt.Sprint("/", i)), "", r)
				if err != nil {
					t.Error(err)
					return
				}
				defer resp.Body.Close()
				got, err := io.ReadAll(resp.Body)
				if err != nil || sha256.Sum256(got) != sha256.Sum256(body) {
					t.Errorf("%d octets, known %t: got %d, %v", size, known, len(got), err)
				}
			})
		}
	}
	all.Wait()
	summaries, outcomes := w.finished(18)
	for _, o := range outcomes {
		if o.Failure != exchange.OK {
			t.Errorf("got %+v", o)
		}
	}
	for _, s := range summaries {
		if s.Status != 200 || s.Tries != 1 || s.Reason != "" {
			t.Errorf("got %+v", s)
		}
	}
}

func TestForwardBothWaysAtOnce(t *testing.T) {
	w := newWorld(t, exchange.DefaultSettings())
	w.forward(http.HandlerFunc(echo))
	up, send := io.Pipe()
	req, _ := http.NewRequestWithContext(t.Context(), http.MethodPost, w.url("/"), up)
	resp, err := w.client().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	buf := make([]byte, 16)
	for i := range 100 {
		want := fmt.Sprintf("message %03d", i)
		if _, err := io.WriteString(send, want); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(resp.Body, buf[:len(want)]); err != nil || string(buf[:len(want)]) != want {
			t.Fatalf("got %q, %v, want %q", buf[:len(want)], err, want)
		}
	}
	_ = send.Close()
	if n, err := resp.Body.Read(buf); n > 0 || err != io.EOF {
		t.Errorf("at the end got %d, %v", n, err)
	}
}

func TestForwardTrailers(t *testing.T) {
	w := newWorld(t, exchange.DefaultSettings())
	got := make(chan http.Header, 1)
	w.forward(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		rw.Header().Set("Trailer", "X-Sum")
		_, _ = io.Copy(rw, r.Body)
		got <- r.Trailer
		rw.Header().Set("X-Sum", "7")
	}))
	for _, body := range []string{"", "body"} {
		req, _ := http.NewRequestWithContext(t.Context(), http.MethodPost, w.url("/"), io.MultiReader(strings.NewReader(body)))
		req.Trailer = http.Header{"X-Digest": {"abc"}}
		resp, err := w.client().Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, resp.Body)
		_ = resp.Body.Close()
		if h := <-got; h.Get("X-Digest") != "abc" || resp.Trailer.Get("X-Sum") != "7" {
			t.Errorf("target got %v, client got %v", h, resp.Trailer)
		}
	}
}

func TestForwardHeads(t *testing.T) {
	w := newWorld(t, exchange.DefaultSettings())
	w.forward(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		rw.Header().Set("Link", "</a.css>")
		rw.WriteHeader(http.StatusEarlyHints)
		rw.Header().Set("X-Got", fmt.Sprint(r.Method, r.Host, r.URL, r.Header["X-Forwarded-For"], r.Header["Cookie"], r.Header["Te"], r.Header["Connection"]))
		rw.Header().Set("Content-Length", "1000")
		rw.WriteHeader(http.StatusNotFound)
	}))
	hints := 0
	ctx := httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{Got1xxResponse: func(int, textproto.MIMEHeader) error { hints++; return nil }})
	req, _ := http.NewRequestWithContext(ctx, http.MethodHead, w.url("/a%20b?c=d"), http.NoBody)
	req.Host = "host.example"
	req.Header["Cookie"] = []string{"a=1; b=2", "c=3"}
	resp, err := w.client().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusNotFound || resp.ContentLength != 1000 || hints != 1 {
		t.Errorf("got status %d, length %d, %d hints", resp.StatusCode, resp.ContentLength, hints)
	}
	if got, want := resp.Header.Get("X-Got"), "HEADhost.example/a%20b?c=d [127.0.0.1] [a=1; b=2; c=3] [trailers] []"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestForwardExpect(t *testing.T) {
	w := newWorld(t, exchange.DefaultSettings())
	w.forward(http.HandlerFunc(echo))
	r := w.rawClient()
	r.open(1, false, post("expect", "100-continue", "content-length", "5")...)
	if got := r.status(1); got != "100" {
		t.Errorf("got %s, want 100", got)
	}
	_ = r.WriteData(1, true, []byte("hello"))
	if got := r.status(1); got != "200" {
		t.Errorf("got %s, want 200", got)
	}
}

// An answer before the request is whole ends the request, not the connection.
func TestForwardEarlyAnswer(t *testing.T) {
	w := newWorld(t, exchange.DefaultSettings())
	w.forward(http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) { rw.WriteHeader(http.StatusUnauthorized) }))
	r := w.rawClient()
	r.open(1, false, post()...)
	_ = r.WriteData(1, false, []byte("part"))
	if got := r.status(1); got != "401" {
		t.Errorf("got %s, want 401", got)
	}
	r.await("a reset without an error", func(f http2.Frame) bool {
		rst, ok := f.(*http2.RSTStreamFrame)
		return ok && rst.ErrCode == http2.ErrCodeNo
	})
	_ = r.WriteData(1, true, []byte("rest, on its way"))
	r.open(3, true, get()...)
	if got := r.status(3); got != "401" {
		t.Errorf("afterwards got %s", got)
	}
}

func TestForwardConcurrently(t *testing.T) {
	w := newWorld(t, exchange.DefaultSettings())
	w.forward(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(rw, strings.Repeat(r.URL.Path, 50))
	}))
	c := w.client()
	var all sync.WaitGroup
	for i := range 100 {
		all.Go(func() {
			for j := range 20 {
				path := fmt.Sprintf("/%d/%d", i, j)
				resp, err := c.Get(w.url(path))
				if err != nil {
					t.Error(err)
					return
				}
				b, err := io.ReadAll(resp.Body)
				_ = resp.Body.Close()
				if err != nil || string(b) != strings.Repeat(path, 50) {
					t.Errorf("got %.20q, %v, want %q", b, err, path)
				}
			}
		})
	}
	all.Wait()
}

// Programs that everybody has reach the balancer.
func TestServerPrograms(t *testing.T) {
	w := newWorld(t, exchange.DefaultSettings())
	w.forward(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(rw, r.Body)
		_, _ = io.WriteString(rw, "end")
	}))
	for name, args := range map[string][]string{
		"curl":   {"-sS", "--http2-prior-knowledge", "-d", strings.Repeat("x", 100_000), w.url("/")},
		"nghttp": {"-m", "20", w.url("/a"), w.url("/b")},
		"h2load": {"-n", "2000", "-c", "5", "-m", "50", w.url("/")},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := exec.LookPath(name); err != nil {
				t.Skip(name + " is not installed")
			}
			out, err := exec.Command(name, args...).CombinedOutput()
			if err != nil || !strings.Contains(string(out), "end") && name != "h2load" ||
				name == "h2load" && !strings.Contains(string(out), "2000 succeeded, 0 failed, 0 errored") {
				t.Errorf("%v\n%.2000s", err, out)
			}
		})
	}
}
