package scenario_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"neargate/internal/load"
	"neargate/internal/traffic"
)

// askOnce asks on a connection for this request alone.
func askOnce(ctx context.Context, address string) error {
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", address)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	_ = conn.SetDeadline(time.Now().Add(20 * time.Second))
	if _, err := io.WriteString(conn, "GET / HTTP/1.1\r\nHost: web\r\nConnection: close\r\n\r\n"); err != nil {
		return err
	}
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	return succeeded(resp, err)
}

func askHTTP2(ctx context.Context, c *http.Client, url string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	resp, err := c.Do(req)
	if err == nil && resp.ProtoMajor != 2 {
		err = fmt.Errorf("answered in %s", resp.Proto)
	}
	return succeeded(resp, err)
}

func succeeded(resp *http.Response, err error) error {
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		return errors.New(resp.Status)
	}
	return nil
}

// loads are clients that go on asking, and what became of it.
type loads struct {
	running sync.WaitGroup
	asked   atomic.Int64

	mu     sync.Mutex
	counts map[string]int
	failed []string
}

func (l *loads) note(who string, err error) {
	l.asked.Add(1)
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.counts == nil {
		l.counts = map[string]int{}
	}
	l.counts[who]++
	if err != nil {
		l.failed = append(l.failed, fmt.Sprintf("%s %s: %v", time.Now().Format("15:04:05.000"), who, err))
	}
}

// keep asks over 20 kept connections, at a rate a second.
func (l *loads) keep(ctx context.Context, t *testing.T, url string, rate int) {
	t.Helper()
	const users = 20
	tester := must[*load.Tester](t)(load.New(load.Config{
		URL: url, Pace: time.Second * users / time.Duration(rate), Users: traffic.Shape{{For: time.Hour, From: users, To: users}},
	}))
	l.running.Go(func() {
		_ = tester.Run(ctx, func(r load.Result) { // ends with ctx
			switch {
			case ctx.Err() != nil:
			case r.Err != nil:
				l.note("kept", r.Err)
			case r.Failed():
				l.note("kept", fmt.Errorf("status %d", r.Status))
			default:
				l.note("kept", nil)
			}
		})
	})
}

// thousand asks 1,000 times a second in all, until ctx ends: over kept connections,
// one connection a request, and HTTP/2 in TLS at the address secure.
func (l *loads) thousand(ctx context.Context, t *testing.T, address, secure string) {
	t.Helper()
	modern := &http.Client{Transport: &http.Transport{
		ForceAttemptHTTP2: true, TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, //nolint:gosec // who is served is tested elsewhere
	}}
	t.Cleanup(modern.CloseIdleConnections)
	l.keep(ctx, t, "http://"+address+"/", 500)
	l.each(ctx, "closing", 250, func() error { return askOnce(ctx, address) })
	l.each(ctx, "HTTP/2", 250, func() error { return askHTTP2(ctx, modern, "https://"+secure+"/") })
}

// each asks at a rate a second, one request after another for each of up to 10 users.
func (l *loads) each(ctx context.Context, who string, rate int, ask func() error) {
	users := max(1, rate/25)
	for range users {
		l.running.Go(func() {
			tick := time.NewTicker(time.Second * time.Duration(users) / time.Duration(rate))
			defer tick.Stop()
			for {
				select {
				case <-ctx.Done():
					return
				case <-tick.C:
				}
				if err := ask(); ctx.Err() == nil {
					l.note(who, err)
				}
			}
		})
	}
}

// more waits for a second's requests.
func (l *loads) more(t *testing.T) {
	t.Helper()
	until := l.asked.Load() + 1000
	eventually(t, time.Minute, "1,000 requests", func() error {
		if n := l.asked.Load(); n < until {
			return fmt.Errorf("%d are missing", until-n)
		}
		return nil
	})
}

func (l *loads) wait() { l.running.Wait() }

// report has the test fail for requests that failed, and for kinds of them that
// nobody sent: thousand's and others.
func (l *loads) report(t *testing.T, others ...string) {
	t.Helper()
	t.Logf("requests: %v", l.counts)
	for _, who := range append(others, "kept", "closing", "HTTP/2") {
		if l.counts[who] == 0 {
			t.Errorf("nobody asked: %s", who)
		}
	}
	if len(l.failed) > 0 {
		t.Errorf("%d requests failed:\n%s", len(l.failed), strings.Join(l.failed[:min(20, len(l.failed))], "\n"))
	}
}
