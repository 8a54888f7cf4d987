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

// TestNobodyWaitsForAnother: a client that says half of what it wants, one that
// asks for what takes long, and one that does not read hold up themselves alone.
func TestNobodyWaitsForAnother(t *testing.T) {
	h := newHouse()
	h.issuing = make(chan struct{})
	h.def.Containers[0].DockerLabels = map[string]string{"long": strings.Repeat("x", 4<<20)}
	ask := serve(t, h)
	for _, bytes := range []string{
		"GET /v4/",
		"GET /v2/credentials/" + h.record.CredentialsID() + " HTTP/1.1\r\n\r\n",
		"PUT /api/" + first + "/task-protection/v1/state HTTP/1.1\r\nContent-Length: 3\r\n\r\n{",
		"GET /v4/" + first + " HTTP/1.1\r\n\r\n",
	} {
		conn, err := net.Dial("tcp", h.address)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = conn.Close() })
		if _, err := io.WriteString(conn, bytes); err != nil {
			t.Fatal(err)
		}
		if status, _ := ask("/x"); status != http.StatusNotFound {
			t.Errorf("beside %q: %d", bytes, status)
		}
	}
	close(h.issuing)
	if status, _ := ask("/v2/credentials/" + h.record.CredentialsID()); status != http.StatusOK {
		t.Errorf("credentials after the wait: %d", status)
	}
}

// TestFirstRequest: whether a request is answered as its connection is accepted,
// or later, its answer is the same.
func TestFirstRequest(t *testing.T) {
	h := newHouse()
	h.issued = true
	serve(t, h)
	for _, path := range []string{"/v4/" + first, "/v4/" + first + "/task", "/v2/credentials/" + h.record.CredentialsID(), "/v2/credentials/none", "/x"} {
		request := "GET " + path + " HTTP/1.1\r\nConnection: close\r\n\r\n"
		whole := h.say(t, request)
		later := h.say(t, "GET /x HTTP/1.1\r\n\r\n"+request)
		if _, later, _ = strings.Cut(later, "page not found\""); !strings.HasPrefix(whole, "HTTP/1.1 ") || later != whole {
			t.Errorf("%s: at first %q, later %q", path, whole, later)
		}
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
