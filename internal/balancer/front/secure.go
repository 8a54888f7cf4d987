package front

import (
	"crypto/tls"
	"crypto/x509"

	"neargate/internal/decide/handshake"
)

// SessionReused stands for a certificate's ARN where none was shown, as in AWS's
// logs (load-balancer-access-logs, chosen_cert_arn).
const SessionReused = "session-reused"

// Secure is what was agreed on in a TLS handshake. Immutable.
type Secure struct {
	By         *TLS
	Version    string // as OpenSSL names it: "TLSv1.3"
	Cipher     string // as OpenSSL names it: "ECDHE-RSA-AES128-GCM-SHA256"
	Protocol   string // by ALPN; "" if nothing was
	ServerName string // by SNI, in lower case; "" if there was none
	ARN        string // of the certificate that was shown, or SessionReused
	// Chain is the client's certificate and what it came with; empty if it showed
	// none.
	Chain []*x509.Certificate
}

// secure is what was agreed on.
func (c *conn) secure(s tls.ConnectionState) *Secure {
	out := &Secure{
		By: c.meant, Version: versionName(s.Version), Cipher: cipherName(tls.CipherSuiteName(s.CipherSuite)),
		Protocol: s.NegotiatedProtocol, ServerName: HostName(s.ServerName), ARN: c.chosen, Chain: s.PeerCertificates,
	}
	if s.DidResume {
		out.ARN = SessionReused
	}
	return out
}

func versionName(v uint16) string {
	switch v {
	case tls.VersionTLS13:
		return handshake.TLS13
	case tls.VersionTLS12:
		return handshake.TLS12
	case tls.VersionTLS11:
		return handshake.TLS11
	}
	return handshake.TLS10
}
