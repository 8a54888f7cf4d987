package channel

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// link is one end of a connection between two channels. drop loses what it says,
// twice has it come again.
type link struct {
	in, out     chan []byte
	drop, twice func([]byte) bool
}

func never([]byte) bool { return false }

func newLink() (a, b *link) {
	one, two := make(chan []byte, 1000), make(chan []byte, 1000)
	return &link{one, two, never, never}, &link{two, one, never, never}
}

// Read implements Conn.
func (l *link) Read(ctx context.Context) ([]byte, error) {
	select {
	case data := <-l.in:
		if data == nil {
			return nil, io.EOF
		}
		return data, nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// Write implements Conn.
func (l *link) Write(ctx context.Context, data []byte) error {
	if l.drop(data) {
		return nil
	}
	for range 2 {
		select {
		case l.out <- data:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		if !l.twice(data) {
			break
		}
	}
	return nil
}

// run runs channels until the test ends.
func run(t *testing.T, all ...*Channel) context.Context {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	for _, c := range all {
		go func() { done <- c.Run(ctx) }()
	}
	t.Cleanup(func() {
		cancel()
		for range all {
			if err := <-done; !errors.Is(err, context.Canceled) && !errors.Is(err, ErrClosed) {
				t.Error(err)
			}
		}
	})
	return ctx
}

// every says yes each n-th time.
func every(n int) func([]byte) bool {
	var count atomic.Int64
	return func([]byte) bool { return count.Add(1)%int64(n) == 0 }
}

// TestMessagesComeOnceAndInOrder, although the connection loses and repeats
// some, acknowledgements among them.
func TestMessagesComeOnceAndInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := newLink()
		a.drop, a.twice, b.drop, b.twice = every(7), every(5), every(6), every(4)
		agent, client := New(a, Agent), New(b, Client)
		ctx := run(t, agent, client)
		const messages = 500
		sent := make(chan error, 1)
		go func() {
			for i := range messages {
				if err := agent.Send(ctx, Output, binary.BigEndian.AppendUint32(nil, uint32(i))); err != nil {
					sent <- err
					return
				}
			}
			sent <- agent.Flush(ctx)
		}()
		for i := range messages {
			m, err := client.Receive(ctx)
			if err != nil {
				t.Fatal(err)
			}
			if got := binary.BigEndian.Uint32(m.Data); got != uint32(i) || m.Kind != Output {
				t.Fatalf("got message %d, want %d", got, i)
			}
			if err := client.Taken(ctx, m); err != nil {
				t.Fatal(err)
			}
		}
		if err := <-sent; err != nil {
			t.Error(err)
		}
	})
}

// TestSlowReaderStopsTheWriter: what is not taken bounds what is sent.
func TestSlowReaderStopsTheWriter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := newLink()
		agent, client := New(a, Agent), New(b, Client)
		ctx := run(t, agent, client)
		sent := 0
		done := make(chan struct{})
		go func() {
			defer close(done)
			for agent.Send(ctx, Output, []byte("x")) == nil && sent < 3*window {
				sent++
			}
		}()
		synctest.Wait()
		if sent != window {
			t.Errorf("%d messages were sent while none was taken, want %d", sent, window)
		}
		for range 3*window + 1 {
			m, err := client.Receive(ctx)
			if err != nil {
				t.Fatal(err)
			}
			if err := client.Taken(ctx, m); err != nil {
				t.Fatal(err)
			}
		}
		<-done
	})
}

// TestInboxIsBounded: a client that floods fills no memory.
func TestInboxIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := newLink()
		agent := New(a, Agent)
		ctx := run(t, agent)
		for i := range 500 {
			m := Message{Type: inputData, Number: int64(i), Kind: Output, Data: make([]byte, MaxPayload)}
			if err := b.Write(ctx, m.Marshal()); err != nil {
				t.Fatal(err)
			}
		}
		synctest.Wait()
		agent.mu.Lock()
		defer agent.mu.Unlock()
		if agent.held > inboxBytes || len(agent.inbox) != inboxBytes/MaxPayload {
			t.Errorf("%d messages of %d bytes are held", len(agent.inbox), agent.held)
		}
	})
}

func TestUnansweredChannelEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, _ := newLink()
		a.out = make(chan []byte, 2*resendTimes)
		agent := New(a, Agent)
		done := make(chan error, 1)
		go func() { done <- agent.Run(t.Context()) }()
		if err := agent.Send(t.Context(), Output, []byte("x")); err != nil {
			t.Fatal(err)
		}
		if err := <-done; !errors.Is(err, errUnanswered) {
			t.Errorf("got %v", err)
		}
		if err := agent.Flush(t.Context()); !errors.Is(err, errUnanswered) {
			t.Errorf("got %v of Flush", err)
		}
	})
}

func TestHandshakeAndFarewell(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := newLink()
		agent, client := New(a, Agent), New(b, Client)
		ctx := run(t, agent, client)
		want := Wishes{Plain: true, ExitCode: true}
		got := make(chan Wishes, 1)
		go func() {
			w, err := agent.Welcome(ctx, "hello")
			if err != nil {
				t.Error(err)
			}
			got <- w
		}()
		notice, err := client.Greet(ctx, "1.2.0.0", want)
		if w := <-got; err != nil || notice != "hello" || w != want {
			t.Errorf("got %v, notice %q and %+v", err, notice, w)
		}
		if _, closed := client.Farewell(); closed {
			t.Error("the channel is closed already")
		}
		if err := agent.Send(ctx, Output, []byte("last")); err != nil {
			t.Error(err)
		}
		if err := agent.Close(ctx, "s", "bye"); err != nil {
			t.Error(err)
		}
		m, err := client.Receive(ctx)
		if err != nil || string(m.Data) != "last" {
			t.Errorf("got %v and %q, want what came before the end", err, m.Data)
		}
		if _, err := client.Receive(ctx); !errors.Is(err, ErrClosed) {
			t.Errorf("got %v after the end", err)
		}
		if text, closed := client.Farewell(); !closed || text != "bye" {
			t.Errorf("got farewell %q, %v", text, closed)
		}
	})
}

// TestPluginsHandshake: AWS's plugin answers without wishes.
func TestPluginsHandshake(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := newLink()
		agent, client := New(a, Agent), New(b, Client)
		ctx := run(t, agent, client)
		for answer, want := range map[string]string{
			`{"ClientVersion":"1.2.804.0","ProcessedClientActions":[{"ActionType":"SessionType","ActionStatus":1,"ActionResult":null,"Error":""}],"Errors":null}`:     "",
			`{"ClientVersion":"1.2.804.0","ProcessedClientActions":[{"ActionType":"SessionType","ActionStatus":2,"ActionResult":null,"Error":"no"}],"Errors":["no"]}`: "the client cannot have a session: no",
			`[]`: "shake hands: json: cannot unmarshal array into Go value of type channel.handshakeResponse",
		} {
			done := make(chan struct{})
			go func() {
				defer close(done)
				w, err := agent.Welcome(ctx, "")
				if w != (Wishes{}) || (err == nil) != (want == "") || (err != nil && err.Error() != want) {
					t.Errorf("got %+v and %v, want %q", w, err, want)
				}
			}()
			var request handshakeRequest
			if err := client.expect(ctx, HandshakeRequest, &request); err != nil {
				t.Fatal(err)
			}
			if err := client.Send(ctx, HandshakeResponse, []byte(answer)); err != nil {
				t.Fatal(err)
			}
			<-done
			if want == "" {
				var complete handshakeComplete
				if err := client.expect(ctx, HandshakeComplete, &complete); err != nil {
					t.Fatal(err)
				}
			}
		}
	})
}
