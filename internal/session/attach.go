package session

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/coder/websocket"

	"neargate/internal/session/channel"
)

const (
	// openingLimit is how long a client may take to say who it is.
	openingLimit = 10 * time.Second
	// farewellLimit is how long a client has to take the last of a session that
	// was cut short.
	farewellLimit = 2 * time.Second
	// maxMessage bounds one message of a client, in bytes.
	maxMessage = 64 << 10
)

// errGone ends a session whose client has gone.
var errGone = errors.New("the client has gone")

// frames carries messages over a WebSocket.
type frames struct{ *websocket.Conn }

// Read implements channel.Conn.
func (f frames) Read(ctx context.Context) ([]byte, error) {
	_, data, err := f.Conn.Read(ctx)
	if err != nil && context.Cause(ctx) == nil {
		err = fmt.Errorf("%w: %w", errGone, err)
	}
	return data, err
}

// Write implements channel.Conn. A message that is not written whole is the end
// of the connection, and of the farewell that would follow: so one that is under
// way when ctx ends has a little longer.
func (f frames) Write(ctx context.Context, message []byte) error {
	late, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	defer cancel(nil)
	defer context.AfterFunc(ctx, func() {
		time.AfterFunc(farewellLimit, func() { cancel(context.Cause(ctx)) })
	})()
	return f.Conn.Write(late, websocket.MessageBinary, message)
}

// attach joins a client to its session. An unknown session is no place to
// connect to, and its client no better than any other.
func (s *Sessions) attach(w http.ResponseWriter, r *http.Request) {
	id := r.PathValue("id")
	ctx, end := context.WithCancelCause(r.Context())
	defer end(nil)
	session, ok := s.take(id, end)
	if !ok {
		http.Error(w, "There is no such session, or its token has been used or has expired.", http.StatusNotFound)
		return
	}
	defer s.leave(id)
	conn, err := websocket.Accept(w, r, nil) // refuses pages of other origins
	if err != nil {
		return // it has answered
	}
	defer func() { _ = conn.CloseNow() }()
	conn.SetReadLimit(maxMessage)
	if err := identify(ctx, conn, session.token); err != nil {
		_ = conn.Close(websocket.StatusPolicyViolation, err.Error())
		return
	}
	begin := time.Now()
	err = s.attend(ctx, conn, id, session.Request)
	s.log.Info("session ended", "session", id, "task", session.Task, "container", session.Container,
		"lasted", time.Since(begin).Round(time.Millisecond), "reason", reason(err))
}

func reason(err error) string {
	if err == nil {
		return "the command ended"
	}
	return err.Error()
}

// identify reads a client's token.
func identify(ctx context.Context, conn *websocket.Conn, token string) error {
	ctx, cancel := context.WithTimeout(ctx, openingLimit)
	defer cancel()
	_, data, err := conn.Read(ctx)
	var o channel.Opening
	if err == nil {
		err = json.Unmarshal(data, &o)
	}
	if err != nil {
		return errors.New("the token was not sent")
	}
	if subtle.ConstantTimeCompare([]byte(o.TokenValue), []byte(token)) != 1 {
		return errors.New("the token is not that of the session")
	}
	return nil
}

// attend runs a session to its end.
func (s *Sessions) attend(ctx context.Context, conn *websocket.Conn, id string, r Request) error {
	ctx, end := context.WithCancelCause(ctx)
	ch := channel.New(frames{conn}, channel.Agent)
	moved := make(chan struct{})
	// The channel goes on for a farewell when the session has been ended.
	linger, cut := context.WithCancel(context.WithoutCancel(ctx))
	go func() {
		defer close(moved)
		end(ch.Run(linger))
	}()
	defer func() {
		cut()
		<-moved
		end(nil)
	}()
	err := s.converse(ctx, ch, id, r)
	if cause := context.Cause(ctx); errors.Is(cause, errGone) || errors.Is(cause, channel.ErrClosed) {
		return cause
	}
	leave, cancel := context.WithTimeout(linger, farewellLimit)
	defer cancel()
	if text := farewell(err); ch.Close(leave, id, text) == nil {
		_ = conn.Close(websocket.StatusNormalClosure, "")
	}
	return err
}
