package certs

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
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

// Authority signs certificates that clients trust who trust its root.
type Authority struct{ ca tls.Certificate }

// OpenAuthority opens the authority in dir, or makes one where there is none or
// it is nearly over. Its root is in the file AuthorityFile there.
func OpenAuthority(dir string, now time.Time) (*Authority, error) {
	err := os.MkdirAll(dir, 0o700)
	a := &Authority{}
	if err == nil {
		a.ca, err = authority(filepath.Join(dir, authorityPair), now)
	}
	if err == nil {
		err = durable.WriteFile(filepath.Join(dir, AuthorityFile), a.Root())
	}
	if err != nil {
		return nil, fmt.Errorf("authority in %s: %w", dir, err)
	}
	return a, nil
}

// Root returns the certificate that clients have to trust, in PEM.
func (a *Authority) Root() []byte { return block("CERTIFICATE", a.ca.Leaf.Raw) }

// Issue returns a new certificate for names (host names, also with a wildcard, and
// IP addresses) and its private key, both in PEM, valid until life from now.
func (a *Authority) Issue(names []string, now time.Time, life time.Duration) (cert, key []byte, err error) {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	if cert, err = a.Sign(private.Public(), names, now, life); err != nil {
		return nil, nil, err
	}
	key, err = keyPEM(private)
	return cert, key, err
}

// Sign returns a new certificate in PEM for the holder of a key, as Issue does.
func (a *Authority) Sign(holder crypto.PublicKey, names []string, now time.Time, life time.Duration) ([]byte, error) {
	template := &x509.Certificate{
		NotBefore:             now.Add(-time.Hour),
		NotAfter:              now.Add(life),
		KeyUsage:              x509.KeyUsageDigitalSignature,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		BasicConstraintsValid: true,
	}
	if _, isRSA := holder.(*rsa.PublicKey); isRSA {
		template.KeyUsage |= x509.KeyUsageKeyEncipherment // the key exchange of TLS 1.2 without forward secrecy
	}
	if len(names[0]) <= maxCommonName {
		template.Subject.CommonName = names[0]
	}
	for _, name := range slices.Compact(slices.Sorted(slices.Values(names))) {
		if ip := net.ParseIP(name); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
		} else {
			template.DNSNames = append(template.DNSNames, name)
		}
	}
	return signed(template, a.ca.Leaf, holder, a.ca.PrivateKey)
}

// maxCommonName is the longest CommonName (RFC 5280, ub-common-name).
const maxCommonName = 64

// authority reads the authority in a file, or makes one.
func authority(path string, now time.Time) (tls.Certificate, error) {
	ca, err := tls.LoadX509KeyPair(path, path)
	switch {
	case err == nil && now.Add(serverLife).Before(ca.Leaf.NotAfter):
		return ca, nil
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return tls.Certificate{}, err
	}
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, err
	}
	template := &x509.Certificate{
		Subject:               pkix.Name{CommonName: "Neargate authority " + now.UTC().Format("2006-01-02 15:04:05")},
		NotBefore:             now.Add(-time.Hour),
		NotAfter:              now.Add(authorityLife),
		KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
		BasicConstraintsValid: true, IsCA: true, MaxPathLenZero: true,
	}
	cert, err := signed(template, template, private.Public(), private)
	if err != nil {
		return tls.Certificate{}, err
	}
	key, err := keyPEM(private)
	if err == nil {
		err = durable.WriteFile(path, append(cert, key...))
	}
	if err != nil {
		return tls.Certificate{}, err
	}
	return tls.LoadX509KeyPair(path, path)
}

// signed returns a certificate in PEM for the holder of a key, signed as parent.
func signed(template, parent *x509.Certificate, holder crypto.PublicKey, signer any) ([]byte, error) {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		return nil, err
	}
	template.SerialNumber = serial
	der, err := x509.CreateCertificate(rand.Reader, template, parent, holder, signer)
	if err != nil {
		return nil, err
	}
	return block("CERTIFICATE", der), nil
}

// keyPEM is a private key in PEM.
func keyPEM(private any) ([]byte, error) {
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return nil, err
	}
	return block("PRIVATE KEY", der), nil
}
