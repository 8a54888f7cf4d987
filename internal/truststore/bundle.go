package truststore

import (
	"crypto/x509"
	"encoding/pem"

	"neargate/internal/model"
)

// The limits of a bundle (load-balancer-limits, "Mutual TLS").
const (
	// MaxBundle is the most bytes of one: of MaxAuthorities with 16 KiB each, in
	// PEM.
	MaxBundle      = maxAuthorities * 24 << 10
	maxAuthorities = 25
	maxAuthority   = 16 << 10
)

func badBundle(format string, args ...any) error {
	return model.Errorf(model.Invalid, "InvalidCaCertificatesBundle", "The specified ca certificate bundle is in an invalid format, or corrupt: "+format, args...)
}

// readBundle reads the authorities in PEM. Codes: InvalidCaCertificatesBundle.
func readBundle(text []byte) (all []*x509.Certificate, err error) {
	if len(text) > MaxBundle {
		return nil, badBundle("it has %d bytes; at most %d are taken", len(text), MaxBundle)
	}
	for n := 1; ; n++ {
		block, rest := pem.Decode(text)
		if block == nil {
			break
		}
		text = rest
		if block.Type != "CERTIFICATE" {
			return nil, badBundle("block %d is no certificate", n)
		}
		cert, err := x509.ParseCertificate(block.Bytes)
		switch {
		case err != nil:
			return nil, badBundle("certificate %d cannot be read", n)
		case !cert.IsCA:
			return nil, badBundle("certificate %d is not that of an authority", n)
		case len(block.Bytes) > maxAuthority:
			return nil, badBundle("certificate %d has %d bytes; at most %d are taken", n, len(block.Bytes), maxAuthority)
		case len(all) == maxAuthorities:
			return nil, badBundle("it has more than %d certificates", maxAuthorities)
		}
		all = append(all, cert)
	}
	if len(all) == 0 {
		return nil, badBundle("it has no certificate in PEM format")
	}
	return all, nil
}
