package front

import (
	"crypto/x509"
	"errors"
	"net/netip"
	"time"

	"neargate/internal/balancer/exchange"
)

// Refusal is a connection of a client with whom no TLS was agreed on.
type Refusal struct {
	Client netip.AddrPort
	ID     exchange.ConnID
	By     *TLS // the one that the client meant; nil if it did not come so far
	// Secure is what had been agreed on until then.
	Secure *Secure
	Err    error
}

// Fault returns AWS's code for why a connection was refused
// (load-balancer-connection-logs, "Error reason codes").
func (r *Refusal) Fault() string {
	if errors.Is(r.Err, errRevoked) {
		return "ClientCertCrlHit"
	}
	if _, ok := errors.AsType[x509.UnknownAuthorityError](r.Err); ok {
		return "ClientCertUntrusted"
	}
	invalid, ok := errors.AsType[x509.CertificateInvalidError](r.Err)
	if !ok {
		return "UnmappedConnectionError"
	}
	switch invalid.Reason {
	case x509.Expired:
		if invalid.Cert != nil && time.Now().Before(invalid.Cert.NotBefore) {
			return "ClientCertNotYetValid"
		}
		return "ClientCertExpired"
	case x509.IncompatibleUsage:
		return "ClientCertPurposeInvalid"
	case x509.TooManyIntermediates:
		return "ClientCertMaxChainDepthExceeded"
	default:
		return "ClientCertInvalid"
	}
}
