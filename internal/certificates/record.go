package certificates

import (
	"crypto/x509"
	"encoding/pem"
	"time"

	"neargate/internal/decide/renewal"
	"neargate/internal/model"
)

// The types of certificates.
const (
	Imported = "IMPORTED"
	Issued   = "AMAZON_ISSUED" // by an issuer of the server's, which renews it
)

// The statuses of certificates.
const (
	StatusPending  = "PENDING_VALIDATION"
	StatusIssued   = "ISSUED"
	StatusExpired  = "EXPIRED"
	StatusFailed   = "FAILED"
	StatusTimedOut = "VALIDATION_TIMED_OUT"
)

// The statuses of renewals.
const (
	RenewalPending = "PENDING_AUTO_RENEWAL"
	RenewalSuccess = "SUCCESS"
	RenewalFailed  = "FAILED"
)

// Certificate is one certificate.
type Certificate struct {
	ARN    string
	Chain  string // PEM: the certificate itself, then those it is signed by; "": not issued yet
	Sealed []byte // its private key in PEM, encrypted
	Type   string // Imported or Issued
	Tags   []model.Tag

	CreatedAt  time.Time
	ImportedAt time.Time // zero: it was requested
	IssuedAt   time.Time // zero: it was imported, or is not issued yet

	Request  Request // zero: it was imported
	Order    Order
	Exported bool
}

// Order is where the work of an issuer stands.
type Order struct {
	Failure   string // AWS's reason why the request has ended without a certificate: "CAA_ERROR"
	TimedOut  bool   // nobody proved in time whose the names are
	Failures  int    // since the last success
	FailedAt  time.Time
	Renewal   string // status of the newest renewal; "": there was none
	RenewedAt time.Time
}

// over reports whether a request has ended without a certificate.
func (o Order) over() bool { return o.Failure != "" || o.TimedOut }

// Leaf returns the certificate itself; nil: it is not issued yet.
func (r Certificate) Leaf() *x509.Certificate {
	block, _ := pem.Decode([]byte(r.Chain))
	if block == nil {
		return nil
	}
	leaf, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return nil
	}
	return leaf
}

// Status returns AWS's status of the certificate at now.
func (r Certificate) Status(now time.Time) string {
	leaf := r.Leaf()
	switch {
	case r.Order.Failure != "":
		return StatusFailed
	case r.Order.TimedOut:
		return StatusTimedOut
	case leaf == nil:
		return StatusPending
	case !now.Before(leaf.NotAfter):
		return StatusExpired
	}
	return StatusIssued
}

// Names returns the names that the certificate is for, the main one first.
func (r Certificate) Names() []string {
	if r.Type == Issued {
		return r.Request.Names
	}
	leaf := r.Leaf()
	if leaf == nil {
		return nil
	}
	names := leaf.DNSNames
	for _, ip := range leaf.IPAddresses {
		names = append(names, ip.String())
	}
	if len(names) == 0 && leaf.Subject.CommonName != "" {
		names = []string{leaf.Subject.CommonName}
	}
	return names
}

// renewal is what is known to decide when the certificate is ordered.
func (r Certificate) renewal(inUse bool) renewal.State {
	s := renewal.State{
		Requested: r.CreatedAt, InUse: inUse || r.Exported, Asked: r.Order.Renewal == RenewalPending,
		Failures: r.Order.Failures, FailedAt: r.Order.FailedAt,
	}
	if leaf := r.Leaf(); leaf != nil {
		s.NotBefore, s.NotAfter = leaf.NotBefore, leaf.NotAfter
	}
	return s
}
