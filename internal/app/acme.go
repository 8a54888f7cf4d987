package app

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net/url"

	"neargate/internal/certificates"
)

// ACME is the public authority that certificates for names below Config.Domain are
// ordered from. The zero value is none.
type ACME struct {
	Directory string // URL of its directory
	Email     string // where it warns
}

func (a ACME) on() bool { return a.Directory != "" }

// checkACME refuses an authority that could not be asked.
func (c Config) checkACME() error {
	if !c.ACME.on() {
		if c.ACME.Email != "" {
			return errors.New("acme-email: want acme too")
		}
		return nil
	}
	at, err := url.Parse(c.ACME.Directory)
	switch {
	case err != nil || at.Scheme != "https" || at.Host == "":
		return fmt.Errorf("acme %q: want the URL of a directory, as https://acme-v02.api.letsencrypt.org/directory", c.ACME.Directory)
	case c.Domain == "":
		return errors.New("acme: want domain too: certificates for names below it are ordered from the authority")
	}
	return nil
}

// publicIssuer is the issuer of names below the domain; nil: none.
func (p *parts) publicIssuer() *certificates.Public {
	if p.acme == nil {
		return nil
	}
	return &certificates.Public{Domain: p.cfg.Domain, Issuer: p.acme}
}

// listenerProofs are the proofs that load balancers show.
type listenerProofs struct{ p *parts }

// HTTPProof implements the balancer's proofs.
func (l listenerProofs) HTTPProof(token string) (string, bool) {
	if l.p.acme == nil {
		return "", false
	}
	return l.p.acme.HTTPProof(token)
}

// TLSProof implements the balancer's proofs.
func (l listenerProofs) TLSProof(name string) *tls.Certificate {
	if l.p.acme == nil {
		return nil
	}
	return l.p.acme.TLSProof(name)
}
