// Package secrets keeps the secrets of Secrets Manager, with their versions and
// staging labels, and the parameters of the SSM Parameter Store. Values lie in
// the state encrypted with a key from a file of its own, bound to the secret and
// version that they belong to, and are decrypted for the caller alone.
//
// Secrets and Parameters are safe for concurrent use. They know nothing of tasks.
package secrets

import (
	"context"
	"fmt"
	"time"

	"neargate/internal/model"
	"neargate/internal/store"
)

// Config is what Secrets and Parameters need to be told.
type Config struct {
	Place model.Place // for ARNs
	Key   *Key
}

// Secrets are the secrets of an account and region.
type Secrets struct {
	cfg   Config
	now   func() time.Time // replaced in tests only
	table *store.Table[Secret] // by name
}

// Open opens the secrets in a state.
func Open(db *store.DB, cfg Config) (*Secrets, error) {
	table, err := store.NewTable[Secret](db, "secrets")
	if err != nil {
		return nil, fmt.Errorf("open the secrets: %w", err)
	}
	return &Secrets{cfg: cfg, now: time.Now, table: table}, nil
}

// Secret is one secret.
type Secret struct {
	Name, ARN   string
	Description string
	Versions    []Version // the oldest first
	CreatedAt   time.Time
}

// Version is one value of a secret.
type Version struct {
	ID        string
	Stages    []string // its staging labels
	Sealed    []byte   // its value, encrypted
	Binary    bool     // the value is SecretBinary
	CreatedAt time.Time
}

// The staging labels that Secrets Manager itself moves.
const (
	Current  = "AWSCURRENT"
	Previous = "AWSPREVIOUS"
)

// Value is the value of one version of a secret.
type Value struct {
	Secret  Secret
	Version Version
	Data    []byte
}

// Value returns the value of a secret, which id names: its name, its ARN, or
// its ARN without the random end. version and stage choose the version; with
// neither it is AWSCURRENT. ResourceNotFoundException,
// InvalidRequestException, DecryptionFailure.
func (s *Secrets) Value(_ context.Context, id, version, stage string) (Value, error) {
	secret, ok := s.find(id)
	if !ok {
		return Value{}, errNoSecret()
	}
	v, err := secret.version(version, stage)
	if err != nil {
		return Value{}, err
	}
	data, ok := s.cfg.Key.open(v.Sealed, secret.ARN+"/"+v.ID)
	if !ok {
		return Value{}, model.Errorf(model.Invalid, "DecryptionFailure",
			"Secrets Manager can't decrypt the protected secret text using the provided KMS key.")
	}
	return Value{secret, v, data}, nil
}
