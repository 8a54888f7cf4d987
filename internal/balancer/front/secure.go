package front

import (
	"crypto/tls"
	"crypto/x509"
	"time"

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
	Group string        // the key exchange, as IANA names it; "" if it was none of a named group
	Took  time.Duration // the handshake
}

// Named reports whether the client asked for a name that a certificate has.
func (s *Secure) Named() bool {
	return s.ServerName != "" && s.By != nil && s.By.Matches(s.ServerName) > handshake.NoMatch
}

// secure is what was agreed on.
func (c *conn) secure(s tls.ConnectionState) *Secure {
	out := &Secure{By: c.meant, Protocol: s.NegotiatedProtocol, ServerName: HostName(s.ServerName), ARN: c.chosen, Chain: s.PeerCertificates}
	if s.Version != 0 { // else the handshake did not come so far
		out.Version, out.Group = versionName(s.Version), groupName(s.CurveID)
	}
	if s.CipherSuite != 0 {
		out.Cipher = cipherName(tls.CipherSuiteName(s.CipherSuite))
	}
	if s.DidResume {
		out.ARN = SessionReused
	}
	return out
}

// groupName returns IANA's name of a group of the key exchange.
func groupName(id tls.CurveID) string {
	switch id {
	case 0:
		return ""
	case tls.X25519:
		return "x25519"
	case tls.CurveP256:
		return "secp256r1"
	case tls.CurveP384:
		return "secp384r1"
	case tls.CurveP521:
		return "secp521r1"
	default:
		return id.String() // those with ML-KEM have the same names
	}
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
