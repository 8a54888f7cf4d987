package front

import (
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"slices"
	"strings"
	"time"

	"neargate/internal/decide/handshake"
)

// TLSConfig is how a listener speaks TLS.
type TLSConfig struct {
	Note         any // the caller's
	Policy       handshake.Policy
	Certificates []Certificate // the default one first; at least one
	Clients      Clients
	// Protocols are what is offered by ALPN, the preferred one first.
	Protocols []string
	// Tickets are the keys that sessions are resumed by; nil: they are not.
	Tickets *Tickets
	// Scope is what sessions are bound to: with another one none is resumed.
	Scope string
}

// Certificate is one of the certificates that a listener shows.
type Certificate struct {
	ARN  string
	Pair *tls.Certificate
}

// TLS is how a listener speaks TLS. Immutable, but for the keys of its tickets.
type TLS struct {
	cfg   TLSConfig
	known []handshake.Certificate // of cfg.Certificates
	conf  *tls.Config
	bare  *tls.Config // for clients who ask for other protocols than ours by ALPN
}

// NewTLS makes a listener's TLS.
func NewTLS(cfg TLSConfig) *TLS {
	t := &TLS{cfg: cfg}
	for _, c := range cfg.Certificates {
		t.known = append(t.known, describe(c.Pair.Leaf))
	}
	t.conf = &tls.Config{
		GetCertificate: t.certificate,
		NextProtos:     cfg.Protocols,
	}
	negotiate(t.conf, cfg.Policy)
	cfg.Clients.demand(t.conf)
	if cfg.Tickets == nil {
		t.conf.SessionTicketsDisabled = true
	}
	t.bare = t.conf.Clone()
	t.bare.NextProtos = nil
	t.Rekey()
	return t
}

// Note returns the caller's note.
func (t *TLS) Note() any { return t.cfg.Note }

// Demands reports whether clients are asked for certificates.
func (t *TLS) Demands() bool { return t.cfg.Clients.Mode != NoClients }

// Passes reports whether what clients show is passed on unverified.
func (t *TLS) Passes() bool { return t.cfg.Clients.Mode == PassClients }

// Rekey takes over the keys that tickets have now.
func (t *TLS) Rekey() {
	if t.cfg.Tickets == nil {
		return
	}
	keys := t.cfg.Tickets.keys(t.cfg.Scope)
	if len(keys) == 0 {
		return // crypto/tls draws its own until there are
	}
	t.conf.SetSessionTicketKeys(keys)
	t.bare.SetSessionTicketKeys(keys)
}

// Matches returns how well one of the certificates names a host.
func (t *TLS) Matches(host string) handshake.Match {
	best := handshake.NoMatch
	for _, c := range t.known {
		best = max(best, c.Matches(host))
	}
	return best
}

// config returns the settings for a client.
func (t *TLS) config(hello *tls.ClientHelloInfo) *tls.Config {
	if len(hello.SupportedProtos) > 0 && !slices.ContainsFunc(hello.SupportedProtos, func(p string) bool { return slices.Contains(t.cfg.Protocols, p) }) {
		return t.bare
	}
	return t.conf
}

// certificate chooses what a client is shown.
func (t *TLS) certificate(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	i := 0
	if len(t.known) > 1 && hello.ServerName != "" {
		i = max(0, handshake.Choose(t.known, HostName(hello.ServerName), time.Now(), func(i int) bool {
			return hello.SupportsCertificate(t.cfg.Certificates[i].Pair) == nil
		}))
	}
	c := t.cfg.Certificates[i]
	if b, ok := hello.Conn.(*beneath); ok {
		b.of.chosen = c.ARN
	}
	return c.Pair, nil
}

// HostName is a name as it is compared: in lower case, without a final dot.
func HostName(name string) string { return strings.ToLower(strings.TrimSuffix(name, ".")) }

// describe returns what is known of a certificate when one is chosen.
func describe(leaf *x509.Certificate) handshake.Certificate {
	out := handshake.Certificate{NotBefore: leaf.NotBefore, NotAfter: leaf.NotAfter}
	for _, name := range leaf.DNSNames {
		out.Names = append(out.Names, HostName(name))
	}
	if len(leaf.DNSNames) == 0 && leaf.Subject.CommonName != "" {
		out.Names = []string{HostName(leaf.Subject.CommonName)}
	}
	switch key := leaf.PublicKey.(type) {
	case *ecdsa.PublicKey:
		out.ECDSA, out.KeyBits = true, key.Curve.Params().BitSize
	case *rsa.PublicKey:
		out.KeyBits = key.N.BitLen()
	}
	switch leaf.SignatureAlgorithm {
	case x509.MD5WithRSA, x509.SHA1WithRSA, x509.ECDSAWithSHA1:
		out.Weak = true
	default:
	}
	return out
}

var errNobody = errors.New("no listener here speaks TLS")

// handshakes returns the settings by which a client's own are found.
func (s *Server) handshakes() *tls.Config {
	return &tls.Config{GetConfigForClient: func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
		if proof := s.proof(hello); proof != nil {
			return proof, nil
		}
		t := s.cfg.TLS(hello)
		if t == nil {
			return nil, errNobody
		}
		hello.Conn.(*beneath).of.meant = t
		return t.config(hello), nil
	}}
}
