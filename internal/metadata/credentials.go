package metadata

import (
	"context"
	"net/http"
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

func (m *Metadata) credentials(w http.ResponseWriter, r *http.Request) {
	s, known := m.sender(r)
	role := s.record.Role(s.def)
	if !known || role == "" || r.PathValue("id") != s.record.CredentialsID() {
		write(w, http.StatusBadRequest, noCredentials())
		return
	}
	c, ok, err := m.roles.Credentials(r.Context(), s.record, role)
	switch {
	case err != nil:
		write(w, http.StatusInternalServerError, fault{"InternalServerError", "Internal server error", http.StatusInternalServerError})
	case !ok:
		write(w, http.StatusBadRequest, noCredentials())
	default:
		write(w, http.StatusOK, c)
	}
}

func noCredentials() fault {
	return fault{"InvalidIdInRequest", "CredentialsV2Request: Credentials not found", http.StatusBadRequest}
}
