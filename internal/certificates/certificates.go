// Package certificates keeps the certificates of the Certificate Manager: records
// in the state, with their private keys encrypted there, and those that are read
// from files and followed as these change. It serves them to listeners by their
// ARNs.
//
// Certificates is safe for concurrent use. It knows nothing of load balancers.
package certificates

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"neargate/internal/model"
	"neargate/internal/store"
	"neargate/internal/store/sealed"
)

// Config is what Certificates need to be told.
type Config struct {
	Place model.Place // for ARNs
	Key   *sealed.Key
	// Issuer signs requested certificates at once.
	Issuer issuer
	// Public signs those of its domain; nil: there is none.
	Public *Public
	Files  []File
	Users  users // nil: nothing shows them
	// OnChange is called when what an ARN leads to has changed. It is called with
	// no lock held; it may be nil.
	OnChange func(arn string)
	Log      *slog.Logger
}

// users are what shows certificates.
type users interface {
	// CertificateUsers returns the ARNs of those that show a certificate.
	CertificateUsers(arn string) []string
	// UnlessShown calls do unless something shows the certificate, and returns
	// what does; nothing begins to show it meanwhile.
	UnlessShown(arn string, do func() error) (users []string, err error)
}

// Certificates are the certificates of an account and region.
type Certificates struct {
	cfg   Config
	now   func() time.Time // replaced in tests only
	table *store.Table[Certificate]
	// account has one record, of accountKey.
	account *store.Table[Account]

	mu     sync.Mutex
	opened map[string]*tls.Certificate // guarded by mu
	files  map[string]*followed        // guarded by mu

	woken chan struct{} // of capacity one: a certificate may be due
}

// Open opens the certificates in a state, and reads those in files.
func Open(db *store.DB, cfg Config) (*Certificates, error) {
	table, err := store.NewTable[Certificate](db, "certificates")
	if err != nil {
		return nil, fmt.Errorf("open the certificates: %w", err)
	}
	account, err := store.NewTable[Account](db, "certificates-account")
	if err != nil {
		return nil, fmt.Errorf("open the certificates: %w", err)
	}
	if cfg.OnChange == nil {
		cfg.OnChange = func(string) {}
	}
	c := &Certificates{cfg: cfg, now: time.Now, table: table, account: account, opened: map[string]*tls.Certificate{}, files: map[string]*followed{}, woken: make(chan struct{}, 1)}
	for _, f := range cfg.Files {
		read := &followed{File: f, arn: c.fileARN(f)}
		if err := read.read(); err != nil {
			return nil, err
		}
		c.files[read.arn] = read
	}
	return c, nil
}

// Get returns a certificate's record; a certificate from a file has none but its
// chain.
func (c *Certificates) Get(arn string) (Certificate, bool) {
	c.mu.Lock()
	f, isFile := c.files[arn]
	c.mu.Unlock()
	if isFile {
		return f.record(), true
	}
	return c.table.Get(arn)
}

// List returns the certificates in the order of their ARNs, those of files behind.
func (c *Certificates) List() []Certificate {
	all := c.table.List("")
	for _, f := range c.cfg.Files {
		if r, ok := c.Get(c.fileARN(f)); ok {
			all = append(all, r)
		}
	}
	return all
}

// Certificate returns the certificate with its chain and private key.
func (c *Certificates) Certificate(arn string) (*tls.Certificate, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if f, ok := c.files[arn]; ok {
		return f.pair, nil
	}
	if pair, ok := c.opened[arn]; ok {
		return pair, nil
	}
	r, ok := c.table.Get(arn)
	if !ok {
		return nil, NotFound(arn)
	}
	if r.Chain == "" {
		return nil, InProgress(arn)
	}
	key, ok := c.cfg.Key.Open(r.Sealed, r.ARN)
	if !ok {
		return nil, errSealed(arn)
	}
	pair, err := tls.X509KeyPair([]byte(r.Chain), key)
	if err != nil {
		return nil, fmt.Errorf("read certificate %s: %w", arn, err)
	}
	c.opened[arn] = &pair
	return &pair, nil
}

// Delete deletes a certificate that nothing shows. Codes:
// ResourceNotFoundException, ResourceInUseException, ValidationException for one in
// a file.
func (c *Certificates) Delete(ctx context.Context, arn string) error {
	if c.ofFile(arn) {
		return errFile(arn)
	}
	remove := func() error {
		defer c.forget(arn)
		existed, err := c.table.Delete(ctx, arn)
		if err == nil && !existed {
			err = NotFound(arn)
		}
		return err
	}
	if c.cfg.Users == nil {
		return remove()
	}
	users, err := c.cfg.Users.UnlessShown(arn, remove)
	if len(users) > 0 {
		return model.Errorf(model.Conflict, "ResourceInUseException", "Certificate %s in account %s is in use.", arn, c.cfg.Place.Account)
	}
	return err
}

// Users returns the ARNs of what shows a certificate.
func (c *Certificates) Users(arn string) []string {
	if c.cfg.Users == nil {
		return nil
	}
	return c.cfg.Users.CertificateUsers(arn)
}

// changed forgets what was read of a certificate, and tells of its change.
func (c *Certificates) changed(arn string) {
	c.forget(arn)
	c.cfg.OnChange(arn)
}

func (c *Certificates) forget(arn string) {
	c.mu.Lock()
	delete(c.opened, arn)
	c.mu.Unlock()
}

// NotFound is the error of a certificate that there is not.
func NotFound(arn string) error {
	return model.Errorf(model.NotFound, "ResourceNotFoundException", "Could not find certificate %s.", arn)
}

func errSealed(arn string) error {
	return fmt.Errorf("decrypt the private key of %s: it was encrypted with another key", arn)
}

// IsNotFound reports whether an error is of a certificate that there is not.
func IsNotFound(err error) bool {
	e, ok := errors.AsType[*model.Error](err)
	return ok && e.Code == "ResourceNotFoundException"
}
