package channel

import (
	"context"
	"encoding/json"
	"fmt"
	"time"
)

// Window is the size of a terminal.
type Window struct {
	Columns uint32 `json:"cols"`
	Rows    uint32 `json:"rows"`
}

// Opening is the first thing that a client sends, before any message.
type Opening struct {
	MessageSchemaVersion string
	RequestID            string `json:"RequestId"`
	TokenValue           string
	ClientID             string `json:"ClientId"`
	ClientVersion        string
}

// SchemaVersion is that of an Opening.
const SchemaVersion = "1.0"

// Wishes are what a client may ask for beyond what AWS's plugin knows, as the
// result of its SessionType action. The zero value is what the plugin gets: a
// terminal, and no exit code.
type Wishes struct {
	// Plain has the command run without a terminal: what it writes to its
	// standard error comes as Errors, and an Output without bytes is the end of
	// its input.
	Plain bool `json:"neargate:Plain,omitempty"`
	// ExitCode has the command's exit code sent.
	ExitCode bool `json:"neargate:ExitCode,omitempty"`
}

// agentVersion is that of the SSM agent whose protocol is spoken. The plugin
// sends flags to agents later than 2.3.722.0.
const agentVersion = "3.1.1732.0"

// interactiveCommands is the type of ECS Exec's sessions.
const (
	sessionType         = "SessionType"
	interactiveCommands = "InteractiveCommands"
)

const statusSuccess = 1

type handshakeRequest struct {
	AgentVersion           string
	RequestedClientActions []requestedAction
}

type requestedAction struct {
	ActionType       string
	ActionParameters sessionParameters
}

type sessionParameters struct {
	SessionType string
	Properties  map[string]string
}

type handshakeResponse struct {
	ClientVersion          string
	ProcessedClientActions []processedAction
	Errors                 []string
}

type processedAction struct {
	ActionType   string
	ActionStatus int
	ActionResult *Wishes
	Error        string
}

type handshakeComplete struct {
	HandshakeTimeToComplete time.Duration
	CustomerMessage         string
}

// Welcome is the agent's side of the handshake. The client prints notice, where
// it is not empty.
func (c *Channel) Welcome(ctx context.Context, notice string) (Wishes, error) {
	begin := time.Now()
	err := c.SendJSON(ctx, HandshakeRequest, handshakeRequest{agentVersion, []requestedAction{
		{sessionType, sessionParameters{interactiveCommands, map[string]string{}}},
	}})
	if err != nil {
		return Wishes{}, err
	}
	var answer handshakeResponse
	if err := c.expect(ctx, HandshakeResponse, &answer); err != nil {
		return Wishes{}, err
	}
	var wishes Wishes
	for _, a := range answer.ProcessedClientActions {
		if a.ActionType != sessionType {
			continue
		}
		if a.ActionStatus != statusSuccess {
			return Wishes{}, fmt.Errorf("the client cannot have a session: %s", a.Error)
		}
		if a.ActionResult != nil {
			wishes = *a.ActionResult
		}
	}
	return wishes, c.SendJSON(ctx, HandshakeComplete, handshakeComplete{time.Since(begin), notice})
}

// Greet is the client's side of the handshake. It returns the agent's notice.
func (c *Channel) Greet(ctx context.Context, version string, wishes Wishes) (notice string, err error) {
	var request handshakeRequest
	if err := c.expect(ctx, HandshakeRequest, &request); err != nil {
		return "", err
	}
	answer := handshakeResponse{ClientVersion: version, ProcessedClientActions: []processedAction{}, Errors: []string{}}
	for _, a := range request.RequestedClientActions {
		done := processedAction{ActionType: a.ActionType, ActionStatus: statusSuccess, ActionResult: &wishes}
		if a.ActionType != sessionType {
			const unsupported = 3
			done = processedAction{ActionType: a.ActionType, ActionStatus: unsupported, Error: "Unsupported action " + a.ActionType}
			answer.Errors = append(answer.Errors, done.Error)
		}
		answer.ProcessedClientActions = append(answer.ProcessedClientActions, done)
	}
	if err := c.SendJSON(ctx, HandshakeResponse, answer); err != nil {
		return "", err
	}
	var complete handshakeComplete
	if err := c.expect(ctx, HandshakeComplete, &complete); err != nil {
		return "", err
	}
	return complete.CustomerMessage, nil
}

// expect receives a message of the handshake.
func (c *Channel) expect(ctx context.Context, kind Payload, into any) error {
	m, err := c.Receive(ctx)
	if err != nil {
		return err
	}
	if m.Kind != kind {
		return fmt.Errorf("shake hands: got payload %d, want %d", m.Kind, kind)
	}
	if err := json.Unmarshal(m.Data, into); err != nil {
		return fmt.Errorf("shake hands: %w", err)
	}
	return c.Taken(ctx, m)
}
