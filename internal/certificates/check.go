package certificates

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"slices"
	"strings"

	"neargate/internal/model"
)

// maxPEM is the most of each part of an import, in bytes
// (API_ImportCertificate: 32768 of the certificate, 2097152 of the chain, 5120 of
// the key).
const (
	maxCertificate = 32 << 10
	maxChain       = 2 << 20
	maxKey         = 5 << 10
)

// maxChainLength is how many certificates a chain may have
// (acm limits, "certificate chain").
const maxChainLength = 5

func invalid(format string, args ...any) error {
	return model.Errorf(model.Invalid, "ValidationException", format, args...)
}

// check returns what stands against an import: it must be one valid certificate
// with its own key, of a kind that listeners serve, and a chain that leads on from
// it (import-certificate-prerequisites).
func (c *Certificates) check(in Import) error {
	switch {
	case len(in.Certificate) > maxCertificate:
		return invalid("The certificate has %d bytes; at most %d are taken.", len(in.Certificate), maxCertificate)
	case len(in.Chain) > maxChain:
		return invalid("The certificate chain has %d bytes; at most %d are taken.", len(in.Chain), maxChain)
	case len(in.Key) > maxKey:
		return invalid("The private key has %d bytes; at most %d are taken.", len(in.Key), maxKey)
	}
	own, err := parse(in.Certificate)
	switch {
	case err != nil || len(own) == 0:
		return invalid("The certificate field does not contain a certificate in PEM format.")
	case len(own) > 1:
		return invalid("The certificate field contains more than one certificate. You can specify only one certificate in this field.")
	}
	chain, err := parse(in.Chain)
	switch {
	case err != nil || len(chain) == 0 && len(bytes.TrimSpace(in.Chain)) > 0:
		return invalid("The certificate chain field does not contain certificates in PEM format.")
	case len(chain) > maxChainLength:
		return invalid("The certificate chain has %d certificates; at most %d are taken.", len(chain), maxChainLength)
	}
	if err := c.checkLeaf(own[0]); err != nil {
		return err
	}
	if _, err := tls.X509KeyPair(in.Certificate, in.Key); err != nil {
		return invalid("The private key is not supported, or does not match the certificate.")
	}
	for i, signer := range chain {
		signed := own[0]
		if i > 0 {
			signed = chain[i-1]
		}
		if signed.CheckSignatureFrom(signer) != nil {
			return invalid("Could not validate the certificate with the certificate chain.")
		}
	}
	return nil
}

func (c *Certificates) checkLeaf(leaf *x509.Certificate) error {
	now := c.now()
	switch {
	case now.Before(leaf.NotBefore):
		return invalid("The certificate is not valid yet: its validity begins at %s.", leaf.NotBefore.UTC())
	case !now.Before(leaf.NotAfter):
		return invalid("The certificate has expired: its validity ended at %s.", leaf.NotAfter.UTC())
	}
	algorithms := []string{"RSA_1024", "RSA_2048", "RSA_3072", "RSA_4096", "EC_prime256v1", "EC_secp384r1", "EC_secp521r1"}
	if !slices.Contains(algorithms, KeyAlgorithm(leaf)) {
		return invalid("The private key is not supported. Keys of these algorithms are: %s.", strings.Join(algorithms, ", "))
	}
	return nil
}

// parse returns the certificates in PEM; other blocks are an error.
func parse(text []byte) (all []*x509.Certificate, err error) {
	for {
		block, rest := pem.Decode(text)
		if block == nil {
			return all, nil
		}
		if block.Type != "CERTIFICATE" {
			return nil, invalid("PEM block of type %s", block.Type)
		}
		cert, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, err
		}
		all, text = append(all, cert), rest
	}
}
