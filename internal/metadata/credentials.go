package metadata

import (
	"context"
	"net/http"
	"net/netip"
	"time"

	"neargate/internal/model"
)

// Credentials is what a task signs its calls with, in the form that the SDKs
// read.
type Credentials struct {
	RoleARN         string `json:"RoleArn"`
	AccessKeyID     string `json:"AccessKeyId"`
	SecretAccessKey string
	Token           string
	Expiration      time.Time
}

// roles issues credentials.
type roles interface {
	// Issued reports whether Credentials would return what was issued before.
	Issued(t model.Task, role string) bool
	// Credentials returns what a task acts with as a role; ok is false where it
	// cannot have the role.
	Credentials(ctx context.Context, t model.Task, role string) (c Credentials, ok bool, err error)
}

// fault is what the ECS agent answers where it has no credentials.
type fault struct {
	Code          string `json:"code"`
	Message       string `json:"message"`
	HTTPErrorCode int
}

func (m *Metadata) credentials(ctx context.Context, from netip.Addr, id string) (status int, v any) {
	s, known := m.sender(from)
	role := s.record.Role(s.def)
	if !known || role == "" || id != s.record.CredentialsID() {
		return noCredentials()
	}
	c, ok, err := m.roles.Credentials(ctx, s.record, role)
	switch {
	case err != nil:
		return http.StatusInternalServerError, fault{"InternalServerError", "Internal server error", http.StatusInternalServerError}
	case !ok:
		return noCredentials()
	}
	return http.StatusOK, c
}

func noCredentials() (status int, v any) {
	return http.StatusBadRequest, fault{"InvalidIdInRequest", "CredentialsV2Request: Credentials not found", http.StatusBadRequest}
}
