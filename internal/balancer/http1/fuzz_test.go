package http1

import (
	"bufio"
	"bytes"
	"io"
	"net/http"
	"strings"
	"testing"

	"neargate/internal/balancer/exchange"
)

// FuzzRequest: whatever head is passed on, net/http reads it the same way.
func FuzzRequest(f *testing.F) {
	for _, s := range []string{
		steadyRequest, get10,
		"GET http://h/a?b HTTP/1.1\r\nHost: h\r\n\r\n",
		"OPTIONS * HTTP/1.1\r\nHost: [::1]:80\r\n\r\n",
		"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5, 5\r\n\r\n",
		"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: identity, chunked\r\nContent-Length: 3\r\nConnection: x, close\r\nX: y\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: h\r\nX-Forwarded-For: 1.1.1.1\r\nX-Amzn-Trace-Id: Root=1-a;Self=b\r\nExpect: 100-continue\r\n\r\n",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		end, err := headEnd(raw, 0)
		if err != nil || end == 0 {
			return
		}
		var c catcher
		req := c.pass(t, raw, end)
		if req == nil {
			return
		}
		head := c.try.appendRequest(nil, c.fwd, nil, c.fwd.Length == 0)
		got, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(head)))
		if err != nil {
			t.Fatalf("net/http refuses %q made of %q: %v", head, raw, err)
		}
		if got.Method != req.Method || !got.ProtoAtLeast(1, 1) {
			t.Errorf("net/http reads %q as %s %s", head, got.Method, got.Proto)
		}
		want := map[bodyKind]int64{noBody: 0, lengthBody: req.length, chunkedBody: -1}[req.body]
		if got.ContentLength != want {
			t.Errorf("net/http reads %q with a body of %d, want %d", head, got.ContentLength, want)
		}
		if names := got.Header["X-Amzn-Trace-Id"]; len(names) != 1 {
			t.Errorf("net/http reads %d traces in %q, want 1", len(names), head)
		}
	})
}

// FuzzAnswer: whatever answer is passed on, net/http reads it the same way.
func FuzzAnswer(f *testing.F) {
	for _, s := range []string{
		steadyAnswer, hopAnswer,
		"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 0\r\n\r\n",
		"HTTP/1.1 200\r\nTransfer-Encoding: chunked\r\nContent-Length: 9\r\n\r\n",
		"HTTP/1.1 304 x\r\nContent-Length: 5, 5\r\nKeep-Alive: timeout=5, max=3\r\n\r\n",
	} {
		f.Add([]byte(s), false)
	}
	f.Fuzz(func(t *testing.T, raw []byte, head bool) {
		end, err := headEnd(raw, 0)
		if err != nil || end == 0 {
			return
		}
		var h exchange.Head
		a := answer{Head: &h}
		if a.parse(raw[:end], head) != nil || h.Status < 200 {
			return
		}
		if h.Chunks {
			h.Form = exchange.Chunks
		}
		t1 := &turn{keep: true}
		t1.req.minor = 1
		t1.frame(&h)
		out := append(t1.appendConnection(appendHead(nil, &h), &h), "\r\n"...)
		if h.Raw != nil && !t1.inChunks {
			out = h.Raw
		}
		method := "GET"
		if head {
			method = "HEAD"
		}
		got, err := http.ReadResponse(bufio.NewReader(bytes.NewReader(out)), &http.Request{Method: method})
		if err != nil {
			t.Fatalf("net/http refuses %q made of %q: %v", out, raw, err)
		}
		if got.StatusCode != h.Status {
			t.Errorf("net/http reads %q as %d, want %d", out, got.StatusCode, h.Status)
		}
		switch {
		case a.body == chunkedBody && !head && (len(got.TransferEncoding) != 1 || got.ContentLength != -1):
			t.Errorf("net/http reads no chunks in %q", out)
		case a.body == lengthBody && got.ContentLength != a.length:
			t.Errorf("net/http reads %d bytes in %q, want %d", got.ContentLength, out, a.length)
		}
	})
}

// FuzzChunks: what is taken for a chunked body, net/http takes for the same
// one, and where it is cut does not matter.
func FuzzChunks(f *testing.F) {
	for _, s := range []string{
		"0\r\n\r\n", "5\r\nhello\r\n0\r\n\r\nrest", "A;x=y\r\n0123456789\r\n000\r\nX: y\r\n\r\n",
		"5\nhello\r\n0\r\n\r\n", "fffffffffffffff\r\n",
	} {
		f.Add([]byte(s), 3)
	}
	f.Fuzz(func(t *testing.T, raw []byte, cut int) {
		var whole, parts chunks
		n, done, err := whole.scan(raw)
		cut = max(0, min(cut, len(raw)))
		n1, done1, err1 := parts.scan(raw[:cut])
		if err1 == nil && !done1 {
			n2, done2, err2 := parts.scan(raw[cut:])
			n1, done1, err1 = n1+n2, done2, err2
		}
		if (err == nil) != (err1 == nil) || err == nil && (n != n1 || done != done1) {
			t.Fatalf("%q: whole %d %v %v, cut at %d %d %v %v", raw, n, done, err, cut, n1, done1, err1)
		}
		if err != nil || !done {
			return
		}
		b := body{kind: chunkedBody}
		plainBody, _, _, err := b.take(raw, exchange.Payload)
		if err != nil {
			t.Fatalf("take %q: %v", raw, err)
		}
		head := "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
		r, err := http.ReadRequest(bufio.NewReader(io.MultiReader(strings.NewReader(head), bytes.NewReader(raw[:n]))))
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(r.Body)
		if err != nil || !bytes.Equal(got, plainBody) {
			t.Errorf("net/http reads %q (%v) in %q, want %q", got, err, raw, plainBody)
		}
	})
}
