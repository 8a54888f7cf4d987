package http1

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"neargate/internal/balancer/exchange"
)

// pipes is a listener whose connections are net.Pipe, for time that jumps.
type pipes struct {
	conns chan net.Conn
	done  chan struct{}
	once  sync.Once
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.done:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error { p.once.Do(func() { close(p.done) }); return nil }

func (p *pipes) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 80} }

func (p *pipes) dial() net.Conn {
	client, server := net.Pipe()
	p.conns <- server
	return client
}

// inBubble runs a test against a balancer whose client and target are pipes;
// handle plays the target on each new connection. The bubble's t is w.t.
func inBubble(t *testing.T, handle func(c net.Conn), test func(client net.Conn, w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		ln := &pipes{conns: make(chan net.Conn), done: make(chan struct{})}
		w := serve(t, ln, exchange.Config{Settings: settings(func(s *exchange.Settings) { s.IdleTimeout = time.Minute })}, exchange.PoolConfig{
			Dial: func(ctx context.Context, _ string) (net.Conn, error) {
				if handle == nil {
					<-ctx.Done()
					return nil, ctx.Err()
				}
				ours, theirs := net.Pipe()
				go handle(theirs)
				return ours, nil
			},
		})
		w.add("192.0.2.1:80")
		client := ln.dial()
		defer client.Close()
		test(client, w)
		w.endHard(errors.New("end"))
		synctest.Wait()
	})
}

// took runs f and returns how long it seemed.
func took(f func()) time.Duration {
	began := time.Now()
	f()
	return time.Since(began)
}

func TestTimeouts(t *testing.T) {
	readHead := func(c net.Conn) { _, _ = http.ReadRequest(newReader(c)) }
	for _, row := range []struct {
		name   string
		send   []string // with 30 s between
		target func(net.Conn)
		want   string
		after  time.Duration
	}{
		{"a silent client", nil, readHead, "", time.Minute},
		{"half a head", []string{"GET / HT"}, readHead, "HTTP/1.1 408 ", time.Minute},
		{"a head drop by drop", []string{"G", "E", "T", " ", "/"}, readHead, "HTTP/1.1 408 ", time.Minute},
		{"half a body", []string{"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\nhi"}, readHead, "HTTP/1.1 408 ", time.Minute},
		{"no connection", []string{last11}, nil, "HTTP/1.1 504 ", 10 * time.Second},
		{"no answer", []string{last11}, readHead, "HTTP/1.1 504 ", time.Minute},
		{"half an answer", []string{last11}, func(c net.Conn) {
			readHead(c)
			_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\n"+date+"Content-Length: 5\r\n\r\nhe")
		}, "HTTP/1.1 200 OK\r\n" + date + "Content-Length: 5\r\nConnection: close\r\n\r\nhe", time.Minute},
		{"an answer after 59 s", []string{last11}, func(c net.Conn) {
			readHead(c)
			time.Sleep(59 * time.Second)
			_, _ = io.WriteString(c, okAnswer)
		}, lastAnswer, 59 * time.Second},
		{"an answer that comes slowly", []string{last11}, func(c net.Conn) {
			readHead(c)
			_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\n"+date+"Content-Length: 2\r\n\r\n")
			for _, s := range []string{"o", "k"} {
				time.Sleep(50 * time.Second)
				_, _ = io.WriteString(c, s)
			}
		}, lastAnswer, 100 * time.Second},
	} {
		t.Run(row.name, func(t *testing.T) {
			inBubble(t, row.target, func(client net.Conn, w *world) {
				t := w.t
				var got []byte
				var sender sync.WaitGroup
				spent := took(func() {
					sender.Go(func() {
						for i, s := range row.send {
							if i > 0 {
								time.Sleep(30 * time.Second)
							}
							if _, err := io.WriteString(client, s); err != nil {
								return
							}
						}
					})
					got, _ = io.ReadAll(client)
				})
				sender.Wait()
				if !strings.HasPrefix(string(got), row.want) || row.want == "" && len(got) > 0 {
					t.Errorf("got %q, want %q", got, row.want)
				}
				if spent < row.after || spent > row.after+5*time.Second {
					t.Errorf("it took %v, want %v", spent, row.after)
				}
			})
		})
	}
}

func TestIdleConnectionStaysForIdleTimeout(t *testing.T) {
	answering := func(c net.Conn) {
		in := newReader(c)
		for {
			if _, err := http.ReadRequest(in); err != nil {
				return
			}
			_, _ = io.WriteString(c, okAnswer)
		}
	}
	inBubble(t, answering, func(client net.Conn, w *world) {
		t := w.t
		for _, pause := range []int{0, 20, 59, 40, 59} { // seconds
			time.Sleep(time.Duration(pause) * time.Second)
			if _, err := io.WriteString(client, get11); err != nil {
				t.Fatalf("after %d s: %v", pause, err)
			}
			expect(t, client, okAnswer)
		}
		if spent := took(func() { rest(t, client) }); spent != time.Minute {
			t.Errorf("the idle connection lasted %v, want 1m", spent)
		}
	})
}

func TestClientKeepAliveEnds(t *testing.T) {
	answering := func(c net.Conn) {
		if _, err := http.ReadRequest(newReader(c)); err == nil {
			_, _ = io.WriteString(c, okAnswer)
		}
	}
	inBubble(t, answering, func(client net.Conn, w *world) {
		t := w.t
		synctest.Wait() // the connection waits under the old settings
		set := *w.proxy.Current()
		set.ClientKeepAlive = 30 * time.Second
		w.proxy.SetSettings(set)
		time.Sleep(31 * time.Second)
		if _, err := io.WriteString(client, get11); err != nil {
			t.Fatal(err)
		}
		if got := rest(t, client); got != lastAnswer {
			t.Errorf("got %q, want %q", got, lastAnswer)
		}
	})
}

func TestClientThatDoesNotReadIsCut(t *testing.T) {
	endless := func(c net.Conn) {
		_, _ = http.ReadRequest(newReader(c))
		_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
		for {
			if _, err := c.Write(make([]byte, 10000)); err != nil {
				return
			}
		}
	}
	inBubble(t, endless, func(client net.Conn, w *world) {
		t := w.t
		if _, err := io.WriteString(client, get11); err != nil {
			t.Fatal(err)
		}
		time.Sleep(61 * time.Second)
		synctest.Wait()
		w.mu.Lock()
		defer w.mu.Unlock()
		if len(w.outcomes) != 1 || w.outcomes[0].Failure != exchange.ClientGone {
			t.Errorf("got %+v, want client gone", w.outcomes)
		}
	})
}
