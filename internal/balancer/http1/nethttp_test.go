package http1

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"testing"
	"time"

	"neargate/internal/balancer/exchange"
)

// TestBetweenNetHTTP runs net/http's client and server on both sides: bodies of
// all sizes and framings, at once, over kept connections.
func TestBetweenNetHTTP(t *testing.T) {
	back := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Errorf("the target reads the body: %v", err)
		}
		w.Header().Set("X-Trailer", r.Trailer.Get("X-Sum"))
		w.Header().Set("X-For", r.Header.Get("X-Forwarded-For"))
		if r.URL.Query().Has("length") {
			w.Header().Set("Content-Length", fmt.Sprint(len(body)))
		} else if f, ok := w.(http.Flusher); ok {
			f.Flush()
		}
		_, _ = w.Write(body)
	}))
	defer back.Close()
	w := start(t, nil, back.Listener.Addr().String())
	transport := &http.Transport{MaxIdleConnsPerHost: 8}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport, Timeout: 20 * time.Second}
	var wg sync.WaitGroup
	for worker := range 8 {
		wg.Go(func() {
			random := rand.New(rand.NewPCG(1, uint64(worker)))
			for range 40 {
				echo(t, client, w.addr, random)
			}
		})
	}
	wg.Wait()
	s, o := w.finished(t, 8*40)
	for i := range o {
		if o[i].Failure != exchange.OK || s[i].Status != 200 {
			t.Errorf("got %+v with %+v, want OK", s[i], o[i])
		}
	}
}

// echo sends a body of random size and framing and wants it back.
func echo(t *testing.T, client *http.Client, addr string, random *rand.Rand) {
	t.Helper()
	body := make([]byte, random.IntN(1<<random.IntN(20)))
	for i := range body {
		body[i] = byte(random.Uint32())
	}
	u := url.URL{Scheme: "http", Host: addr, Path: "/"}
	if random.IntN(2) == 0 {
		u.RawQuery = "length"
	}
	var src io.Reader = bytes.NewReader(body)
	sum := ""
	if random.IntN(2) == 0 {
		src = io.MultiReader(src) // of unknown length: in chunks
		sum = fmt.Sprintf("%x", sha256.Sum256(body))
	}
	r, err := http.NewRequestWithContext(context.Background(), http.MethodPost, u.String(), src)
	if err != nil {
		t.Error(err)
		return
	}
	if sum != "" {
		r.Trailer = http.Header{"X-Sum": {sum}}
	}
	if random.IntN(4) == 0 {
		r.Header.Set("Expect", "100-continue")
	}
	res, err := client.Do(r)
	if err != nil {
		t.Errorf("send %d bytes: %v", len(body), err)
		return
	}
	defer res.Body.Close()
	got, err := io.ReadAll(res.Body)
	if err != nil || !bytes.Equal(got, body) {
		t.Errorf("got %d bytes (%v), want the %d sent", len(got), err, len(body))
	}
	if res.Header.Get("X-Trailer") != sum || res.Header.Get("X-For") != "127.0.0.1" {
		t.Errorf("the target saw trailer %q and client %q", res.Header.Get("X-Trailer"), res.Header.Get("X-For"))
	}
}
