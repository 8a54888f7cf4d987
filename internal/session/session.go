// Package session runs commands in containers for clients of ECS Exec: a call
// opens a session, and its client attaches to it with a token over a WebSocket
// and speaks the protocol of AWS's Session Manager (package channel).
//
// A token is good for one connection and a minute. A session ends with its
// command, its connection, its container, the server, or when nothing has moved
// for as long as AWS allows; whatever the command has started ends with it.
package session

import (
	"context"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"neargate/internal/model"
	"neargate/internal/random"
	"neargate/internal/runtime"
)

// Path is where sessions are attached to; the session's ID follows.
const Path = "/v1/data-channel/"

const (
	// tokenLife is how long a session waits for its client.
	tokenLife = time.Minute
	// mostWaiting is how many sessions may wait for their clients.
	mostWaiting = 1000
	// idleLimit is how long nothing may move in a session (Amazon ECS Developer
	// Guide, "ECS Exec": "an idle timeout time of 20 minutes").
	idleLimit = 20 * time.Minute
)

// logSink keeps what sessions print.
type logSink interface {
	Append(ctx context.Context, group, stream string, lines []model.LogLine) error
}

// Request is what a session runs.
type Request struct {
	Task, Container string
	Args            []string
	// Notice is printed before the command's output; "": nothing is.
	Notice string
	// LogGroup keeps what the session prints, in a stream named as the session;
	// "": nothing does.
	LogGroup string
}

// Ticket is what a client attaches to a session with.
type Ticket struct{ ID, Token string }

// Sessions are those of one server. Its methods may be called by any number of
// goroutines.
type Sessions struct {
	engine runtime.Executor
	logs   logSink
	log    *slog.Logger
	idle   time.Duration

	attended sync.WaitGroup // sessions with clients

	mu      sync.Mutex
	waiting map[string]waiting // guarded by mu; by ID
	open    map[string]context.CancelCauseFunc
	closed  bool
}

// waiting is a session that waits for its client.
type waiting struct {
	Request
	token string
	until time.Time
}

// New returns the sessions of a server's engine. Run must run while they are used.
func New(engine runtime.Executor, logs logSink, log *slog.Logger) *Sessions {
	return &Sessions{
		engine: engine, logs: logs, log: log, idle: idleLimit,
		waiting: map[string]waiting{}, open: map[string]context.CancelCauseFunc{},
	}
}

// errStopped ends sessions with the server.
var errStopped = model.Errorf(model.Unavailable, runtime.CodeExec, "The server was stopped.")

// Run waits for the end of ctx, ends all sessions and waits until they are gone.
func (s *Sessions) Run(ctx context.Context) error {
	<-ctx.Done()
	s.mu.Lock()
	s.closed = true
	for _, end := range s.open {
		end(errStopped)
	}
	s.mu.Unlock()
	s.attended.Wait()
	return nil
}

// Open creates a session, which waits for its client. Kinds Throttled,
// Unavailable.
func (s *Sessions) Open(r Request) (Ticket, error) {
	now := time.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return Ticket{}, errStopped
	}
	for id, w := range s.waiting {
		if now.After(w.until) {
			delete(s.waiting, id)
		}
	}
	if len(s.waiting) >= mostWaiting {
		return Ticket{}, model.Errorf(model.Throttled, "ThrottlingException", "%d sessions wait for their clients.", mostWaiting)
	}
	t := Ticket{ID: "ecs-execute-command-0" + random.Hex(16), Token: random.Word(64)}
	s.waiting[t.ID] = waiting{r, t.Token, now.Add(tokenLife)}
	return t, nil
}

// take hands a session to a client, the only one that it will have.
func (s *Sessions) take(id string, end context.CancelCauseFunc) (w waiting, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	w, ok = s.waiting[id]
	delete(s.waiting, id)
	if !ok || s.closed || time.Now().After(w.until) {
		return w, false
	}
	s.open[id] = end
	s.attended.Add(1)
	return w, true
}

// End ends a session, whether it has its client or waits for it. An unknown one
// is no error.
func (s *Sessions) End(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.waiting, id)
	if end, ok := s.open[id]; ok {
		end(errTerminated)
	}
}

func (s *Sessions) leave(id string) {
	s.mu.Lock()
	delete(s.open, id)
	s.mu.Unlock()
	s.attended.Done()
}

// Handler answers at Path.
func (s *Sessions) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+Path+"{id}", s.attach)
	return mux
}
