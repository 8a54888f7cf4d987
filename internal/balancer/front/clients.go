package front

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"slices"
	"time"
)

// ClientMode is whether clients are asked for certificates.
type ClientMode uint8

// The modes of mutual authentication.
const (
	NoClients   ClientMode = iota // they are not asked
	PassClients                   // they are asked, and what they show is passed on unverified
	VerifyClients
)

// Clients is what clients are asked for.
type Clients struct {
	Mode ClientMode
	// Trusted are the certificates that those of clients must lead to.
	Trusted *x509.CertPool
	// Advertise has the names of those told to clients.
	Advertise bool
	// IgnoreExpiry has certificates accepted that are no longer, or not yet, valid.
	IgnoreExpiry bool
	// Revoked reports whether a certificate was revoked by its issuer. nil: none was.
	Revoked func(*x509.Certificate) bool
}

// demand puts into settings what clients are asked for.
func (c Clients) demand(conf *tls.Config) {
	switch c.Mode {
	case NoClients:
	case PassClients:
		conf.ClientAuth = tls.RequestClientCert
	case VerifyClients:
		conf.ClientAuth = tls.RequireAnyClientCert // verified below: also where a session is resumed
		if c.Advertise {
			conf.ClientCAs = c.Trusted
		}
		conf.VerifyConnection = c.verify
	}
}

var errRevoked = errors.New("the client's certificate was revoked")

// verify is the verification of a client's certificate.
func (c Clients) verify(s tls.ConnectionState) error {
	leaf := s.PeerCertificates[0]
	opts := x509.VerifyOptions{
		Roots: c.Trusted, Intermediates: x509.NewCertPool(), CurrentTime: time.Now(),
		KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}
	for _, extra := range s.PeerCertificates[1:] {
		opts.Intermediates.AddCert(extra)
	}
	if c.IgnoreExpiry {
		opts.CurrentTime = leaf.NotBefore.Add(leaf.NotAfter.Sub(leaf.NotBefore) / 2)
	}
	chains, err := leaf.Verify(opts)
	if err != nil {
		return err
	}
	if c.Revoked == nil {
		return nil
	}
	if slices.ContainsFunc(chains[0], c.Revoked) {
		return errRevoked
	}
	return nil
}
