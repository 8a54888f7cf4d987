// Package certs issues the certificates with which a server shows who it is: an
// authority of its own, kept in a directory that only the server's user reads,
// signs one for the names that clients use.
//
// The authority stays the same for ten years, so that clients which trust it go
// on doing so when the server's names change.
package certs

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"slices"
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
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return tls.Certificate{}, err
	}
	ca, err := authority(dir, now)
	if err == nil {
		err = durable.WriteFile(filepath.Join(dir, AuthorityFile), block("CERTIFICATE", ca.Leaf.Raw))
	}
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("authority in %s: %w", dir, err)
	}
	path := filepath.Join(dir, serverPair)
	cert, err := tls.LoadX509KeyPair(path, path)
	switch {
	case err == nil && good(cert.Leaf, ca, names, now):
		return cert, nil
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return tls.Certificate{}, fmt.Errorf("certificate %s: %w", path, err)
	}
	return issue(path, ca, names, now)
}

// good reports whether a kept certificate serves names for long enough.
func good(cert *x509.Certificate, ca tls.Certificate, names []string, now time.Time) bool {
	for _, name := range names {
		if cert.VerifyHostname(name) != nil {
			return false
		}
	}
	return cert.CheckSignatureFrom(ca.Leaf) == nil && now.Add(renewBefore).Before(cert.NotAfter)
}

// authority reads the authority in dir, or makes one where there is none or it
// is nearly over.
func authority(dir string, now time.Time) (tls.Certificate, error) {
	path := filepath.Join(dir, authorityPair)
	ca, err := tls.LoadX509KeyPair(path, path)
	switch {
	case err == nil && now.Add(serverLife).Before(ca.Leaf.NotAfter):
		return ca, nil
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return tls.Certificate{}, err
	}
	template := &x509.Certificate{
		Subject:               pkix.Name{CommonName: "Neargate authority " + now.UTC().Format("2006-01-02 15:04:05")},
		NotBefore:             now.Add(-time.Hour),
		NotAfter:              now.Add(authorityLife),
		KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
		BasicConstraintsValid: true, IsCA: true, MaxPathLenZero: true,
	}
	return sign(template, nil, path)
}

func issue(path string, ca tls.Certificate, names []string, now time.Time) (tls.Certificate, error) {
	template := &x509.Certificate{
		Subject:               pkix.Name{CommonName: names[0]},
		NotBefore:             now.Add(-time.Hour),
		NotAfter:              now.Add(serverLife),
		KeyUsage:              x509.KeyUsageDigitalSignature,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		BasicConstraintsValid: true,
	}
	for _, name := range slices.Compact(slices.Sorted(slices.Values(names))) {
		if ip := net.ParseIP(name); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
		} else {
			template.DNSNames = append(template.DNSNames, name)
		}
	}
	return sign(template, &ca, path)
}

// sign makes a key and a certificate over it by ca, or by itself, and keeps
// both in a file.
func sign(template *x509.Certificate, ca *tls.Certificate, path string) (tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, err
	}
	if template.SerialNumber, err = rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127)); err != nil {
		return tls.Certificate{}, err
	}
	parent, signer := template, any(key)
	if ca != nil {
		parent, signer = ca.Leaf, ca.PrivateKey
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), signer)
	if err != nil {
		return tls.Certificate{}, err
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return tls.Certificate{}, err
	}
	if err := durable.WriteFile(path, append(block("CERTIFICATE", der), block("PRIVATE KEY", keyDER)...)); err != nil {
		return tls.Certificate{}, err
	}
	return tls.LoadX509KeyPair(path, path)
}

func block(kind string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
}
