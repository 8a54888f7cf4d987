package truststore

import (
	"crypto/x509"
	"fmt"
)

// Trust is a trust store as clients are verified by it. Immutable.
type Trust struct {
	pool    *x509.CertPool
	revoked map[string]map[string]bool // serial numbers, by issuer
}

// Pool returns the authorities.
func (t *Trust) Pool() *x509.CertPool { return t.pool }

// Revoked reports whether a list names a certificate.
func (t *Trust) Revoked(cert *x509.Certificate) bool {
	return t.revoked[string(cert.RawIssuer)][string(cert.SerialNumber.Bytes())]
}

// Trust returns a trust store to verify clients by. Codes: TrustStoreNotFound.
func (s *TrustStores) Trust(arn string) (*Trust, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if t, ok := s.opened[arn]; ok {
		return t, nil
	}
	kept, ok := s.table.Get(arn)
	if !ok {
		return nil, NotFound(arn)
	}
	all, err := readBundle([]byte(kept.Bundle))
	if err != nil {
		return nil, fmt.Errorf("read trust store %s: %w", arn, err)
	}
	t := &Trust{pool: x509.NewCertPool(), revoked: map[string]map[string]bool{}}
	for _, cert := range all {
		t.pool.AddCert(cert)
	}
	for _, r := range kept.Revoked {
		list, err := x509.ParseRevocationList(r.List)
		if err != nil {
			return nil, fmt.Errorf("read revocations %d of trust store %s: %w", r.ID, arn, err)
		}
		serials := t.revoked[string(list.RawIssuer)]
		if serials == nil {
			serials = map[string]bool{}
			t.revoked[string(list.RawIssuer)] = serials
		}
		for _, e := range list.RevokedCertificateEntries {
			serials[string(e.SerialNumber.Bytes())] = true
		}
	}
	s.opened[arn] = t
	return t, nil
}
