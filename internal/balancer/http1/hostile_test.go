package http1

import (
	"strings"
	"testing"

	"neargate/internal/balancer/exchange"
)

func TestRequestRefused(t *testing.T) {
	long := strings.Repeat("a", 17<<10)
	for _, row := range []struct {
		name, send string
		status     string
		reason     string
	}{
		{"a bare line feed", "GET / HTTP/1.1\nHost: h\n\n", "400", "BadHeader"},
		{"a bare line feed within a line", "GET / HTTP/1.1\r\nHost: h\r\nA: b\nC: d\r\n\r\n", "400", "BadHeader"},
		{"a carriage return within a value", "GET / HTTP/1.1\r\nHost: h\r\nA: b\rC: d\r\n\r\n", "400", "BadHeader"},
		{"NUL in a value", "GET / HTTP/1.1\r\nHost: h\r\nA: b\x00\r\n\r\n", "400", "BadHeader"},
		{"NUL in the URI", "GET /\x00 HTTP/1.1\r\nHost: h\r\n\r\n", "400", "BadUri"},
		{"a fragment in the URI", "GET /a#b HTTP/1.1\r\nHost: h\r\n\r\n", "400", "BadUri"},
		{"two blanks", "GET  / HTTP/1.1\r\nHost: h\r\n\r\n", "400", "BadUri"},
		{"a blank at the end of the request line", "GET / HTTP/1.1 \r\nHost: h\r\n\r\n", "400", "BadVersion"},
		{"no version", "GET /\r\nHost: h\r\n\r\n", "400", "BadVersion"},
		{"a TLS greeting", "\x16\x03\x01\x02\x00\x01", "400", "BadMethod"},
		{"a method with a colon", "GE:T / HTTP/1.1\r\nHost: h\r\n\r\n", "400", "BadMethod"},
		{"a blank before the colon", "GET / HTTP/1.1\r\nHost: h\r\nA : b\r\n\r\n", "400", "BadHeader"},
		{"a blank before the name", "GET / HTTP/1.1\r\n Host: h\r\n\r\n", "400", "BadHeader"},
		{"a folded line", "GET / HTTP/1.1\r\nHost: h\r\nA: b\r\n c\r\n\r\n", "400", "BadHeader"},
		{"a line without a colon", "GET / HTTP/1.1\r\nHost: h\r\nA\r\n\r\n", "400", "BadHeader"},
		{"no Host", "GET / HTTP/1.1\r\n\r\n", "400", "BadHost"},
		{"two Hosts", "GET / HTTP/1.1\r\nHost: h\r\nHost: h\r\n\r\n", "400", "BadHost"},
		{"an empty Host", "GET / HTTP/1.1\r\nHost:\r\n\r\n", "400", "BadHost"},
		{"a path in Host", "GET / HTTP/1.1\r\nHost: h/p\r\n\r\n", "400", "BadHost"},
		{"a user in Host", "GET / HTTP/1.1\r\nHost: u@h\r\n\r\n", "400", "BadHost"},
		{"two hosts in Host", "GET / HTTP/1.1\r\nHost: a,b\r\n\r\n", "400", "BadHost"},
		{"a word as port", "GET / HTTP/1.1\r\nHost: h:x\r\n\r\n", "400", "BadHost"},
		{"another authority than Host", "GET http://a/ HTTP/1.1\r\nHost: b\r\n\r\n", "400", "BadHost"},
		{"a user in the authority", "GET http://u@a/ HTTP/1.1\r\nHost: u@a\r\n\r\n", "400", "BadHost"},
		{"another scheme", "GET ftp://a/ HTTP/1.1\r\nHost: a\r\n\r\n", "400", "BadUri"},
		{"CONNECT", "CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n", "400", "BadUri"},
		{"a star for GET", "GET * HTTP/1.1\r\nHost: h\r\n\r\n", "400", "BadUri"},
		{"a signed length", post("Content-Length: +5", "hello"), "400", "BadContentLength"},
		{"a hex length", post("Content-Length: 0x5", "hello"), "400", "BadContentLength"},
		{"an empty length", post("Content-Length:", "hello"), "400", "BadContentLength"},
		{"a huge length", post("Content-Length: 9223372036854775808", "hello"), "400", "BadContentLength"},
		{"two lengths", post("Content-Length: 5\r\nContent-Length: 6", "hello!"), "400", "MultipleContentLength"},
		{"two lengths in a list", post("Content-Length: 5, 6", "hello!"), "400", "MultipleContentLength"},
		{"chunked twice", post("Transfer-Encoding: chunked, chunked", "0\r\n\r\n"), "400", "MultipleTransferEncodingChunked"},
		{"chunked in two fields", post("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked", "0\r\n\r\n"), "400", "MultipleTransferEncodingChunked"},
		{"a vertical tab before chunked", post("Transfer-Encoding: \x0bchunked", "0\r\n\r\n"), "400", "BadHeader"},
		{"an encoding in quotes", post("Transfer-Encoding: \"chunked\"", "0\r\n\r\n"), "400", "BadTransferEncoding"},
		{"an empty encoding", post("Transfer-Encoding:", "0\r\n\r\n"), "400", "BadTransferEncoding"},
		{"chunks in HTTP/1.0", "POST / HTTP/1.0\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "400", "BadTransferEncoding"},
		{"another encoding", post("Transfer-Encoding: gzip, chunked", "0\r\n\r\n"), "501", "UnknownTransferEncoding"},
		{"almost chunked", post("Transfer-Encoding: xchunked", "0\r\n\r\n"), "501", "UnknownTransferEncoding"},
		{"a bad chunk size", post("Transfer-Encoding: chunked", "g\r\n"), "400", "BadChunk"},
		{"a signed chunk size", post("Transfer-Encoding: chunked", "-1\r\n"), "400", "BadChunk"},
		{"a chunk size with 0x", post("Transfer-Encoding: chunked", "0x5\r\nhello\r\n0\r\n\r\n"), "400", "BadChunk"},
		{"a chunk size that overflows", post("Transfer-Encoding: chunked", "10000000000000005\r\nhello"), "400", "BadChunk"},
		{"a chunk that is too long for its size", post("Transfer-Encoding: chunked", "3\r\nhello\r\n0\r\n\r\n"), "400", "BadChunk"},
		{"a bare line feed after a chunk size", post("Transfer-Encoding: chunked", "5\nhello\r\n0\r\n\r\n"), "400", "BadChunk"},
		{"a bare line feed in a chunk extension", post("Transfer-Encoding: chunked", "5;a\nxx\r\nhello\r\n0\r\n\r\n"), "400", "BadChunk"},
		{"a length in the trailers", post("Transfer-Encoding: chunked", "0\r\nContent-Length: 5\r\n\r\n"), "400", "BadChunk"},
		{"TRACE", "TRACE / HTTP/1.1\r\nHost: h\r\n\r\n", "405", "TraceMethod"},
		{"a long request line", "GET /" + long + " HTTP/1.1\r\nHost: h\r\n\r\n", "414", "UriTooLong"},
		{"a request line without end", "GET /" + long + long, "414", "UriTooLong"},
		{"a long field", "GET / HTTP/1.1\r\nHost: h\r\nA: " + long + "\r\n\r\n", "400", "HeaderTooLarge"},
		{"long fields together", "GET / HTTP/1.1\r\nHost: h\r\n" + strings.Repeat("A: "+long[:15<<10]+"\r\n", 5) + "\r\n", "400", "HeaderTooLarge"},
		{"fields without end", "GET / HTTP/1.1\r\nHost: h\r\n" + strings.Repeat("A: "+long[:15<<10]+"\r\n", 9), "400", "HeaderTooLarge"},
		{"too many fields", "GET / HTTP/1.1\r\nHost: h\r\n" + strings.Repeat("A: b\r\n", maxFields) + "\r\n", "400", "TooManyHeaders"},
		{"31 addresses in X-Forwarded-For", "GET / HTTP/1.1\r\nHost: h\r\nX-Forwarded-For: a" + strings.Repeat(",a", 30) + "\r\n\r\n", "463", "TooManyForwardedFor"},
		{"HTTP/2 with prior knowledge", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "505", "HttpVersion"},
		{"HTTP/2.0 as text", "GET / HTTP/2.0\r\nHost: h\r\n\r\n", "505", "HttpVersion"},
		{"a version with a long number", "GET / HTTP/1.10\r\nHost: h\r\n\r\n", "400", "BadVersion"},
		{"a version in small letters", "GET / http/1.1\r\nHost: h\r\n\r\n", "400", "BadVersion"},
	} {
		t.Run(row.name, func(t *testing.T) {
			b := newBackend(t, says(okAnswer))
			w := start(t, nil, b.addr)
			c := w.send(t, row.send)
			answer := rest(t, c)
			if !strings.HasPrefix(answer, "HTTP/1.1 "+row.status+" ") || !strings.Contains(answer, "Connection: close\r\n") {
				t.Errorf("got %q, want a closing %s", answer, row.status)
			}
			s, _ := w.finished(t, 1)
			if s[0].Reason != row.reason || !s[0].Own {
				t.Errorf("got reason %q of an own answer (%v), want %q", s[0].Reason, s[0].Own, row.reason)
			}
			if got := b.requests(); len(got) != 0 {
				t.Errorf("the target got %q, want nothing", got)
			}
		})
	}
}

func post(field, body string) string {
	return "POST / HTTP/1.1\r\nHost: h\r\n" + field + "\r\n\r\n" + body
}

func TestAmbiguousRequestEndsBothConnections(t *testing.T) {
	for _, row := range []struct{ name, send, reason string }{
		{"both framings", post("Content-Length: 5\r\nTransfer-Encoding: chunked", "0\r\n\r\n"), "BothTeClPresent"},
		{"the length twice", post("Content-Length: 2\r\nContent-Length: 2", "hi"), "DuplicateContentLength"},
		{"GET with a body", "GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nhi", "UndefinedContentLengthSemantics"},
		{"GET with chunks", "GET / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "UndefinedTransferEncodingSemantics"},
	} {
		t.Run(row.name, func(t *testing.T) {
			b := newBackend(t, says(okAnswer))
			w := start(t, nil, b.addr)
			got := rest(t, w.send(t, row.send+"GET /smuggled HTTP/1.1\r\nHost: h\r\n\r\n"))
			if want := lastAnswer; got != want {
				t.Errorf("got %q, want %q", got, want)
			}
			s, _ := w.finished(t, 1)
			if s[0].Class != exchange.Ambiguous || s[0].ClassReason != row.reason {
				t.Errorf("got class %d %q, want ambiguous %q", s[0].Class, s[0].ClassReason, row.reason)
			}
			if n := len(b.requests()); n != 1 {
				t.Errorf("the target got %d requests, want 1", n)
			}
			rest(t, w.send(t, "GET / HTTP/1.0\r\nHost: h\r\n\r\n"))
			if b.conns() != 2 {
				t.Errorf("the target took %d connections, want 2", b.conns())
			}
		})
	}
}

func TestStrictestRefusesAmbiguous(t *testing.T) {
	b := newBackend(t, says(okAnswer))
	w := start(t, func(s *exchange.Settings) { s.Desync = exchange.Strictest }, b.addr)
	got := rest(t, w.send(t, "GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nhi"))
	if !strings.HasPrefix(got, "HTTP/1.1 400 ") || len(b.requests()) != 0 {
		t.Errorf("got %q and the target %q, want a 400 and nothing", got, b.requests())
	}
}
