package certificates

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"fmt"
)

// newKey makes a private key by an algorithm in AWS's words.
func newKey(algorithm string) (crypto.Signer, error) {
	switch algorithm {
	case "RSA_2048":
		return rsa.GenerateKey(rand.Reader, 2048)
	case "EC_prime256v1":
		return ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case "EC_secp384r1":
		return ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	default:
		return nil, fmt.Errorf("key algorithm %q: no key can be made by it", algorithm)
	}
}

// KeyAlgorithm returns AWS's word for the algorithm of a certificate's key, ""
// for one that it has none for: "RSA_2048", "EC_prime256v1".
func KeyAlgorithm(cert *x509.Certificate) string {
	switch key := cert.PublicKey.(type) {
	case *rsa.PublicKey:
		return fmt.Sprintf("RSA_%d", key.N.BitLen())
	case *ecdsa.PublicKey:
		switch key.Curve {
		case elliptic.P256():
			return "EC_prime256v1"
		case elliptic.P384():
			return "EC_secp384r1"
		case elliptic.P521():
			return "EC_secp521r1"
		}
	}
	return ""
}
