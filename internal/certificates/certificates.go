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
	"strings"
	"sync"
	"time"

	"neargate/internal/model"
	"neargate/internal/random"
	"neargate/internal/store"
	"neargate/internal/store/sealed"
)

// Config is what Certificates need to be told.
type Config struct {
	Place model.Place // for ARNs
	Key   *sealed.Key
	// Issuer signs requested certificates.
	Issuer issuer
	Files  []File
	// OnChange is called when what an ARN leads to has changed. It is called with
	// no lock held; it may be nil.
	OnChange func(arn string)
	Log      *slog.Logger
}

// Certificate is one certificate.
type Certificate struct {
	ARN    string
	Chain  string // PEM: the certificate itself, then those it is signed by
	Sealed []byte // its private key in PEM, encrypted
	Type   string // "IMPORTED" or "AMAZON_ISSUED"
	Tags   []model.Tag

	CreatedAt  time.Time
	ImportedAt time.Time // zero: it was requested
}

// Certificates are the certificates of an account and region.
type Certificates struct {
	cfg   Config
	now   func() time.Time // replaced in tests only
	table *store.Table[Certificate]

	mu     sync.Mutex
	opened map[string]*tls.Certificate // guarded by mu
	files  map[string]*followed        // guarded by mu
}

// Open opens the certificates in a state, and reads those in files.
func Open(db *store.DB, cfg Config) (*Certificates, error) {
	table, err := store.NewTable[Certificate](db, "certificates")
	if err != nil {
		return nil, fmt.Errorf("open the certificates: %w", err)
	}
	if cfg.OnChange == nil {
		cfg.OnChange = func(string) {}
	}
	c := &Certificates{cfg: cfg, now: time.Now, table: table, opened: map[string]*tls.Certificate{}, files: map[string]*followed{}}
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
		return nil, errNoCertificate(arn)
	}
	key, ok := c.cfg.Key.Open(r.Sealed, r.ARN)
	if !ok {
		return nil, fmt.Errorf("decrypt the private key of %s: it was encrypted with another key", arn)
	}
	pair, err := tls.X509KeyPair([]byte(r.Chain), key)
	if err != nil {
		return nil, fmt.Errorf("read certificate %s: %w", arn, err)
	}
	c.opened[arn] = &pair
	return &pair, nil
}

// Import is a certificate to be imported.
type Import struct {
	ARN                     string // of the one that it replaces; "": it is new
	Certificate, Key, Chain []byte // PEM; Chain may be empty
	Tags                    []model.Tag
}

// Import keeps a certificate and returns its record. Codes:
// ResourceNotFoundException, ValidationException.
func (c *Certificates) Import(ctx context.Context, in Import) (Certificate, error) {
	if err := c.check(in); err != nil {
		return Certificate{}, err
	}
	if _, isFile := c.fileOf(in.ARN); isFile {
		return Certificate{}, model.Errorf(model.Invalid, "ValidationException", "Certificate %s is read from a file; replace the file instead.", in.ARN)
	}
	arn := in.ARN
	if arn == "" {
		arn = c.cfg.Place.CertificateARN(random.UUID())
	}
	now := c.now().UTC()
	made, err := c.table.Update(ctx, arn, func(cur Certificate, exists bool) (Certificate, error) {
		switch {
		case in.ARN != "" && !exists:
			return cur, errNoCertificate(arn)
		case !exists:
			cur = Certificate{ARN: arn, Type: "IMPORTED", CreatedAt: now, Tags: in.Tags}
		}
		cur.Chain = joined(in.Certificate, in.Chain)
		cur.Sealed = c.cfg.Key.Seal(in.Key, arn)
		cur.ImportedAt = now
		return cur, nil
	})
	if err != nil {
		return made, err
	}
	c.changed(arn)
	return made, nil
}

// Delete deletes a certificate; whether it is in use, the caller has asked. Codes:
// ResourceNotFoundException.
func (c *Certificates) Delete(ctx context.Context, arn string) error {
	existed, err := c.table.Delete(ctx, arn)
	if err == nil && !existed {
		err = errNoCertificate(arn)
	}
	if err == nil {
		c.changed(arn)
	}
	return err
}

// changed forgets what was read of a certificate, and tells of its change.
func (c *Certificates) changed(arn string) {
	c.mu.Lock()
	delete(c.opened, arn)
	c.mu.Unlock()
	c.cfg.OnChange(arn)
}

func errNoCertificate(arn string) error {
	return model.Errorf(model.NotFound, "ResourceNotFoundException", "Could not find certificate %s.", arn)
}

// IsNotFound reports whether an error is of a certificate that there is not.
func IsNotFound(err error) bool {
	e, ok := errors.AsType[*model.Error](err)
	return ok && e.Code == "ResourceNotFoundException"
}

// joined is PEM behind PEM.
func joined(parts ...[]byte) string {
	var out strings.Builder
	for _, p := range parts {
		if text := strings.TrimSpace(string(p)); text != "" {
			out.WriteString(text + "\n")
		}
	}
	return out.String()
}
