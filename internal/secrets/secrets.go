// Package secrets keeps the secrets of Secrets Manager, with their versions and
// staging labels, and the parameters of the SSM Parameter Store. Values lie in
// the state encrypted with a key from a file of its own, bound to the secret and
// version that they belong to, and are decrypted for the caller alone.
//
// Secrets and Parameters are safe for concurrent use. They know nothing of tasks.
package secrets

import (
	"fmt"
	"slices"
	"time"

	"neargate/internal/model"
	"neargate/internal/store"
	"neargate/internal/store/sealed"
)

// Config is what Secrets and Parameters need to be told.
type Config struct {
	Place model.Place // for ARNs
	Key   *sealed.Key
}

// Secrets are the secrets of an account and region.
type Secrets struct {
	cfg   Config
	now   func() time.Time // replaced in tests only
	db    *store.DB
	table *store.Table[Secret] // by name
}

// Open opens the secrets in a state.
func Open(db *store.DB, cfg Config) (*Secrets, error) {
	table, err := store.NewTable[Secret](db, "secrets")
	if err != nil {
		return nil, fmt.Errorf("open the secrets: %w", err)
	}
	return &Secrets{cfg: cfg, now: time.Now, db: db, table: table}, nil
}

// Secret is one secret.
type Secret struct {
	Name, ARN   string
	Description string
	KMSKeyID    string // as the caller named it; "": AWS's own key
	Policy      string // JSON; "": none
	Tags        []model.Tag
	Versions    []Version // the oldest first
	// DeletedAt is when it was marked for deletion, and GoneAt when it is to be
	// deleted; zero: never.
	DeletedAt, GoneAt    time.Time
	CreatedAt, ChangedAt time.Time
	AccessedAt           time.Time // the day
}

// Version is one value of a secret.
type Version struct {
	ID         string
	Stages     []string // its staging labels; none: it is deprecated
	Sealed     []byte   // its value, encrypted
	Binary     bool     // the value is SecretBinary
	CreatedAt  time.Time
	AccessedAt time.Time // the day
}

// The staging labels that Secrets Manager itself moves.
const (
	Current  = "AWSCURRENT"
	Previous = "AWSPREVIOUS"
)

// gone reports whether a secret's recovery window has passed.
func (s Secret) gone(now time.Time) bool { return !s.GoneAt.IsZero() && !now.Before(s.GoneAt) }

// withVersions returns the secret with versions that can be changed.
func (s Secret) withVersions() Secret {
	s.Versions = slices.Clone(s.Versions)
	for i := range s.Versions {
		s.Versions[i].Stages = slices.Clone(s.Versions[i].Stages)
	}
	return s
}

// place is what a version's value is bound to.
func (s Secret) place(version string) string { return s.ARN + "/" + version }

// List returns the secrets in the order of their names, those marked for
// deletion included.
func (s *Secrets) List() []Secret {
	now := s.now()
	return slices.DeleteFunc(s.table.List(""), func(x Secret) bool { return x.gone(now) })
}

// Secret returns the secret that id names: its name, its ARN, or its ARN
// without the random end. ResourceNotFoundException.
func (s *Secrets) Secret(id string) (Secret, error) {
	secret, ok := find(s.table, id)
	if !ok || secret.gone(s.now()) {
		return Secret{}, errNoSecret()
	}
	return secret, nil
}
