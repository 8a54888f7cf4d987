package http1

import (
	"bytes"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
)

// upload is large enough to fill every buffer on its way many times.
const upload = 50 << 20

// TestEarlyRefusalReachesTheClient that still sends when the target, or the
// balancer, has answered and closed: as net/http and as one that reads only when it
// has sent everything.
func TestEarlyRefusalReachesTheClient(t *testing.T) {
	const refusal = "HTTP/1.1 413 Payload Too Large\r\nContent-Length: 4\r\nConnection: close\r\n\r\nmuch"
	target := newBackend(t, func(c net.Conn, r *http.Request, raw string) bool {
		return says(refusal)(c, r, raw) && false
	})
	for _, row := range []struct {
		name   string
		world  *world
		status int
	}{
		{"of the target", start(t, nil, target.addr), 413},
		{"of the balancer", start(t, nil), 503},
	} {
		t.Run(row.name, func(t *testing.T) {
			for range 3 {
				req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+row.world.addr+"/", bytes.NewReader(make([]byte, upload)))
				if err != nil {
					t.Fatal(err)
				}
				req.Header.Set("X-Body", "leave")
				transport := &http.Transport{}
				res, err := transport.RoundTrip(req)
				if err != nil {
					t.Fatalf("net/http lost the answer: %v", err)
				}
				if _, err := io.Copy(io.Discard, res.Body); err != nil || res.StatusCode != row.status {
					t.Errorf("got %d and %v, want %d", res.StatusCode, err, row.status)
				}
				res.Body.Close()
				transport.CloseIdleConnections()
			}
			c := row.world.send(t, "POST / HTTP/1.1\r\nHost: h\r\nX-Body: leave\r\nContent-Length: 52428800\r\n\r\n")
			if _, err := c.Write(make([]byte, upload)); err != nil {
				t.Fatalf("sending: %v", err)
			}
			res, err := http.ReadResponse(newReader(c), nil)
			if err != nil || res.StatusCode != row.status {
				t.Fatalf("got %+v and %v, want %d", res, err, row.status)
			}
			res.Body.Close()
		})
	}
}

// TestEarlyAnswerLetsTheUploadGoOn: the target has answered, and takes the rest of
// the request; both connections go on.
func TestEarlyAnswerLetsTheUploadGoOn(t *testing.T) {
	read := make(chan int64, 1)
	b := newBackend(t, func(c net.Conn, r *http.Request, raw string) bool {
		if r.ContentLength <= 0 {
			return says(okAnswer)(c, r, raw)
		}
		if !says(okAnswer)(c, r, raw) {
			return false
		}
		n, err := io.Copy(io.Discard, r.Body)
		read <- n
		return err == nil
	})
	w := start(t, nil, b.addr)
	c := w.send(t, "POST / HTTP/1.1\r\nHost: h\r\nX-Body: leave\r\nContent-Length: 52428800\r\n\r\n")
	expect(t, c, okAnswer)
	if _, err := io.Copy(c, io.LimitReader(zeros{}, upload)); err != nil {
		t.Fatal(err)
	}
	if n := <-read; n != upload {
		t.Errorf("the target got %d bytes, want %d", n, upload)
	}
	write(t, c, last11)
	if got := rest(t, c); got != lastAnswer {
		t.Errorf("got %q, want another answer", got)
	}
	if got := b.conns(); got != 1 {
		t.Errorf("the target took %d connections, want 1", got)
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// TestEarlyAnswerOfATargetThatClosesSaysSo: the client need not send the rest.
func TestEarlyAnswerOfATargetThatClosesSaysSo(t *testing.T) {
	b := newBackend(t, once("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok"))
	w := start(t, nil, b.addr)
	c := w.send(t, "POST / HTTP/1.1\r\nHost: h\r\nX-Body: leave\r\nContent-Length: 100000\r\n\r\n")
	got := rest(t, c)
	if !strings.Contains(got, "Connection: close\r\n") || !strings.HasSuffix(got, "ok") {
		t.Errorf("got %q, want a closing answer", got)
	}
}
