package http1

import (
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"neargate/internal/balancer/exchange"
)

const (
	get11 = "GET / HTTP/1.1\r\nHost: h\r\n\r\n"
	get10 = "GET / HTTP/1.0\r\nHost: h\r\n\r\n"
	// last asks for the connection to be closed, so that reading ends.
	last11 = "GET /last HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"
)

// lastAnswer is what a client gets for last11 from a target that says okAnswer.
const lastAnswer = "HTTP/1.1 200 OK\r\n" + date + "Content-Length: 2\r\nConnection: close\r\n\r\nok"

func TestClientGets(t *testing.T) {
	for _, row := range []struct {
		name, send, says, want string
	}{
		{"an answer with a length", get11, okAnswer, okAnswer},
		{
			"chunks with trailers", get11,
			"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nX: 1\r\n\r\n",
			"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nX: 1\r\n\r\n",
		},
		{
			"the target's connection is its own matter", get11,
			"HTTP/1.1 200 OK\r\nConnection: keep-alive, X-Hop\r\nKeep-Alive: timeout=5\r\nX-Hop: 1\r\nContent-Length: 2\r\n\r\nok",
			okAnswer,
		},
		{
			"chunks of a target that closes", get11,
			"HTTP/1.1 200 OK\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
			"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
		},
		{
			"both framings: the length goes", get11,
			"HTTP/1.1 200 OK\r\nContent-Length: 9\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
			"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
		},
		{
			"the same length twice", get11,
			"HTTP/1.1 200 OK\r\nContent-Length: 2, 2\r\nA: b\r\n\r\nok",
			"HTTP/1.1 200 OK\r\nA: b\r\nContent-Length: 2\r\n\r\nok",
		},
		{"204", get11, "HTTP/1.1 204 No Content\r\n\r\n", "HTTP/1.1 204 No Content\r\n\r\n"},
		{"204 with a length", get11, "HTTP/1.1 204 No Content\r\nContent-Length: 2\r\n\r\n", "HTTP/1.1 204 No Content\r\n\r\n"},
		{
			"304 with the length of what it spares", get11,
			"HTTP/1.1 304 Not Modified\r\nContent-Length: 99\r\n\r\n",
			"HTTP/1.1 304 Not Modified\r\nContent-Length: 99\r\n\r\n",
		},
		{
			"HEAD", "HEAD / HTTP/1.1\r\nHost: h\r\n\r\n",
			"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n",
			"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n",
		},
		{"an empty body", get11, "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"},
		{"no reason", get11, "HTTP/1.1 200\r\n" + date + "Content-Length: 2\r\n\r\nok", "HTTP/1.1 200\r\nContent-Length: 2\r\n\r\nok"},
		{"an HTTP/1.0 target", get11, "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", okAnswer},
		{
			"100 is dropped, 103 is not", get11,
			"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + okAnswer,
			"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + okAnswer,
		},
	} {
		t.Run(row.name, func(t *testing.T) {
			b := newBackend(t, func(c net.Conn, r *http.Request, _ string) bool {
				if r.URL.Path == "/last" {
					return says(okAnswer)(c, r, "")
				}
				return says(row.says)(c, r, "")
			})
			w := start(t, nil, b.addr)
			got := rest(t, w.send(t, row.send+last11))
			if diff := cmp.Diff(undated(row.want+lastAnswer), undated(got)); diff != "" {
				t.Errorf("the client got (-want +got):\n%s", diff)
			}
		})
	}
}

func TestClientGetsThenEnd(t *testing.T) {
	for _, row := range []struct {
		name, send, says, want string
		close                  bool
	}{
		{"HTTP/1.0 is closed", get10, okAnswer, okAnswer, false},
		{
			"HTTP/1.0 that wants to go on is told so",
			"GET / HTTP/1.0\r\nHost: h\r\nConnection: keep-alive\r\n\r\n" + get10, okAnswer,
			"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: keep-alive\r\n\r\nok" + okAnswer, false,
		},
		{
			"chunks become plain for HTTP/1.0", get10,
			"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3;x\r\nllo\r\n0\r\nA: b\r\n\r\n",
			"HTTP/1.1 200 OK\r\n\r\nhello", false,
		},
		{"an end without length for HTTP/1.0", get10, "HTTP/1.1 200 OK\r\n\r\nhello", "HTTP/1.1 200 OK\r\n\r\nhello", true},
		{
			"an end without length becomes chunks", get11 + last11, "HTTP/1.1 200 OK\r\n\r\nhello",
			"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n" +
				"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n5\r\nhello\r\n0\r\n\r\n", true,
		},
		{
			"103 is not for HTTP/1.0", get10, "HTTP/1.1 103 Early Hints\r\n\r\n" + okAnswer, okAnswer, false,
		},
	} {
		t.Run(row.name, func(t *testing.T) {
			handle := says(row.says)
			if row.close {
				handle = once(row.says)
			}
			b := newBackend(t, handle)
			w := start(t, nil, b.addr)
			got := rest(t, w.send(t, row.send))
			if diff := cmp.Diff(undated(row.want), undated(got)); diff != "" {
				t.Errorf("the client got (-want +got):\n%s", diff)
			}
		})
	}
}

func TestBadAnswerIs502(t *testing.T) {
	for _, row := range []struct{ name, says string }{
		{"no HTTP", "hello\r\n\r\n"},
		{"a status of two digits", "HTTP/1.1 20 OK\r\nContent-Length: 0\r\n\r\n"},
		{"two lengths", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nok"},
		{"a signed length", "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n"},
		{"another encoding", "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"},
		{"a bad chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"},
		{"a status of 1000", "HTTP/1.1 1000 OK\r\nContent-Length: 0\r\n\r\n"},
		{"HTTP/0.9", "HTTP/0.9 200 OK\r\nContent-Length: 0\r\n\r\n"},
		{"a control character in a length", "HTTP/1.1 200 OK\r\nContent-Length: \x0b2\r\n\r\nok"},
		{"a folded line", "HTTP/1.1 200 OK\r\nA: b\r\n c\r\nContent-Length: 0\r\n\r\n"},
		{"101 unasked", "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n"},
		{"more than 32 K of fields", "HTTP/1.1 200 OK\r\n" + strings.Repeat("A: "+strings.Repeat("b", 8<<10)+"\r\n", 4) + "\r\n"},
		{"fields without end", "HTTP/1.1 200 OK\r\n" + strings.Repeat("A: "+strings.Repeat("b", 8<<10)+"\r\n", 5)},
	} {
		t.Run(row.name, func(t *testing.T) {
			b := newBackend(t, says(row.says))
			w := start(t, nil, b.addr)
			got := rest(t, w.send(t, "GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"))
			if !strings.HasPrefix(got, "HTTP/1.1 502 Bad Gateway\r\nServer: awselb/2.0\r\n") {
				t.Errorf("got %q, want a 502", got)
			}
			s, o := w.finished(t, 1)
			if len(o) != 1 || o[0].Failure != exchange.BadAnswer || s[0].Status != 502 || !s[0].Own {
				t.Errorf("got outcomes %+v and summary %+v, want one bad answer", o, s[0])
			}
		})
	}
}

func TestLargeAnswersArrive(t *testing.T) {
	body := strings.Repeat("0123456789abcdef", 1<<16) // 1 MiB
	for _, row := range []struct{ name, head, end string }{
		{"by length", "Content-Length: 1048576\r\n\r\n", ""},
		{"in chunks", "Transfer-Encoding: chunked\r\n\r\n100000\r\n", "\r\n0\r\n\r\n"},
		{"until the end", "Connection: close\r\n\r\n", ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			b := newBackend(t, once("HTTP/1.1 200 OK\r\n"+row.head+body+row.end))
			w := start(t, nil, b.addr)
			for _, request := range []string{get11, get10} {
				res, err := http.ReadResponse(newReader(w.send(t, request)), nil)
				if err != nil {
					t.Fatal(err)
				}
				got, err := io.ReadAll(res.Body)
				if err != nil || string(got) != body {
					t.Errorf("got %d bytes (%v), want 1 MiB as sent", len(got), err)
				}
			}
			_, o := w.finished(t, 2)
			if o[0].Failure != exchange.OK || o[0].In < 1<<20 {
				t.Errorf("got %+v, want all bytes counted", o[0])
			}
		})
	}
}

func TestPipelinedRequestsAreAnsweredInOrder(t *testing.T) {
	b := newBackend(t, func(c net.Conn, r *http.Request, _ string) bool {
		return says("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n"+r.URL.Path)(c, r, "")
	})
	w := start(t, nil, b.addr)
	c := w.send(t, "GET /1 HTTP/1.1\r\nHost: h\r\n\r\n"+
		"POST /2 HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc"+
		"POST /3 HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"+
		"GET /4 HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
	const head = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n"
	want := head + "\r\n/1" + head + "\r\n/2" + head + "\r\n/3" + head + "Connection: close\r\n\r\n/4"
	if got := undated(rest(t, c)); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	s, _ := w.finished(t, 4)
	if s[1].Received != 51 {
		t.Errorf("got %d bytes received of the second, want 51", s[1].Received)
	}
	if b.conns() != 1 {
		t.Errorf("the target took %d connections, want 1", b.conns())
	}
}

// TestRequestThatComesEarlyWaits for the answer before it in the socket, and is then
// served without anything else coming.
func TestRequestThatComesEarlyWaits(t *testing.T) {
	b := newHeld(t)
	w := start(t, nil, b.addr)
	c := w.send(t, get11)
	for range 3 {
		<-b.got
		write(t, c, get11) // while the one before is at the target
		b.let <- struct{}{}
		expect(t, c, okAnswer)
	}
}

func TestRequestOctetByOctet(t *testing.T) {
	b := newBackend(t, says(okAnswer))
	w := start(t, nil, b.addr)
	c := w.dial(t)
	raw := "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n" + last11
	for i := range len(raw) {
		write(t, c, raw[i:i+1])
	}
	if got := rest(t, c); got != okAnswer+lastAnswer {
		t.Errorf("got %q", got)
	}
	if got := b.requests()[0]; !strings.HasSuffix(got, "\r\n\r\n5\r\nhello\r\n0\r\n\r\n") {
		t.Errorf("the target got %q, want the chunks", got)
	}
}

func TestAnswerOctetByOctet(t *testing.T) {
	const answer = "HTTP/1.1 200 OK\r\n" + date + "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"
	b := newBackend(t, func(c net.Conn, _ *http.Request, _ string) bool {
		for i := range len(answer) {
			if _, err := io.WriteString(c, answer[i:i+1]); err != nil {
				return false
			}
		}
		return true
	})
	w := start(t, nil, b.addr)
	c := w.send(t, get11+get11)
	expect(t, c, answer+answer)
}

func TestOwnAnswers(t *testing.T) {
	b := newBackend(t, says(okAnswer))
	w := start(t, nil, b.addr)
	w.answer = &exchange.Answer{Status: 301, Location: "https://h:443/"}
	got := masked(rest(t, w.send(t, get10)))
	want := "HTTP/1.1 301 Moved Permanently\r\nServer: awselb/2.0\r\nDate: NOW\r\nContent-Type: text/html\r\nContent-Length: 134\r\n" +
		"Connection: close\r\nLocation: https://h:443/\r\n\r\n<html>\r\n<head><title>301 Moved Permanently</title></head>\r\n<body>\r\n" +
		"<center><h1>301 Moved Permanently</h1></center>\r\n</body>\r\n</html>\r\n"
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("a redirect (-want +got):\n%s", diff)
	}
	w.mu.Lock()
	w.answer = &exchange.Answer{Status: 200, ContentType: "text/plain", Body: "hi"}
	w.mu.Unlock()
	got = masked(rest(t, w.send(t, "HEAD / HTTP/1.1\r\nHost: h\r\n\r\nPOST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabcPOST / HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\nabc")))
	const head = "HTTP/1.1 200 OK\r\nServer: awselb/2.0\r\nDate: NOW\r\nContent-Type: text/plain\r\nContent-Length: 2\r\nConnection: "
	want = head + "keep-alive\r\n\r\n" + head + "keep-alive\r\n\r\nhi" + head + "close\r\n\r\nhi"
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("fixed answers (-want +got):\n%s", diff)
	}
	if len(b.requests()) != 0 {
		t.Errorf("the target got %q, want nothing", b.requests())
	}
}
