package session

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"
	"go.uber.org/goleak"

	"neargate/internal/model"
	"neargate/internal/runtime/fake"
	"neargate/internal/session/channel"
	"neargate/internal/session/client"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// kept is a sink that keeps lines by stream.
type kept struct {
	mu    sync.Mutex
	lines map[string][]string
	err   error
}

func (k *kept) Append(_ context.Context, group, stream string, lines []model.LogLine) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, l := range lines {
		k.lines[group+" "+stream] = append(k.lines[group+" "+stream], l.Message)
	}
	return k.err
}

func (k *kept) get(name string) []string {
	k.mu.Lock()
	defer k.mu.Unlock()
	return slices.Clone(k.lines[name])
}

// bench is a server of sessions, over an engine with one task.
type bench struct {
	*Sessions
	t      *testing.T
	engine *fake.Engine
	logs   *kept
	url    string
	http   *http.Client
	stop   func()
}

func newBench(t *testing.T) *bench {
	t.Helper()
	b := &bench{t: t, engine: fake.New(fake.Config{}), logs: &kept{lines: map[string][]string{}}}
	_, err := b.engine.Start(t.Context(), model.TaskSpec{
		ID: "task", CPUUnits: 256, MemoryMiB: 128, Containers: []model.ContainerSpec{{ContainerDefinition: model.ContainerDefinition{Name: "app", Image: "app", Essential: true}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	b.Sessions = New(b.engine, b.logs, slog.New(slog.NewTextHandler(t.Output(), nil)))
	server := httptest.NewServer(b.Handler())
	transport := &http.Transport{}
	b.url, b.http = "ws"+strings.TrimPrefix(server.URL, "http")+Path, &http.Client{Transport: transport}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- b.Run(ctx) }()
	b.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(func() {
		b.stop()
		server.Close()
		transport.CloseIdleConnections()
		b.engine.EndAll()
	})
	return b
}

func (b *bench) ticket(args ...string) Ticket {
	b.t.Helper()
	t, err := b.Open(Request{Task: "task", Container: "app", Args: args})
	if err != nil {
		b.t.Fatal(err)
	}
	return t
}

func (b *bench) target(t Ticket) client.Target {
	return client.Target{URL: b.url + t.ID + "?role=publish_subscribe", Token: t.Token, HTTP: b.http}
}

// output is what a session has written so far.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer
}

// Write implements io.Writer.
func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// until waits for output.
func (o *output) until(t *testing.T, text string) {
	t.Helper()
	pause := time.NewTicker(time.Millisecond)
	defer pause.Stop()
	for deadline := time.Now().Add(time.Minute); !strings.Contains(o.String(), text); <-pause.C {
		if time.Now().After(deadline) {
			t.Fatalf("got %q, want %q in it", o, text)
		}
	}
}

// windows has the sizes of a terminal, the first at once.
func windows(sizes ...channel.Window) chan channel.Window {
	c := make(chan channel.Window, 10)
	for _, s := range sizes {
		c <- s
	}
	return c
}

func TestCommandWithoutATerminal(t *testing.T) {
	b := newBench(t)
	var out, errs output
	data := make([]byte, 3<<20+5)
	_, _ = rand.Read(data) // never fails
	code, err := client.Run(t.Context(), b.target(b.ticket("copy")), client.Streams{In: bytes.NewReader(data), Out: &out, Err: &errs})
	if err != nil || code != 0 || out.String() != string(data) || errs.String() != "" {
		t.Errorf("got code %d, %v and %d bytes, want the %d that went in", code, err, len(out.String()), len(data))
	}
	for _, want := range []int{0, 3, 255} {
		args := []string{"exit", map[int]string{0: "0", 3: "3", 255: "255"}[want]}
		if code, err := client.Run(t.Context(), b.target(b.ticket(args...)), client.Streams{Out: &out, Err: &errs}); err != nil || code != want {
			t.Errorf("got code %d and %v, want %d", code, err, want)
		}
	}
}

func TestCommandWithATerminal(t *testing.T) {
	b := newBench(t)
	in, keys := io.Pipe()
	var out output
	sizes := windows(channel.Window{Rows: 25, Columns: 81})
	done := make(chan error, 1)
	go func() {
		code, err := client.Run(t.Context(), b.target(b.ticket("window")), client.Streams{In: in, Out: &out, Err: &out, Windows: sizes})
		if code != 0 {
			t.Errorf("got code %d", code)
		}
		done <- err
	}()
	out.until(t, "25 81\r\n")
	sizes <- channel.Window{Rows: 33, Columns: 70000}
	out.until(t, "33 65535\r\n")
	if _, err := io.WriteString(keys, "end\n"); err != nil {
		t.Error(err)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
	_ = in.Close()
}

func TestTokenIsGoodOnce(t *testing.T) {
	b := newBench(t)
	refused := func(what string, target client.Target, want string) {
		t.Helper()
		_, err := client.Run(t.Context(), target, client.Streams{Out: io.Discard, Err: io.Discard})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", what, err, want)
		}
	}
	const over = "the session is over"
	used := b.ticket("exit", "0")
	if _, err := client.Run(t.Context(), b.target(used), client.Streams{Out: io.Discard, Err: io.Discard}); err != nil {
		t.Fatal(err)
	}
	refused("used", b.target(used), over)
	wrong := b.ticket("exit", "0")
	target := b.target(wrong)
	target.Token = used.Token
	refused("of another session", target, "the token is not that of the session")
	refused("after a wrong one", b.target(wrong), over)
	refused("of no session", client.Target{URL: b.url + "ecs-execute-command-0123", HTTP: b.http}, over)
	late := b.ticket("exit", "0")
	b.mu.Lock()
	w := b.waiting[late.ID]
	w.until = time.Now().Add(-time.Second)
	b.waiting[late.ID] = w
	b.mu.Unlock()
	refused("expired", b.target(late), over)
}

func TestPagesOfOtherOriginsAreRefused(t *testing.T) {
	b := newBench(t)
	target := b.target(b.ticket("exit", "0"))
	_, answer, err := websocket.Dial(t.Context(), target.URL, &websocket.DialOptions{
		HTTPClient: b.http, HTTPHeader: http.Header{"Origin": {"http://elsewhere.example"}},
	})
	if err == nil || answer.StatusCode != http.StatusForbidden {
		t.Errorf("got %v", err)
	}
}

func TestWaitingSessionsAreBounded(t *testing.T) {
	b := newBench(t)
	for range mostWaiting {
		b.ticket("exit", "0")
	}
	if _, err := b.Open(Request{}); model.KindOf(err) != model.Throttled {
		t.Errorf("got %v of one more", err)
	}
	b.mu.Lock()
	for id, w := range b.waiting {
		w.until = time.Now().Add(-time.Second)
		b.waiting[id] = w
	}
	b.mu.Unlock()
	b.ticket("exit", "0")
	if len(b.waiting) != 1 {
		t.Errorf("%d sessions wait, want those whose time is over dropped", len(b.waiting))
	}
}

// session runs one until it has printed "ready", and returns how it ends.
func (b *bench) session(ctx context.Context, args ...string) (end chan error) {
	b.t.Helper()
	var out output
	end = make(chan error, 1)
	target := b.target(b.ticket(args...))
	go func() {
		_, err := client.Run(ctx, target, client.Streams{Out: &out, Err: &out})
		end <- err
	}()
	out.until(b.t, "ready")
	return end
}

func TestSessionEndsAreTold(t *testing.T) {
	var refused *client.RefusedError
	for name, c := range map[string]struct {
		args []string
		want string
		end  func(b *bench)
	}{
		"no such program": {args: []string{"nothing"}, want: `Unable to start command: Failed to start pty: exec: "nothing": executable file not found in $PATH`},
		"the server stops": {args: []string{"wait"}, want: "The server was stopped.", end: func(b *bench) {
			b.stop()
		}},
		"nothing moves": {args: []string{"wait"}, want: "Session timed out due to inactivity."},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			if name == "nothing moves" {
				b.idle = 200 * time.Millisecond
			}
			var end chan error
			if c.end == nil {
				end = make(chan error, 1)
				_, err := client.Run(t.Context(), b.target(b.ticket(c.args...)), client.Streams{Out: io.Discard, Err: io.Discard})
				end <- err
			} else {
				end = b.session(t.Context(), c.args...)
				c.end(b)
			}
			if err := <-end; !errors.As(err, &refused) || refused.Text != c.want {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}

func TestCommandOfAnEndedTaskEnds(t *testing.T) {
	b := newBench(t)
	end := b.session(t.Context(), "stubborn")
	b.engine.Exit("task", 1, "")
	if err := <-end; err != nil {
		t.Errorf("got %v, want the command's own end", err)
	}
	if _, err := client.Run(t.Context(), b.target(b.ticket("wait")), client.Streams{Out: io.Discard, Err: io.Discard}); err == nil || !strings.Contains(err.Error(), "does not run") {
		t.Errorf("got %v of a task that has ended", err)
	}
}

// TestHundredSessionsAreCut: their commands end with them. Goroutines that stay
// fail the package's tests.
func TestHundredSessionsAreCut(t *testing.T) {
	b := newBench(t)
	for range 5 {
		ctx, cut := context.WithCancel(t.Context())
		var ends []chan error
		for range 20 {
			ends = append(ends, b.session(ctx, "stubborn"))
		}
		cut()
		for _, end := range ends {
			if err := <-end; !errors.Is(err, context.Canceled) {
				t.Errorf("got %v", err)
			}
		}
		b.attended.Wait()
	}
	if code, err := client.Run(t.Context(), b.target(b.ticket("exit", "7")), client.Streams{Out: io.Discard, Err: io.Discard}); code != 7 || err != nil {
		t.Errorf("got code %d and %v after all that", code, err)
	}
}

// TestTranscriptIsKept, also what has no end of line, or too much before it.
func TestTranscriptIsKept(t *testing.T) {
	b := newBench(t)
	long := strings.Repeat("x", maxLine+10)
	ticket, err := b.Open(Request{Task: "task", Container: "app", Args: []string{"copy"}, LogGroup: "/exec"})
	if err != nil {
		t.Fatal(err)
	}
	text := "one\r\n\n" + long + "\nlast"
	var out output
	if _, err := client.Run(t.Context(), b.target(ticket), client.Streams{In: strings.NewReader(text), Out: &out, Err: &out}); err != nil || out.String() != text {
		t.Fatalf("got %v and %d bytes", err, len(out.String()))
	}
	b.attended.Wait()
	want := []string{"one", "", long[:maxLine], long[maxLine:], "last"}
	if got := b.logs.get("/exec " + ticket.ID); !slices.Equal(got, want) {
		t.Errorf("got %d lines, want %d", len(got), len(want))
	}
}

// TestEndEndsASession, which its client hears of, and one that waits.
func TestEndEndsASession(t *testing.T) {
	b := newBench(t)
	waits := b.ticket("wait")
	end := b.session(t.Context(), "stubborn")
	b.mu.Lock()
	ids := slices.Collect(maps.Keys(b.open))
	b.mu.Unlock()
	if len(ids) != 1 {
		t.Fatalf("%d sessions are open", len(ids))
	}
	for _, id := range []string{ids[0], waits.ID, "unknown"} {
		b.End(id)
	}
	if err := <-end; err != nil {
		t.Errorf("got %v, want the usual end", err)
	}
	if _, err := client.Run(t.Context(), b.target(waits), client.Streams{Out: io.Discard, Err: io.Discard}); err == nil {
		t.Error("a session that was ended has a client")
	}
}
