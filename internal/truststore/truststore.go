// Package truststore keeps trust stores: the authorities whose certificates the
// clients of a listener must show, and the lists of those that were revoked.
//
// TrustStores is safe for concurrent use. It knows nothing of listeners.
package truststore

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"neargate/internal/model"
	"neargate/internal/random"
	"neargate/internal/store"
)

// Config is what TrustStores need to be told.
type Config struct {
	Place model.Place // for ARNs
	Users users       // nil: nothing uses them
	// OnChange is called when what an ARN leads to has changed, with no lock held;
	// it may be nil.
	OnChange func(arn string)
}

// users are what verifies clients by trust stores.
type users interface {
	// TrustStoreUsers returns the ARNs of those that use a trust store.
	TrustStoreUsers(arn string) []string
	// UnlessTrusted calls do unless something uses the trust store, and returns
	// what does; nothing begins to use it meanwhile.
	UnlessTrusted(arn string, do func() error) (users []string, err error)
}

// TrustStore is one trust store.
type TrustStore struct {
	ARN, Name string
	Bundle    string // PEM: the authorities
	Count     int    // of them
	Revoked   []Revocations
	NextID    int64 // of the next list
	CreatedAt time.Time
	Tags      []model.Tag
}

// Revocations is one list of certificates that an authority has revoked.
type Revocations struct {
	ID    int64
	List  []byte // DER
	Count int    // of certificates
}

// Total returns how many certificates all lists have.
func (t TrustStore) Total() (n int) {
	for _, r := range t.Revoked {
		n += r.Count
	}
	return n
}

// TrustStores are the trust stores of an account and region.
type TrustStores struct {
	cfg   Config
	table *store.Table[TrustStore] // by ARN

	making sync.Mutex // serialises Create, so that names stay unique

	mu     sync.Mutex
	opened map[string]*Trust // guarded by mu
}

// Open opens the trust stores in a state.
func Open(db *store.DB, cfg Config) (*TrustStores, error) {
	table, err := store.NewTable[TrustStore](db, "trust-stores")
	if err != nil {
		return nil, fmt.Errorf("open the trust stores: %w", err)
	}
	if cfg.OnChange == nil {
		cfg.OnChange = func(string) {}
	}
	return &TrustStores{cfg: cfg, table: table, opened: map[string]*Trust{}}, nil
}

// Get returns a trust store.
func (s *TrustStores) Get(arn string) (TrustStore, bool) { return s.table.Get(arn) }

// List returns the trust stores in the order of their ARNs, which have their names.
func (s *TrustStores) List() []TrustStore { return s.table.List("") }

// maxStores is how many trust stores an account may have (load-balancer-limits).
const maxStores = 20

// Create makes a trust store of the authorities in a bundle. Codes:
// InvalidCaCertificatesBundle, DuplicateTrustStoreName, TooManyTrustStores.
func (s *TrustStores) Create(ctx context.Context, name string, bundle []byte, tags []model.Tag) (TrustStore, error) {
	all, err := readBundle(bundle)
	if err != nil {
		return TrustStore{}, err
	}
	made := TrustStore{
		ARN: s.cfg.Place.TrustStoreARN(name, random.Hex(16)), Name: name, Bundle: string(bundle), Count: len(all),
		NextID: 1, CreatedAt: time.Now().UTC(), Tags: tags,
	}
	s.making.Lock()
	defer s.making.Unlock()
	there := s.List()
	switch {
	case slices.ContainsFunc(there, func(t TrustStore) bool { return t.Name == name }):
		return made, model.Errorf(model.Conflict, "DuplicateTrustStoreName", "A trust store with the name '%s' already exists", name)
	case len(there) >= maxStores:
		return made, model.Errorf(model.Throttled, "TooManyTrustStores", "The maximum number of trust stores has been reached")
	}
	return made, s.table.Put(ctx, made.ARN, made)
}

// Replace replaces the authorities of a trust store; listeners follow for
// connections to come. Codes: TrustStoreNotFound, InvalidCaCertificatesBundle.
func (s *TrustStores) Replace(ctx context.Context, arn string, bundle []byte) (TrustStore, error) {
	all, err := readBundle(bundle)
	if err != nil {
		return TrustStore{}, err
	}
	return s.Change(ctx, arn, func(t *TrustStore) error {
		t.Bundle, t.Count = string(bundle), len(all)
		return nil
	})
}

// Change changes a trust store by change, whose error leaves it as it was. Codes:
// TrustStoreNotFound.
func (s *TrustStores) Change(ctx context.Context, arn string, change func(*TrustStore) error) (TrustStore, error) {
	made, err := s.table.Update(ctx, arn, func(cur TrustStore, exists bool) (TrustStore, error) {
		if !exists {
			return cur, NotFound(arn)
		}
		err := change(&cur)
		return cur, err
	})
	if err == nil {
		s.forget(arn)
		s.cfg.OnChange(arn)
	}
	return made, err
}

// Delete deletes a trust store that nothing uses. Codes: TrustStoreNotFound,
// TrustStoreInUse.
func (s *TrustStores) Delete(ctx context.Context, arn string) error {
	remove := func() error {
		defer s.forget(arn)
		existed, err := s.table.Delete(ctx, arn)
		if err == nil && !existed {
			err = NotFound(arn)
		}
		return err
	}
	if s.cfg.Users == nil {
		return remove()
	}
	users, err := s.cfg.Users.UnlessTrusted(arn, remove)
	if len(users) > 0 {
		return model.Errorf(model.Conflict, "TrustStoreInUse", "Trust store '%s' is currently in use by a listener", arn)
	}
	return err
}

// Users returns the ARNs of what uses a trust store.
func (s *TrustStores) Users(arn string) []string {
	if s.cfg.Users == nil {
		return nil
	}
	return s.cfg.Users.TrustStoreUsers(arn)
}

func (s *TrustStores) forget(arn string) {
	s.mu.Lock()
	delete(s.opened, arn)
	s.mu.Unlock()
}

// NotFound is the error of a trust store that there is not.
func NotFound(arn string) error {
	return model.Errorf(model.NotFound, "TrustStoreNotFound", "Trust store '%s' not found", arn)
}
