package app

import (
	"context"
	"crypto"
	"crypto/x509"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync"
	"time"

	"neargate/internal/acme"
	"neargate/internal/certificates"
	"neargate/internal/certs"
	"neargate/internal/truststore"
)

// openCertificates opens the certificates that load balancers show, and the trust
// stores that they verify clients by.
func (p *parts) openCertificates(log *slog.Logger) (err error) {
	p.authority = &localAuthority{dir: filepath.Join(p.cfg.Data, authorityDir)}
	p.trustStores, err = truststore.Open(p.db, truststore.Config{
		Place: p.cfg.Place, Users: certificateUsers{p}, OnChange: func(arn string) { p.balancer.TrustStoreChanged(arn) },
	})
	if err != nil {
		return err
	}
	if p.cfg.ACME.on() {
		if p.acme, err = acme.Open(p.db, acme.Config{
			Directory: p.cfg.ACME.Directory, Email: p.cfg.ACME.Email, Key: p.key,
			Rejected: func(reason string, err error) error { return &certificates.RejectedError{Reason: reason, Err: err} },
		}); err != nil {
			return err
		}
	}
	p.certificates, err = certificates.Open(p.db, certificates.Config{
		Place: p.cfg.Place, Key: p.key, Issuer: p.authority, Files: p.cfg.Certificates, Log: log,
		Users: certificateUsers{p}, Public: p.publicIssuer(),
		OnChange: func(arn string) { p.balancer.CertificateChanged(arn) },
	})
	return err
}

// certificateUsers are the load balancers, which are made after the certificates.
type certificateUsers struct{ p *parts }

// CertificateUsers implements certificates' users.
func (u certificateUsers) CertificateUsers(arn string) []string {
	return u.p.balancer.CertificateUsers(arn)
}

// UnlessShown implements certificates' users.
func (u certificateUsers) UnlessShown(arn string, do func() error) ([]string, error) {
	return u.p.balancer.UnlessShown(arn, do)
}

// TrustStoreUsers implements truststore's users.
func (u certificateUsers) TrustStoreUsers(arn string) []string {
	return u.p.balancer.TrustStoreUsers(arn)
}

// UnlessTrusted implements truststore's users.
func (u certificateUsers) UnlessTrusted(arn string, do func() error) ([]string, error) {
	return u.p.balancer.UnlessTrusted(arn, do)
}

// listenerTrust is the trust stores as listeners use them.
type listenerTrust struct{ p *parts }

// Trusted implements the balancer's trustStores.
func (l listenerTrust) Trusted(arn string) (*x509.CertPool, func(*x509.Certificate) bool, error) {
	t, err := l.p.trustStores.Trust(arn)
	if err != nil {
		return nil, nil, err
	}
	return t.Pool(), t.Revoked, nil
}

// authorityDir is the directory of the server's own authority.
const authorityDir = "tls"

// localAuthority is the server's own authority, which is opened, or made, when it
// is first needed.
type localAuthority struct {
	dir string

	mu     sync.Mutex
	opened *certs.Authority // guarded by mu
}

func (a *localAuthority) open(now time.Time) (*certs.Authority, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.opened != nil {
		return a.opened, nil
	}
	made, err := certs.OpenAuthority(a.dir, now)
	if err == nil {
		a.opened = made
	}
	return made, err
}

// requestedLife is how long a requested certificate is valid, as a public one of
// AWS's: 198 days since 2026.
const requestedLife = 198 * 24 * time.Hour

// Issue returns a certificate for the holder of a key and names, in PEM.
func (a *localAuthority) Issue(_ context.Context, holder crypto.Signer, names []string) ([]byte, error) {
	now := time.Now()
	authority, err := a.open(now)
	if err != nil {
		return nil, err
	}
	return authority.Sign(holder.Public(), names, now, requestedLife)
}

// roots are the system's and the server's own: an issuer of tokens may run on this
// machine.
func (a *localAuthority) roots() (*x509.CertPool, error) {
	pool, err := x509.SystemCertPool()
	if err != nil {
		pool = x509.NewCertPool() // a machine without any
	}
	root, err := a.Root()
	if err != nil {
		return nil, err
	}
	pool.AppendCertsFromPEM(root)
	return pool, nil
}

// Root returns the certificate in PEM that clients have to trust.
func (a *localAuthority) Root() ([]byte, error) {
	authority, err := a.open(time.Now())
	if err != nil {
		return nil, err
	}
	return authority.Root(), nil
}

// checkCertificates refuses certificates without a file.
func (c Config) checkCertificates() error {
	for _, f := range c.Certificates {
		if f.Cert == "" {
			return fmt.Errorf("certificate %q: name the file with it, or the files of it and its key", f.Cert+","+f.Key)
		}
	}
	return nil
}
