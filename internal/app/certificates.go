package app

import (
	"fmt"
	"log/slog"
	"path/filepath"
	"sync"
	"time"

	"neargate/internal/certificates"
	"neargate/internal/certs"
)

// openCertificates opens the certificates that load balancers show.
func (p *parts) openCertificates(log *slog.Logger) (err error) {
	p.authority = &localAuthority{dir: filepath.Join(p.cfg.Data, authorityDir)}
	p.certificates, err = certificates.Open(p.db, certificates.Config{
		Place: p.cfg.Place, Key: p.key, Issuer: p.authority, Files: p.cfg.Certificates, Log: log,
		OnChange: func(arn string) { p.balancer.CertificateChanged(arn) },
	})
	return err
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

// Issue returns a certificate for names and its private key, in PEM.
func (a *localAuthority) Issue(names []string, now time.Time, life time.Duration) (cert, key []byte, err error) {
	authority, err := a.open(now)
	if err != nil {
		return nil, nil, err
	}
	return authority.Issue(names, now, life)
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
