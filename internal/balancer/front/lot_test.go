package front_test

import (
	"context"
	"errors"
	"io"
	"runtime"
	"strings"
	"testing"
	"time"

	"neargate/internal/balancer/front"
)

// sleeper echoes, and goes to sleep at once when its client is silent.
type sleeper struct {
	session
	span time.Duration
}

func (s sleeper) ServeAwake() (idle time.Duration) {
	buf := make([]byte, 100)
	_ = s.SetReadDeadline(time.Now().Add(time.Millisecond))
	n, err := s.Read(buf)
	switch timeout := interface{ Timeout() bool }(nil); {
	case err == nil:
		_, _ = s.Write(buf[:n])
		return s.span
	case errors.As(err, &timeout) && timeout.Timeout():
		return s.span
	}
	return 0
}

// lot runs a lot until the test's end.
func lot(t *testing.T) *front.Lot {
	t.Helper()
	l, err := front.OpenLot()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancelCause(context.Background())
	done := make(chan error, 1)
	go func() { done <- l.Run(ctx) }()
	t.Cleanup(func() {
		cancel(errStop)
		if err := <-done; !errors.Is(err, errStop) {
			t.Errorf("Run ended with %v", err)
		}
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
	return l
}

// asleep waits until no goroutine serves a connection.
func asleep(t *testing.T) {
	t.Helper()
	for range 2000 {
		stacks := make([]byte, 1<<20)
		if !strings.Contains(string(stacks[:runtime.Stack(stacks, true)]), "front.(*conn)") {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
	t.Fatal("connections of silent clients have goroutines")
}

func TestSilentConnectionsKeepNoGoroutine(t *testing.T) {
	w := serve(t, front.Config{Lot: lot(t)})
	w.speak(func(c front.Conn) front.Session { return sleeper{session{c.Conn}, time.Minute} })
	one, other := w.dial(t), w.dial(t)
	for range 3 {
		for _, c := range []io.ReadWriter{one, other} {
			says(t, c, "hello\n")
		}
		asleep(t)
	}
	_ = one.Close()
	w.until(t, "the end of one that has gone", func() bool { return w.closed == 1 })
	says(t, other, "still there\n")
	asleep(t)
	w.Drain()
	_ = other.Close()
	w.until(t, "the end of the drained one", func() bool { return w.closed == 2 })
}

// A client that is silent for too long is served once more, which ends it.
func TestSilentForTooLong(t *testing.T) {
	w := serve(t, front.Config{Lot: lot(t)})
	asked := make(chan struct{}, 10)
	w.speak(func(c front.Conn) front.Session { return &tired{session: session{c.Conn}, asked: asked} })
	c := w.dial(t)
	if rest, err := io.ReadAll(c); len(rest) > 0 || err != nil {
		t.Errorf("got %q, %v, want an end", rest, err)
	}
	if n := len(asked); n != 2 {
		t.Errorf("it was served %d times, want 2", n)
	}
}

// tired sleeps once, for a moment.
type tired struct {
	session
	asked chan struct{}
	slept bool
}

func (s *tired) ServeAwake() time.Duration {
	s.asked <- struct{}{}
	if s.slept {
		return 0
	}
	s.slept = true
	return time.Millisecond
}

// Whoever is cut while it waits ends, and so does the server.
func TestCutWhileSilent(t *testing.T) {
	w := serve(t, front.Config{Lot: lot(t)})
	w.speak(func(c front.Conn) front.Session { return sleeper{session{c.Conn}, time.Minute} })
	c := w.dial(t)
	says(t, c, "hello\n")
	asleep(t)
	w.cut()
	if _, err := io.ReadAll(c); err != nil && !strings.Contains(err.Error(), "reset") {
		t.Errorf("got %v, want an end", err)
	}
}
