package front

import (
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"sync"
	"time"
)

// Secret is what the keys of session tickets are made from for a while.
type Secret struct {
	Value []byte
	Since time.Time
}

// The life of a secret: new tickets are made with it for a time, and taken until
// two others have come.
const (
	secretLife  = 12 * time.Hour
	secretsKept = 3
	secretBytes = 32
)

// Tickets are the secrets that session tickets are made from, the newest first.
// They are safe for concurrent use.
type Tickets struct {
	mu      sync.Mutex
	secrets []Secret
}

// NewTickets returns tickets with secrets from an earlier run, if there are any.
func NewTickets(kept []Secret) *Tickets { return &Tickets{secrets: kept} }

// Rotate puts a new secret in front if it is time, and then returns all of them to
// be kept; else nothing.
func (t *Tickets) Rotate(now time.Time) (kept []Secret, rotated bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.secrets) > 0 && now.Sub(t.secrets[0].Since) < secretLife && !now.Before(t.secrets[0].Since) {
		return nil, false
	}
	fresh := Secret{Value: make([]byte, secretBytes), Since: now}
	_, _ = rand.Read(fresh.Value) // never fails: crypto/rand.Read
	t.secrets = append([]Secret{fresh}, t.secrets...)
	t.secrets = t.secrets[:min(len(t.secrets), secretsKept)]
	return append([]Secret(nil), t.secrets...), true
}

// keys returns the keys of tickets of a scope, the one for new tickets first.
func (t *Tickets) keys(scope string) (keys [][32]byte) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, s := range t.secrets {
		key, err := hkdf.Key(sha256.New, s.Value, nil, "session tickets of "+scope, secretBytes)
		if err == nil { // it fails for lengths that are not ours
			keys = append(keys, [32]byte(key))
		}
	}
	return keys
}
