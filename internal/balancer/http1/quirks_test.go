package http1

import (
	"strings"
	"testing"

	"neargate/internal/balancer/exchange"
)

// TestQuirksPassAsOnAWS: what AWS lets pass by default goes to the target in a form
// that every reader takes alike; what is ambiguous ends both connections, and
// strictest refuses all of it.
func TestQuirksPassAsOnAWS(t *testing.T) {
	for _, row := range []struct {
		name, send string
		class      exchange.Desync
		reason     string
		has, lacks string // of what the target gets
	}{
		{"a blank in the URI", "GET /a b?c d HTTP/1.1\r\nHost: h\r\n\r\n", exchange.Acceptable, "SpaceInUri", "GET /a%20b?c%20d HTTP/1.1\r\n", "/a b"},
		{"a blank behind the URI", "GET /a  HTTP/1.1\r\nHost: h\r\n\r\n", exchange.Acceptable, "SpaceInUri", "GET /a%20 HTTP/1.1\r\n", "/a "},
		{"a control character in the URI", "GET /a\x01\tb HTTP/1.1\r\nHost: h\r\n\r\n", exchange.Ambiguous, "AmbiguousUri", "GET /a%01%09b HTTP/1.1\r\n", "\x01"},
		{"HTTP/1.2", "GET / HTTP/1.2\r\nHost: h\r\n\r\n", exchange.Acceptable, "NonCompliantVersion", "GET / HTTP/1.1\r\n", "1.2\r\n"},
		{"no name", "GET / HTTP/1.1\r\nHost: h\r\n: b\r\n\r\n", exchange.Ambiguous, "EmptyHeader", "", ": b\r\n"},
		{"control characters in a value", "GET / HTTP/1.1\r\nHost: h\r\nA: \x0bb\x01c\x7f\r\n\r\n", exchange.Acceptable, "NonCompliantHeader", "A: b c\r\n", "\x01"},
		{"an odd name", "GET / HTTP/1.1\r\nHost: h\r\nX(a): 2\r\n\r\n", exchange.Acceptable, "NonCompliantHeader", "", "X(a)"},
		{"almost an encoding", "GET / HTTP/1.1\r\nHost: h\r\nTransfer_Encoding: chunked\r\n\r\n", exchange.Ambiguous, "SuspiciousHeader", "", "\x00"},
		{"almost a length", "GET / HTTP/1.1\r\nHost: h\r\nContent.Length: 5\r\n\r\n", exchange.Ambiguous, "SuspiciousHeader", "", "\x00"},
		{"an encoding in brackets", "GET / HTTP/1.1\r\nHost: h\r\n[Transfer-Encoding]: chunked\r\n\r\n", exchange.Ambiguous, "SuspiciousHeader", "", "[Tr"},
	} {
		for _, mode := range []exchange.DesyncMode{exchange.Defensive, exchange.Monitor} {
			t.Run(row.name+[]string{"", ", monitored"}[mode], func(t *testing.T) {
				b := newBackend(t, says(okAnswer))
				w := start(t, func(s *exchange.Settings) { s.Desync = mode }, b.addr)
				got := rest(t, w.send(t, row.send+last11))
				want := okAnswer + lastAnswer
				if row.class == exchange.Ambiguous && mode == exchange.Defensive {
					want = lastAnswer
				}
				if got != want {
					t.Errorf("got %q, want %q", got, want)
				}
				first := b.requests()[0]
				if !strings.Contains(first, row.has) || strings.Contains(first, row.lacks) {
					t.Errorf("the target got %q, want %q and no %q", first, row.has, row.lacks)
				}
				s, _ := w.finished(t, 1)
				if s[0].Class != row.class || s[0].ClassReason != row.reason {
					t.Errorf("got class %d %q, want %d %q", s[0].Class, s[0].ClassReason, row.class, row.reason)
				}
				if row.class == exchange.Ambiguous {
					rest(t, w.send(t, last11))
					if b.conns() < 2 {
						t.Error("the target's connection was used again")
					}
				}
			})
		}
		t.Run(row.name+", strictest", func(t *testing.T) {
			b := newBackend(t, says(okAnswer))
			w := start(t, func(s *exchange.Settings) { s.Desync = exchange.Strictest }, b.addr)
			got := rest(t, w.send(t, row.send))
			if !strings.HasPrefix(got, "HTTP/1.1 400 ") || len(b.requests()) != 0 {
				t.Errorf("got %q and the target %q, want a 400 and nothing", got, b.requests())
			}
		})
	}
}

// TestControlCharactersSteerNothing: a field that frames or routes is refused with
// them.
func TestControlCharactersSteerNothing(t *testing.T) {
	b := newBackend(t, says(okAnswer))
	w := start(t, nil, b.addr)
	for _, field := range []string{"Connection: clo\x0bse", "Transfer-Encoding: chunked\x01", "Content-Length: \x0b5", "Expect: 100-continue\x01", "A: \x00"} {
		if got := rest(t, w.send(t, post(field, "hello"))); !strings.HasPrefix(got, "HTTP/1.1 400 ") {
			t.Errorf("%q: got %q, want a 400", field, got)
		}
	}
	if len(b.requests()) != 0 {
		t.Errorf("the target got %q", b.requests())
	}
}

// TestOddNamesAreDroppedWhenAsked, instead of being refused.
func TestOddNamesAreDroppedWhenAsked(t *testing.T) {
	b := newBackend(t, says(okAnswer))
	w := start(t, func(s *exchange.Settings) { s.DropInvalid = true }, b.addr)
	if got := rest(t, w.send(t, "GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\nX(a): 2\r\nX_b: 3\r\n\r\n")); got != lastAnswer {
		t.Errorf("got %q", got)
	}
	if got := b.requests()[0]; strings.Contains(got, "X(a)") || strings.Contains(got, "X_b") {
		t.Errorf("the target got %q", got)
	}
	if s, _ := w.finished(t, 1); s[0].DroppedBad != 2 {
		t.Errorf("%d fields count as dropped, want 2", s[0].DroppedBad)
	}
}

// TestBlanksBehindAChunkSizePass both ways, and zeros in front of one from targets.
func TestBlanksBehindAChunkSizePass(t *testing.T) {
	const chunks = "5 \r\nhello\r\n2\t\r\nhi\r\n0  \r\n\r\n"
	const answer = "HTTP/1.1 200 OK\r\n" + date + "Transfer-Encoding: chunked\r\n\r\n00000000000000000002 ; ext\r\nab\r\n" + chunks
	b := newBackend(t, says(answer))
	w := start(t, nil, b.addr)
	c := w.send(t, post("Transfer-Encoding: chunked", chunks))
	expect(t, c, answer)
	if got := b.requests()[0]; !strings.HasSuffix(got, "\r\n\r\n"+chunks) {
		t.Errorf("the target got %q", got)
	}
}

// TestKindToTargets: answers that do not comply, which every client takes when they
// are written anew.
func TestKindToTargets(t *testing.T) {
	const want = "HTTP/1.1 200 OK\r\n" + date + "Content-Length: 2\r\nConnection: close\r\n\r\nok"
	for _, row := range []struct{ name, says, want string }{
		{"bare line feeds", "HTTP/1.1 200 OK\n" + strings.ReplaceAll(date, "\r", "") + "Content-Length: 2\n\nok", want},
		{"some bare line feeds", "HTTP/1.1 200 OK\r\n" + date + "Content-Length: 2\n\r\nok", want},
		{"an empty line in front", "\r\n\nHTTP/1.1 200 OK\r\n" + date + "Content-Length: 2\r\n\r\nok", want},
		{"HTTP/1.2", "HTTP/1.2 200 OK\r\n" + date + "Content-Length: 2\r\n\r\nok", want},
		{"HTTP/2.0", "HTTP/2.0 200 OK\r\n" + date + "Content-Length: 2\r\n\r\nok", want},
		{"a status of 999", "HTTP/1.1 999 OK\r\n" + date + "Content-Length: 2\r\n\r\nok", strings.Replace(want, "200", "999", 1)},
		{
			"a control character in a value", "HTTP/1.1 200 OK\r\n" + date + "A: b\x01c\r\nContent-Length: 2\r\n\r\nok",
			strings.Replace(want, "Content", "A: b c\r\nContent", 1),
		},
		{
			"two Connection fields", "HTTP/1.1 200 OK\r\n" + date + "Connection: X-Hop\r\nX-Hop: 1\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nok",
			want,
		},
		{
			"framing in trailers", "HTTP/1.1 200 OK\r\n" + date + "Transfer-Encoding: chunked\r\n\r\n0\r\nContent-Length: 5\r\n\r\n",
			"HTTP/1.1 200 OK\r\n" + date + "Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n0\r\nContent-Length: 5\r\n\r\n",
		},
	} {
		t.Run(row.name, func(t *testing.T) {
			b := newBackend(t, says(row.says))
			w := start(t, nil, b.addr)
			if got := rest(t, w.send(t, last11)); got != row.want {
				t.Errorf("got %q, want %q", got, row.want)
			}
			if got := rest(t, w.send(t, last11)); got != row.want {
				t.Errorf("got %q the second time, want %q", got, row.want)
			}
		})
	}
}
