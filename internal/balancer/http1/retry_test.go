package http1

import (
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"neargate/internal/balancer/exchange"
	"neargate/internal/decide/routing"
)

// deadAddr is an address where nothing listens.
func deadAddr(t *testing.T) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	return ln.Addr().String()
}

// failures are the outcomes without their times and sizes.
func failures(o []exchange.Outcome) []exchange.Outcome {
	for i := range o {
		o[i] = exchange.Outcome{Failure: o[i].Failure, Status: o[i].Status, Retry: o[i].Retry}
	}
	return o
}

func TestRefusedTargetIsPassedOver(t *testing.T) {
	b := newBackend(t, says(okAnswer))
	for _, row := range []struct{ name, send string }{
		{"GET", last11},
		{"POST", "POST / HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: 2\r\n\r\nhi"},
	} {
		t.Run(row.name, func(t *testing.T) {
			w := start(t, nil, deadAddr(t), deadAddr(t), b.addr)
			if got := rest(t, w.send(t, row.send)); got != lastAnswer {
				t.Errorf("got %q, want %q", got, lastAnswer)
			}
			s, o := w.finished(t, 1)
			want := []exchange.Outcome{
				{Failure: exchange.ConnectRefused, Retry: true},
				{Failure: exchange.ConnectRefused, Retry: true},
				{Status: 200},
			}
			if diff := cmp.Diff(want, failures(o)); diff != "" {
				t.Errorf("outcomes (-want +got):\n%s", diff)
			}
			if s[0].Tries != 3 || s[0].Status != 200 {
				t.Errorf("got %+v, want 200 at the third try", s[0])
			}
		})
	}
}

func TestAllTargetsRefuse(t *testing.T) {
	w := start(t, nil, deadAddr(t))
	got := rest(t, w.send(t, last11))
	if !strings.HasPrefix(got, "HTTP/1.1 502 ") {
		t.Errorf("got %q, want 502", got)
	}
	_, o := w.finished(t, 1)
	if len(o) != 3 || o[2].Retry {
		t.Errorf("got %+v, want three tries", o)
	}
}

// TestBrokenTarget: what a target that breaks at each stage does to a request.
func TestBrokenTarget(t *testing.T) {
	postHi := "POST / HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: 2\r\n\r\nhi"
	for _, row := range []struct {
		name, send string
		says       string // before it closes
		want       string // prefix of what the client gets; the other target says okAnswer
		outcomes   []exchange.Outcome
	}{
		{"no byte, GET", last11, "", lastAnswer, []exchange.Outcome{{Failure: exchange.Broken, Retry: true}, {Status: 200}}},
		{"no byte, POST", postHi, "", "HTTP/1.1 502 ", []exchange.Outcome{{Failure: exchange.Broken}}},
		{"half a head", last11, "HTTP/1.1 200 OK\r\nConte", lastAnswer, []exchange.Outcome{{Failure: exchange.Broken, Retry: true}, {Status: 200}}},
		{
			"half a body", last11, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhe",
			"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhe",
			[]exchange.Outcome{{Failure: exchange.Truncated, Status: 200}},
		},
		{
			"half a chunk", last11, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhe",
			"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n5\r\nhe",
			[]exchange.Outcome{{Failure: exchange.Truncated, Status: 200}},
		},
		{
			"no last chunk", last11, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n",
			"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n2\r\nhe\r\n",
			[]exchange.Outcome{{Failure: exchange.Truncated, Status: 200}},
		},
	} {
		t.Run(row.name, func(t *testing.T) {
			bad := newBackend(t, once(row.says))
			good := newBackend(t, says(okAnswer))
			w := start(t, nil, bad.addr, good.addr)
			got := rest(t, w.send(t, row.send))
			if row.want != lastAnswer {
				got = undated(got)
			}
			if !strings.HasPrefix(got, row.want) || !strings.HasPrefix(row.want, "HTTP/1.1 502") && got != row.want {
				t.Errorf("got %q, want %q", got, row.want)
			}
			_, o := w.finished(t, 1)
			if diff := cmp.Diff(row.outcomes, failures(o), cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("outcomes (-want +got):\n%s", diff)
			}
		})
	}
}

func TestStaleConnectionIsReplaced(t *testing.T) {
	var n atomic.Int32
	// Each connection takes one request in silence about its end, then goes.
	b := newBackend(t, func(c net.Conn, r *http.Request, _ string) bool {
		n.Add(1)
		return says(okAnswer)(c, r, "") && false
	})
	w := start(t, nil, b.addr)
	const requests = 20
	for i := range requests {
		method := []string{"GET", "POST"}[i%2]
		if method == "POST" {
			// Only an end that has come can be known; GET is sent again.
			until(t, "the target closed", func() bool {
				kept := w.keeps(w.targets[0].t)
				kept.mu.Lock()
				defer kept.mu.Unlock()
				return len(kept.idle) == 0 || kept.idle[0].peek() == peekEnd
			})
		}
		c := w.send(t, method+" / HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
		if got := rest(t, c); got != lastAnswer {
			t.Fatalf("request %d: got %q, want %q", i, got, lastAnswer)
		}
	}
	_, o := w.finished(t, requests)
	if len(o) != requests || n.Load() != requests {
		t.Errorf("got %d outcomes and %d requests at the target, want %d", len(o), n.Load(), requests)
	}
}

func TestConnectionsAreKept(t *testing.T) {
	b := newBackend(t, says(okAnswer))
	w := start(t, nil, b.addr)
	for range 5 {
		expect(t, w.send(t, get11), okAnswer)
	}
	_, o := w.finished(t, 5)
	if b.conns() != 1 || !o[4].Reused || o[0].Reused {
		t.Errorf("the target took %d connections, want 1", b.conns())
	}
	w.targets[0].t.CloseIdle()
	expect(t, w.send(t, get11), okAnswer)
	if b.conns() != 2 {
		t.Errorf("after CloseIdle the target took %d connections, want 2", b.conns())
	}
	w.targets[0].t.Close()
	for range 2 {
		expect(t, w.send(t, get11), okAnswer)
	}
	if b.conns() != 4 {
		t.Errorf("after Close the target took %d connections, want 4", b.conns())
	}
}

// TestBytesBeyondAnAnswerReachNoOne: they must not become the next answer.
func TestBytesBeyondAnAnswerReachNoOne(t *testing.T) {
	evil := "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil"
	for _, row := range []struct {
		name string
		says func(net.Conn, *http.Request, string) bool
	}{
		{"at once", says(okAnswer + evil)},
		{"later", func(c net.Conn, r *http.Request, raw string) bool {
			return says(okAnswer)(c, r, raw) && says(evil)(c, r, raw)
		}},
	} {
		t.Run(row.name, func(t *testing.T) {
			b := newBackend(t, row.says)
			w := start(t, nil)
			kept := w.keeps(w.add(b.addr))
			for range 3 {
				expect(t, w.send(t, get11), okAnswer)
				until(t, "the bytes came", func() bool {
					kept.mu.Lock()
					defer kept.mu.Unlock()
					return len(kept.busy) == 0 && (len(kept.idle) == 0 || kept.idle[0].peek() == peekBytes)
				})
			}
			if n := b.conns(); n != 3 {
				t.Errorf("the target took %d connections, want 3", n)
			}
		})
	}
}

func TestTargetSaysHowLongItKeeps(t *testing.T) {
	b := newBackend(t, says("HTTP/1.1 200 OK\r\nConnection: keep-alive\r\nKeep-Alive: timeout=5, max=9\r\nContent-Length: 0\r\n\r\n"))
	w := start(t, nil, b.addr)
	rest(t, w.send(t, last11))
	w.finished(t, 1)
	kept := w.keeps(w.targets[0].t)
	idle := kept.idle[0]
	now := idle.expires.Add(-4 * 1e9)
	if kept.Prune(now); len(kept.idle) != 1 {
		t.Fatal("the connection was not kept for 4 s")
	}
	if kept.Prune(idle.expires); len(kept.idle) != 0 {
		t.Error("the connection was kept until its target closes it")
	}
}

func TestCutBreaksRequestsInFlight(t *testing.T) {
	hold := make(chan struct{})
	got := make(chan struct{}, 1)
	b := newBackend(t, func(net.Conn, *http.Request, string) bool { got <- struct{}{}; <-hold; return false })
	t.Cleanup(func() { close(hold) })
	good := newBackend(t, says(okAnswer))
	w := start(t, nil, b.addr, good.addr)
	c := w.send(t, last11)
	<-got
	w.targets[0].t.Cut()
	if got := rest(t, c); !strings.HasPrefix(got, "HTTP/1.1 502 ") {
		t.Errorf("got %q, want 502", got)
	}
	_, o := w.finished(t, 1)
	if diff := cmp.Diff([]exchange.Outcome{{Failure: exchange.Broken}}, failures(o)); diff != "" {
		t.Errorf("outcomes (-want +got):\n%s", diff)
	}
}

func TestNoTargets(t *testing.T) {
	w := start(t, nil)
	got := rest(t, w.send(t, "POST / HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: 2\r\n\r\nhi"))
	if !strings.HasPrefix(got, "HTTP/1.1 503 Service Temporarily Unavailable\r\n") {
		t.Errorf("got %q, want 503", got)
	}
}

func TestAnswerHeaderIsAdded(t *testing.T) {
	b := newBackend(t, says(okAnswer))
	w := start(t, nil, b.addr)
	w.claim = func(r *exchange.Request) (exchange.Lease, error) {
		r.SetAnswerHeader("Set-Cookie", "AWSALB=x")
		return w.targets[0], nil
	}
	want := "HTTP/1.1 200 OK\r\n" + date + "Content-Length: 2\r\nSet-Cookie: AWSALB=x\r\n\r\nok"
	expect(t, w.send(t, get11+get11), want+want)
}

// TestInterimAnswersOfOneTargetOnly: a client that had the hints of a target that
// then broke is not given those of the next.
func TestInterimAnswersOfOneTargetOnly(t *testing.T) {
	const hint = "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"
	bad := newBackend(t, once(hint+hint))
	good := newBackend(t, says(hint+okAnswer))
	w := start(t, nil, bad.addr, good.addr)
	if got, want := rest(t, w.send(t, last11)), hint+hint+lastAnswer; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestPanicEndsTheConnectionOnly(t *testing.T) {
	b := newBackend(t, says(okAnswer))
	w := start(t, nil, b.addr)
	w.claim = func(*exchange.Request) (exchange.Lease, error) { panic("test") }
	if got := rest(t, w.send(t, get11)); got != "" {
		t.Errorf("got %q, want nothing", got)
	}
	w.mu.Lock()
	w.claim = nil
	w.mu.Unlock()
	expect(t, w.send(t, get11), okAnswer)
}

func TestUploadLargerThanMemory(t *testing.T) {
	const size = 3 << 20
	b := newBackend(t, func(c net.Conn, r *http.Request, raw string) bool { return says(okAnswer)(c, r, raw) })
	w := start(t, nil, b.addr)
	block := strings.Repeat("x", 64<<10)
	for _, row := range []struct{ name, head, end string }{
		{"by length", "Content-Length: 3145728\r\n\r\n", ""},
		{"in chunks", "Transfer-Encoding: chunked\r\n\r\n300000\r\n", "\r\n0\r\n\r\n"},
	} {
		t.Run(row.name, func(t *testing.T) {
			c := w.send(t, "PUT / HTTP/1.1\r\nHost: h\r\n"+row.head)
			for range size / len(block) {
				write(t, c, block)
			}
			write(t, c, row.end+last11)
			if got := rest(t, c); got != okAnswer+lastAnswer {
				t.Errorf("got %q", got)
			}
			got := b.requests()
			if n := strings.Count(got[len(got)-2], "x"); n != size {
				t.Errorf("the target got %d bytes, want %d", n, size)
			}
		})
	}
}

func TestExpectIsAnsweredAtOnce(t *testing.T) {
	b := newBackend(t, says(okAnswer))
	w := start(t, nil, b.addr)
	c := w.send(t, "POST / HTTP/1.1\r\nHost: h\r\nConnection: close\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n")
	expect(t, c, "HTTP/1.1 100 Continue\r\n\r\n")
	write(t, c, "hi")
	if got := rest(t, c); got != lastAnswer {
		t.Errorf("got %q, want %q", got, lastAnswer)
	}
	if got := b.requests()[0]; strings.Contains(got, "Expect") || !strings.HasSuffix(got, "hi") {
		t.Errorf("the target got %q, want the body and no Expect", got)
	}
}

// TestEarlyAnswerToUpload: the target answers and closes without the body.
func TestEarlyAnswerToUpload(t *testing.T) {
	b := newBackend(t, once("HTTP/1.1 413 Content Too Large\r\nContent-Length: 0\r\n\r\n"))
	w := start(t, nil, b.addr)
	c := w.send(t, "POST / HTTP/1.1\r\nHost: h\r\nX-Body: leave\r\nContent-Length: 1000000\r\n\r\nsome")
	got := make([]byte, 12)
	if _, err := io.ReadFull(c, got); err != nil || string(got) != "HTTP/1.1 413" {
		t.Errorf("got %q (%v), want 413", got, err)
	}
	_, o := w.finished(t, 1)
	if o[0].Status != 413 {
		t.Errorf("got %+v, want the target's 413", o[0])
	}
}

func TestClientBreaksUploadOff(t *testing.T) {
	for _, row := range []struct {
		name, send, want string
		failure          exchange.Failure
	}{
		{"of known length", post("Content-Length: 1000000", "some"), "400", exchange.ClientGone},
		{"in chunks", post("Transfer-Encoding: chunked", "5\r\nhe"), "400", exchange.ClientGone},
		{"with a bad chunk", post("Transfer-Encoding: chunked", "2\r\nhi\r\n") + "x\r\n", "400", exchange.BadBody},
	} {
		t.Run(row.name, func(t *testing.T) {
			b := newBackend(t, says(okAnswer))
			w := start(t, nil, b.addr)
			raw := row.send
			late := ""
			if row.failure == exchange.BadBody {
				raw, late = raw[:len(raw)-3], raw[len(raw)-3:]
			}
			c := w.send(t, raw)
			until(t, "a target was asked", func() bool { return b.conns() == 1 })
			write(t, c, late)
			if err := c.(*net.TCPConn).CloseWrite(); err != nil {
				t.Fatal(err)
			}
			if got := rest(t, c); !strings.HasPrefix(got, "HTTP/1.1 "+row.want) {
				t.Errorf("got %q, want %s", got, row.want)
			}
			_, o := w.finished(t, 1)
			if o[0].Failure != row.failure {
				t.Errorf("got %v, want %v", o[0].Failure, row.failure)
			}
		})
	}
}

// A target that ends a kept connection as the next request comes: an ALB would have
// sent that one into the void.
func TestEndThatCrossesARequestIsSpared(t *testing.T) {
	b := newBackend(t, func(c net.Conn, r *http.Request, _ string) bool {
		return says(okAnswer)(c, r, "") && false
	})
	for _, strict := range []bool{false, true} {
		w := start(t, func(s *exchange.Settings) { s.Strict = strict }, b.addr)
		seen := func(s exchange.Summary) bool {
			return !strict && s.Spared == routing.StaleConnection && s.Status == 200 || strict && s.Status == 502
		}
		for i := 1; ; i++ {
			rest(t, w.send(t, "POST / HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"))
			sums, _ := w.finished(t, i)
			if seen(sums[i-1]) {
				break
			}
			if i == 500 {
				t.Fatalf("strict %v: of %d requests none crossed the end of a connection", strict, i)
			}
			until(t, "the target closed", func() bool {
				kept := w.keeps(w.targets[0].t)
				kept.mu.Lock()
				defer kept.mu.Unlock()
				return len(kept.idle) == 0 || kept.idle[0].peek() == peekEnd
			})
		}
	}
}
