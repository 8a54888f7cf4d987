package metadata

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/netip"
	"time"

	"neargate/internal/model"
)

// protector protects tasks from scale-in and deployments.
type protector interface {
	// Protect protects a task for so long (nil: two hours), or ends its protection.
	// refused is why the task cannot be protected; nil: it can. Errors are those of
	// UpdateTaskProtection.
	Protect(ctx context.Context, t model.Task, enable bool, lasts *time.Duration) (now model.Task, refused *Refusal, err error)
}

// Refusal is why a task cannot be protected.
type Refusal struct {
	ARN    string `json:"Arn"`
	Detail *string
	Reason string
}

// protection is the state of a task's protection [ECS guide, "Amazon ECS task
// scale-in protection endpoint"].
type protection struct {
	ExpirationDate    *time.Time
	ProtectionEnabled bool
	TaskARN           string `json:"TaskArn"`
}

// protectionError is the endpoint's form of an error.
type protectionError struct {
	ARN     string `json:"Arn"`
	Code    string
	Message string
}

// protectionPage is the path of the endpoint below ECS_AGENT_URI.
const protectionPage = "task-protection/v1/state"

// protection answers what the agent of ECS does at $ECS_AGENT_URI.
func (m *Metadata) protection(ctx context.Context, from netip.Addr, id, page string, r request) (status int, v any) {
	if page != protectionPage {
		return http.StatusNotFound, "page not found"
	}
	s, known := m.subject(from, id)
	if !known {
		return protectionFault(http.StatusNotFound, "", "ResourceNotFoundException", "Failed to find a task for the request")
	}
	if r.method != http.MethodPut {
		return protectionOf(s.record)
	}
	var ask struct {
		ProtectionEnabled *bool
		ExpiresInMinutes  *int
	}
	if err := json.Unmarshal(r.body, &ask); err != nil {
		return protectionFault(http.StatusBadRequest, s.record.ARN, "InvalidParameterException", "UpdateTaskProtection: failed to decode request")
	}
	if ask.ProtectionEnabled == nil {
		return protectionFault(http.StatusBadRequest, s.record.ARN, "InvalidParameterException", "Invalid request: does not contain 'ProtectionEnabled' field")
	}
	var lasts *time.Duration
	if ask.ExpiresInMinutes != nil {
		lasts = new(time.Duration(*ask.ExpiresInMinutes) * time.Minute)
	}
	now, refused, err := m.protector.Protect(ctx, s.record, *ask.ProtectionEnabled, lasts)
	if e, ok := errors.AsType[*model.Error](err); ok && e.Kind != model.Internal {
		return protectionFault(http.StatusBadRequest, s.record.ARN, e.Code, e.Msg)
	}
	switch {
	case err != nil:
		return protectionFault(http.StatusInternalServerError, s.record.ARN, "ServerException", "Internal server error")
	case refused != nil:
		return http.StatusAccepted, map[string]any{"failure": refused}
	}
	return protectionOf(now)
}

func protectionOf(t model.Task) (status int, v any) {
	out := protection{TaskARN: t.ARN, ProtectionEnabled: t.Protected(time.Now())}
	if out.ProtectionEnabled {
		out.ExpirationDate = moment(t.ProtectedUntil.Truncate(time.Millisecond))
	}
	return http.StatusOK, map[string]any{"protection": out}
}

func protectionFault(status int, arn, code, message string) (int, any) {
	return status, map[string]any{"error": protectionError{arn, code, message}}
}
