// Package client attaches to the sessions of ECS Exec, as AWS's plugin does, and
// asks for what the plugin does not know: a command without a terminal, and its
// exit code. It speaks to any server of the protocol, also to one that gives
// neither.
package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"sync"

	"github.com/coder/websocket"

	"neargate/internal/random"
	"neargate/internal/session/channel"
)

// version is what the client says that it is. Agents ask for at least 1.1 of the
// plugin.
const version = "1.2.0.0"

// maxMessage bounds one message of the server, in bytes.
const maxMessage = 1 << 20

// Target is a session as ExecuteCommand answers it.
type Target struct {
	URL, Token string
	// HTTP connects; nil is http.DefaultClient's way.
	HTTP *http.Client
}

// Streams are what a session reads and writes.
type Streams struct {
	In       io.Reader
	Out, Err io.Writer // with a terminal everything goes to Out
	// Windows brings the sizes of the terminal, the first one at once; nil: the
	// command gets none, and the end of In is the end of its input.
	Windows <-chan channel.Window
}

// RefusedError is what a server said when it ended a session for another reason than
// the command's end.
type RefusedError struct{ Text string }

// Error implements error.
func (r *RefusedError) Error() string { return r.Text }

// ErrCut is wrapped when a session ends without the server's word.
var ErrCut = errors.New("the connection was cut")

// Run attaches to a session and returns the command's exit code when it has
// ended; -1 is unknown. When ctx ends, the session does. A Read of In that is
// under way then goes on, and what it reads is lost.
func Run(ctx context.Context, t Target, s Streams) (code int, err error) {
	conn, answer, err := websocket.Dial(ctx, t.URL, &websocket.DialOptions{HTTPClient: t.HTTP}) //nolint:bodyclose // Dial has read it
	if err != nil {
		if answer != nil && answer.StatusCode == http.StatusNotFound {
			err = &RefusedError{"the session is over, or another has attached to it"}
		}
		return -1, fmt.Errorf("attach to the session: %w", err)
	}
	defer func() { _ = conn.CloseNow() }()
	conn.SetReadLimit(maxMessage)
	if err := open(ctx, conn, t.Token); err != nil {
		return -1, fmt.Errorf("attach to the session: %w", err)
	}
	ch := channel.New(frames{conn}, channel.Client)
	ctx, cancel := context.WithCancel(ctx)
	var running sync.WaitGroup
	running.Go(func() { _ = ch.Run(ctx) }) // its error is that of each call
	defer running.Wait()
	defer cancel()
	notice, err := ch.Greet(ctx, version, channel.Wishes{Plain: s.Windows == nil, ExitCode: true})
	if err != nil {
		return -1, ended(ctx, ch, err)
	}
	if notice != "" {
		fmt.Fprintln(s.Err, notice)
	}
	go send(ctx, ch, s) // ends with the session, or its last Read
	running.Go(func() { resize(ctx, ch, s.Windows) })
	code, err = receive(ctx, ch, s)
	return code, ended(ctx, ch, err)
}

// ended is the error of a session that ended with err.
func ended(ctx context.Context, ch *channel.Channel, err error) error {
	text, closed := ch.Farewell()
	switch {
	case closed && text != "":
		return &RefusedError{text}
	case closed:
		return nil
	case context.Cause(ctx) != nil:
		return context.Cause(ctx)
	}
	return fmt.Errorf("%w: %w", ErrCut, err)
}

func open(ctx context.Context, conn *websocket.Conn, token string) error {
	data, err := json.Marshal(channel.Opening{
		MessageSchemaVersion: channel.SchemaVersion, RequestID: random.UUID(), TokenValue: token,
		ClientID: random.UUID(), ClientVersion: version,
	})
	if err != nil {
		return err
	}
	return conn.Write(ctx, websocket.MessageText, data)
}

// send sends what is read.
func send(ctx context.Context, ch *channel.Channel, s Streams) {
	buf := make([]byte, channel.MaxPayload)
	for s.In != nil {
		n, err := s.In.Read(buf)
		if n > 0 && ch.Send(ctx, channel.Output, append([]byte(nil), buf[:n]...)) != nil {
			return
		}
		if err != nil {
			break
		}
	}
	if s.Windows == nil {
		_ = ch.Send(ctx, channel.Output, nil)
	}
}

func resize(ctx context.Context, ch *channel.Channel, windows <-chan channel.Window) {
	for {
		select {
		case w, ok := <-windows:
			if !ok || ch.SendJSON(ctx, channel.Size, w) != nil {
				return
			}
		case <-ctx.Done():
			return
		}
	}
}

// receive writes what comes until the session ends.
func receive(ctx context.Context, ch *channel.Channel, s Streams) (code int, err error) {
	code = -1
	for {
		m, err := ch.Receive(ctx)
		if err != nil {
			return code, err
		}
		switch m.Kind {
		case channel.Output:
			_, err = s.Out.Write(m.Data)
		case channel.Errors:
			_, err = s.Err.Write(m.Data)
		case channel.ExitCode:
			code, err = strconv.Atoi(string(m.Data))
		default: // what the server is sent
		}
		if err != nil {
			return code, fmt.Errorf("write the session's output: %w", err)
		}
		if err := ch.Taken(ctx, m); err != nil {
			return code, err
		}
	}
}

// frames carries messages over a WebSocket.
type frames struct{ *websocket.Conn }

// Read implements channel.Conn.
func (f frames) Read(ctx context.Context) ([]byte, error) {
	_, data, err := f.Conn.Read(ctx)
	return data, err
}

// Write implements channel.Conn.
func (f frames) Write(ctx context.Context, message []byte) error {
	return f.Conn.Write(ctx, websocket.MessageBinary, message)
}
