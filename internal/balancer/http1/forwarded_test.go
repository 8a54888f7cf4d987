package http1

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"neargate/internal/balancer/exchange"
)

// own is what the balancer adds for a plain request.
const own = "X-Forwarded-For: 127.0.0.1\r\nX-Forwarded-Proto: http\r\nX-Forwarded-Port: 80\r\nX-Amzn-Trace-Id: Root=1-TIME-ID\r\n\r\n"

// ownAnd is own with what is of the target's connection.
func ownAnd(hop string) string { return strings.TrimSuffix(own, "\r\n") + hop + "\r\n" }

func TestTargetGets(t *testing.T) {
	for _, row := range []struct {
		name   string
		change func(*exchange.Settings)
		send   string
		want   string
	}{
		{
			"a plain request", nil,
			"GET /a?b=c HTTP/1.1\r\nHost: example.com\r\nUser-Agent: x\r\nAccept: */*\r\n\r\n",
			"GET /a?b=c HTTP/1.1\r\nHost: example.com\r\nUser-Agent: x\r\nAccept: */*\r\n" + own,
		},
		{
			"empty lines before the request", nil,
			"\r\n\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n",
			"GET / HTTP/1.1\r\nHost: h\r\n" + own,
		},
		{
			"an absolute URI", nil,
			"GET http://Example.com/a?b HTTP/1.1\r\nHost: example.com\r\n\r\n",
			"GET /a?b HTTP/1.1\r\nHost: example.com\r\n" + own,
		},
		{
			"an absolute URI without a path", nil,
			"GET http://h?b HTTP/1.1\r\nHost: h\r\n\r\n",
			"GET /?b HTTP/1.1\r\nHost: h\r\n" + own,
		},
		{
			"OPTIONS of the server", nil,
			"OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n",
			"OPTIONS * HTTP/1.1\r\nHost: h\r\n" + own,
		},
		{
			"HTTP/1.0 with a Host", nil,
			"GET / HTTP/1.0\r\nHost: h\r\n\r\n",
			"GET / HTTP/1.1\r\nHost: h\r\n" + own,
		},
		{
			"a default port is cut from Host", nil,
			"GET / HTTP/1.1\r\nA: 1\r\nHost: h:80\r\nB: 2\r\n\r\n",
			"GET / HTTP/1.1\r\nA: 1\r\nB: 2\r\nHost: h\r\n" + own,
		},
		{
			"another listener port is added to Host",
			func(s *exchange.Settings) { s.Port = 8080 },
			"GET / HTTP/1.1\r\nHost: h\r\n\r\n",
			"GET / HTTP/1.1\r\nHost: h:8080\r\n" + strings.Replace(own, "Port: 80", "Port: 8080", 1),
		},
		{
			"another port in Host stays",
			func(s *exchange.Settings) { s.Port = 8080 },
			"GET / HTTP/1.1\r\nHost: [::1]:99\r\n\r\n",
			"GET / HTTP/1.1\r\nHost: [::1]:99\r\n" + strings.Replace(own, "Port: 80", "Port: 8080", 1),
		},
		{
			"Host is preserved",
			func(s *exchange.Settings) { s.PreserveHost = true },
			"GET / HTTP/1.1\r\nHost: h:80\r\n\r\n",
			"GET / HTTP/1.1\r\nHost: h:80\r\n" + own,
		},
		{
			"hop-by-hop fields stay here, but that trailers are welcome", nil,
			"GET / HTTP/1.1\r\nHost: h\r\nConnection: keep-alive, X-Hop\r\nKeep-Alive: 5\r\nProxy-Connection: x\r\n" +
				"TE: trailers\r\nX-Hop: 1\r\nX-Stay: 2\r\nUpgrade: h2c\r\n\r\n",
			"GET / HTTP/1.1\r\nHost: h\r\nX-Stay: 2\r\n" + ownAnd("Connection: TE\r\nTE: trailers\r\n"),
		},
		{
			"Connection cannot take Host or the balancer's fields away", nil,
			"GET / HTTP/1.1\r\nHost: h\r\nConnection: host, x-forwarded-for, x-amzn-trace-id\r\n\r\n",
			"GET / HTTP/1.1\r\nHost: h\r\n" + own,
		},
		{
			"several Connection fields", nil,
			"GET / HTTP/1.1\r\nHost: h\r\nConnection: a\r\nB: 1\r\nConnection: b\r\nA: 2\r\nC: 3\r\n\r\n",
			"GET / HTTP/1.1\r\nHost: h\r\nC: 3\r\n" + own,
		},
		{
			"forwarded fields of the client", nil,
			"GET / HTTP/1.1\r\nHost: h\r\nX-Forwarded-For: 1.1.1.1, 2.2.2.2\r\nX-Forwarded-For: 3.3.3.3\r\n" +
				"X-Forwarded-Proto: https\r\nX-Forwarded-Port: 1\r\n\r\n",
			"GET / HTTP/1.1\r\nHost: h\r\n" + strings.Replace(own, "For: ", "For: 1.1.1.1, 2.2.2.2, 3.3.3.3, ", 1),
		},
		{
			"X-Forwarded-For is preserved",
			func(s *exchange.Settings) { s.ForwardedFor = exchange.PreserveForwarded },
			"GET / HTTP/1.1\r\nHost: h\r\nX-Forwarded-For: 1.1.1.1\r\n\r\n",
			"GET / HTTP/1.1\r\nHost: h\r\nX-Forwarded-For: 1.1.1.1\r\n" + strings.TrimPrefix(own, "X-Forwarded-For: 127.0.0.1\r\n"),
		},
		{
			"X-Forwarded-For is removed",
			func(s *exchange.Settings) { s.ForwardedFor = exchange.RemoveForwarded },
			"GET / HTTP/1.1\r\nHost: h\r\nX-Forwarded-For: 1.1.1.1\r\n\r\n",
			"GET / HTTP/1.1\r\nHost: h\r\n" + strings.TrimPrefix(own, "X-Forwarded-For: 127.0.0.1\r\n"),
		},
		{
			"a trace with a root gets a self in front", nil,
			"GET / HTTP/1.1\r\nHost: h\r\nX-Amzn-Trace-Id: Root=1-67891233-abcdef012345678912345678;CalledFrom=app\r\n\r\n",
			"GET / HTTP/1.1\r\nHost: h\r\n" + strings.Replace(own, "Root=", "Self=1-TIME-ID;Root=", 1)[:len(own)+len("Self=1-TIME-ID;")-4] + ";CalledFrom=app\r\n\r\n",
		},
		{
			"a trace's self is replaced", nil,
			"GET / HTTP/1.1\r\nHost: h\r\nX-Amzn-Trace-Id: Self=old;Root=r\r\n\r\n",
			"GET / HTTP/1.1\r\nHost: h\r\n" + strings.Replace(own, "Root=1-TIME-ID", "Self=1-TIME-ID;Root=r", 1),
		},
		{
			"names with other letters are dropped when asked",
			func(s *exchange.Settings) { s.DropInvalid = true },
			"GET / HTTP/1.1\r\nHost: h\r\nX_Under: 1\r\nX-Good: 2\r\n\r\n",
			"GET / HTTP/1.1\r\nHost: h\r\nX-Good: 2\r\n" + own,
		},
		{
			"a body of known length", nil,
			"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello",
			"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n" + own + "hello",
		},
		{
			"the same length twice", nil,
			"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5, 5\r\nContent-Length: 5\r\n\r\nhello",
			"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n" + own + "hello",
		},
		{
			"chunks with an extension and trailers", nil,
			"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: Chunked\r\nTrailer: X-Sum\r\n\r\n5;a=b\r\nhello\r\n0\r\nX-Sum: 1\r\n\r\n",
			"POST / HTTP/1.1\r\nHost: h\r\nTrailer: X-Sum\r\n" + ownAnd("Transfer-Encoding: chunked\r\n") + "5;a=b\r\nhello\r\n0\r\nX-Sum: 1\r\n\r\n",
		},
		{
			"chunks and a length: the length goes", nil,
			"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
			"POST / HTTP/1.1\r\nHost: h\r\n" + ownAnd("Transfer-Encoding: chunked\r\n") + "5\r\nhello\r\n0\r\n\r\n",
		},
		{
			"identity encoding means nothing", nil,
			"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nTransfer-Encoding: identity\r\n\r\nhello",
			"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n" + own + "hello",
		},
	} {
		t.Run(row.name, func(t *testing.T) {
			b := newBackend(t, says(okAnswer))
			w := start(t, row.change, b.addr)
			c := w.send(t, row.send)
			expect(t, c, "HTTP/1.1 200 OK\r\n")
			got := b.requests()
			if len(got) != 1 {
				t.Fatalf("the target got %d requests, want 1: %q", len(got), got)
			}
			if diff := cmp.Diff(row.want, masked(got[0])); diff != "" {
				t.Errorf("the target got (-want +got):\n%s", diff)
			}
		})
	}
}

func TestTargetGetsHostOfListenerWithoutOne(t *testing.T) {
	b := newBackend(t, says(okAnswer))
	w := start(t, nil, b.addr)
	c := w.send(t, "GET / HTTP/1.0\r\n\r\n")
	rest(t, c)
	want := "GET / HTTP/1.1\r\nHost: " + w.addr + "\r\n" + own
	if diff := cmp.Diff(want, masked(b.requests()[0])); diff != "" {
		t.Errorf("the target got (-want +got):\n%s", diff)
	}
}
