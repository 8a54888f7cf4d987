package metadata

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// say sends bytes over one connection and returns all that comes back.
func (h *house) say(t *testing.T, bytes string) string {
	t.Helper()
	conn, err := net.Dial("tcp", h.address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	go func() { _, _ = io.WriteString(conn, bytes) }() // the server may close before the end
	if err := conn.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	back, _ := io.ReadAll(conn) // what is not read may reset the connection
	return string(back)
}

func TestRequestsAsClientsSendThem(t *testing.T) {
	h := newHouse()
	serve(t, h)
	path := "/v4/" + first
	for _, row := range []struct {
		name, bytes string
		want        []string // the status of each answer
	}{
		{"closed", "GET " + path + " HTTP/1.1\r\nHost: 169.254.170.2\r\nConnection: close\r\n\r\n", []string{"200 OK"}},
		{"HTTP/1.0", "GET " + path + " HTTP/1.0\r\n\r\n", []string{"200 OK"}},
		{"by a proxy's form", "GET http://169.254.170.2" + path + "?x=y HTTP/1.0\r\n\r\n", []string{"200 OK"}},
		{"a slash at the end", "GET " + path + "/ HTTP/1.0\r\n\r\n", []string{"200 OK"}},
		{"several at once", "GET " + path + " HTTP/1.1\r\n\r\nGET /x HTTP/1.1\r\n\r\nGET " + path + "/task HTTP/1.0\r\n\r\n", []string{"200 OK", "404 Not Found", "200 OK"}},
		{"HEAD", "HEAD " + path + " HTTP/1.0\r\n\r\n", []string{"200 OK"}},
		{"another method", "DELETE " + path + " HTTP/1.0\r\n\r\n", []string{"405 Method Not Allowed"}},
		{"a body", "POST " + path + " HTTP/1.1\r\nContent-Length: 3\r\n\r\nGET", []string{"400 Bad Request"}},
		{"a body in chunks", "GET " + path + " HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", []string{"400 Bad Request"}},
		{"no HTTP", "\x16\x03\x01\x00\x05hello\r\n\r\n", []string{"400 Bad Request"}},
		{"a head without end", "GET " + path + " HTTP/1.1\r\nX: " + strings.Repeat("x", 2*maxHead), nil},
	} {
		t.Run(row.name, func(t *testing.T) {
			back := bufio.NewReader(strings.NewReader(h.say(t, row.bytes)))
			method, _, _ := strings.Cut(row.bytes, " ")
			for _, want := range row.want {
				resp, err := http.ReadResponse(back, &http.Request{Method: method})
				if err != nil || resp.Status != want {
					t.Fatalf("got %+v, %v, want %s", resp, err, want)
				}
				if _, err := io.Copy(io.Discard, resp.Body); err != nil {
					t.Fatal(err)
				}
			}
			if rest, _ := io.ReadAll(back); len(rest) > 0 {
				t.Errorf("%q is left", rest)
			}
		})
	}
}

func TestParseHeadTakesAnything(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		head := rapid.SliceOf(rapid.Byte()).Draw(rt, "head")
		if r, ok := parseHead(head); ok && r.method == "" && r.path == "" && len(head) == 0 {
			rt.Fatal("nothing is a request")
		}
	})
}

// TestPace: a task that asks without end is held to the rate; one that asks now
// and then does not wait, nor does any for another.
func TestPace(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		p := pace{due: map[netip.Addr]time.Time{}}
		greedy, modest := netip.MustParseAddr("10.0.0.2"), netip.MustParseAddr("10.0.0.3")
		now, answered := t0, 0
		for range rapid.IntRange(1, 5000).Draw(rt, "questions") {
			now = now.Add(time.Duration(rapid.IntRange(0, 300).Draw(rt, "pause")) * time.Microsecond)
			if wait := p.next(greedy, now); wait > 0 {
				now = now.Add(wait)
			}
			answered++
			if most := burst + 2 + int(now.Sub(t0)/spacing); answered > most {
				rt.Fatalf("%d answers within %s, want at most %d", answered, now.Sub(t0), most)
			}
		}
		if wait := p.next(modest, now); wait > 0 {
			rt.Fatalf("another waits %s", wait)
		}
		if wait := p.next(greedy, now.Add(burst*spacing+time.Second)); wait > 0 {
			rt.Fatalf("after a pause it waits %s", wait)
		}
	})
}

func TestEndOfServing(t *testing.T) {
	h := newHouse()
	ask := serve(t, h)
	idle, err := net.Dial("tcp", h.address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = idle.Close() })
	if _, err := fmt.Fprint(idle, "GET /v4/"); err != nil { // and no more: serving ends all the same
		t.Fatal(err)
	}
	if status, _ := ask("/v4/" + first); status != http.StatusOK {
		t.Errorf("beside a request that does not end: %d", status)
	}
}
