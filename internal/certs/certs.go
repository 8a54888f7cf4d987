// Package certs issues the certificates with which a server shows who it is, and
// those of its load balancers: an authority of its own, kept in a directory that
// only the server's user reads, signs them for the names that clients use.
//
// The authority stays the same for ten years, so that clients which trust it go
// on doing so when the server's names change.
package certs

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"time"

	"neargate/internal/store/durable"
)

// AuthorityFile is the name, in the directory, of the authority's certificate,
// which clients have to trust.
const AuthorityFile = "ca.pem"

const (
	// A certificate and its key are one file, so that they never differ.
	authorityPair = "authority.pem"
	serverPair    = "server.pem"

	authorityLife = 10 * 365 * 24 * time.Hour
	serverLife    = 2 * 365 * 24 * time.Hour
	// renewBefore is the least that a kept certificate must still be valid.
	renewBefore = serverLife / 2
)

// SelfSigned returns a certificate for names (host names and IP addresses) by
// the authority in dir. What is there and still good is used; the rest is made.
func SelfSigned(dir string, names []string, now time.Time) (tls.Certificate, error) {
	ca, err := OpenAuthority(dir, now)
	if err != nil {
		return tls.Certificate{}, err
	}
	path := filepath.Join(dir, serverPair)
	cert, err := tls.LoadX509KeyPair(path, path)
	switch {
	case err == nil && good(cert.Leaf, ca, names, now):
		return cert, nil
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return tls.Certificate{}, fmt.Errorf("certificate %s: %w", path, err)
	}
	pair, key, err := ca.Issue(names, now, serverLife)
	if err == nil {
		err = durable.WriteFile(path, append(pair, key...))
	}
	if err != nil {
		return tls.Certificate{}, err
	}
	return tls.LoadX509KeyPair(path, path)
}

// good reports whether a kept certificate serves names for long enough.
func good(cert *x509.Certificate, by *Authority, names []string, now time.Time) bool {
	for _, name := range names {
		if cert.VerifyHostname(name) != nil {
			return false
		}
	}
	return cert.CheckSignatureFrom(by.ca.Leaf) == nil && now.Add(renewBefore).Before(cert.NotAfter)
}

func block(kind string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
}
