package http1

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"neargate/internal/balancer/exchange"
)

const (
	early    = "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"
	progress = "HTTP/1.1 102 Processing\r\n\r\n"
)

// floods answers with the same again and again, until the connection is cut.
func floods(part string, cut chan<- error) func(net.Conn, *http.Request, string) bool {
	block := strings.Repeat(part, 1000)
	return func(c net.Conn, _ *http.Request, _ string) bool {
		for {
			if _, err := io.WriteString(c, block); err != nil {
				cut <- err
				return false
			}
		}
	}
}

// TestTargetThatFloodsIsCut: what comes before an answer's own head has an end.
func TestTargetThatFloodsIsCut(t *testing.T) {
	for _, row := range []struct{ name, part, passed string }{
		{"100", question, ""},
		{"102", progress, strings.Repeat(progress, exchange.MaxInterim)},
		{"103", early, strings.Repeat(early, exchange.MaxInterim)},
		{"empty lines", "\r\n", ""},
		{"empty lines without CR", "\n", ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			cut := make(chan error, 1)
			b := newBackend(t, floods(row.part, cut))
			w := start(t, nil, b.addr)
			got := rest(t, w.send(t, last11))
			if answer, ok := strings.CutPrefix(got, row.passed); !ok || !strings.HasPrefix(answer, "HTTP/1.1 502 ") {
				t.Errorf("got %q, want %q and a 502", got, row.passed)
			}
			if _, o := w.finished(t, 1); o[0].Failure != exchange.BadAnswer {
				t.Errorf("got %v, want a bad answer", o[0].Failure)
			}
			<-cut //nolint:errcheck // it is cut somehow
		})
	}
}

// TestAsManyInterimHeadsAsAllowed pass.
func TestAsManyInterimHeadsAsAllowed(t *testing.T) {
	hints := strings.Repeat(early, exchange.MaxInterim)
	b := newBackend(t, says(hints+strings.Repeat("\r\n", maxEmptyLines)+okAnswer))
	w := start(t, nil, b.addr)
	if got := rest(t, w.send(t, last11)); got != hints+lastAnswer {
		t.Errorf("got %q", got)
	}
}

// TestClientThatFloodsEmptyLinesIsRefused, too.
func TestClientThatFloodsEmptyLinesIsRefused(t *testing.T) {
	w := start(t, nil)
	got := rest(t, w.send(t, strings.Repeat("\r\n", maxEmptyLines+1)))
	if !strings.HasPrefix(got, "HTTP/1.1 400 ") {
		t.Errorf("got %q, want a 400", got)
	}
}

// TestClientThatLeavesAsAHeadTricklesIsSeen: a target that sends all the time is no
// reason to forget the client.
func TestClientThatLeavesAsAHeadTricklesIsSeen(t *testing.T) {
	begun := make(chan struct{})
	b := newBackend(t, func(c net.Conn, _ *http.Request, _ string) bool {
		tick := time.NewTicker(100 * time.Millisecond)
		defer tick.Stop()
		_, err := io.WriteString(c, "HTTP/1.1 200 OK\r\nA: ")
		for close(begun); err == nil; <-tick.C {
			_, err = io.WriteString(c, "a")
		}
		return false
	})
	w := start(t, func(s *exchange.Settings) { s.IdleTimeout = time.Hour }, b.addr)
	c := w.send(t, get11)
	<-begun
	if err := c.(*net.TCPConn).SetLinger(0); err != nil {
		t.Fatal(err)
	}
	c.Close()
	if _, o := w.finished(t, 1); o[0].Failure != exchange.ClientGone {
		t.Errorf("got %v, want client gone", o[0].Failure)
	}
}

// TestWaitForAHeadIsNotBegunAnew by what is none: only heads that say something do that.
func TestWaitForAHeadIsNotBegunAnew(t *testing.T) {
	for _, row := range []struct {
		name, begin, part string
		pause             time.Duration
		parts             int // before okAnswer
		status            int
	}{
		{"parts of a head", "HTTP/1.1 200 OK\r\nA: ", "a", 500 * time.Millisecond, 1000, 504},
		{"100s", "", question, 10 * time.Second, 20, 504},
		{"102s", "", progress, 50 * time.Second, 20, 200},
	} {
		t.Run(row.name, func(t *testing.T) {
			target := func(c net.Conn) {
				defer c.Close()
				if _, err := http.ReadRequest(bufio.NewReader(c)); err != nil {
					return
				}
				_, _ = io.WriteString(c, row.begin)
				for range row.parts {
					time.Sleep(row.pause)
					if _, err := io.WriteString(c, row.part); err != nil {
						return
					}
				}
				_, _ = io.WriteString(c, okAnswer)
			}
			inBubble(t, target, func(c net.Conn, w *world) {
				began := time.Now()
				go func() { _, _ = io.WriteString(c, get11) }()
				in := bufio.NewReader(c)
				res, err := http.ReadResponse(in, nil)
				for err == nil && res.StatusCode < 200 {
					res, err = http.ReadResponse(in, nil)
				}
				if err != nil || res.StatusCode != row.status {
					w.t.Fatalf("got %v, %v, want a %d", res, err, row.status)
				}
				if took := time.Since(began); row.status == 504 && took > time.Minute+2*time.Second {
					w.t.Errorf("took %v, want a minute", took)
				}
				time.Sleep(row.pause) // the target sees that it is cut
			})
		})
	}
}
