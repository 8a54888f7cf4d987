package front

import (
	"crypto/tls"
	"slices"
)

// proofProtocol is what an authority asks for by ALPN, alone, when it looks whether
// a name leads here (RFC 8737, section 3). The handshake is all; nothing follows.
const proofProtocol = "acme-tls/1"

// proof returns the settings of a handshake that proves a name; nil for another one.
func (s *Server) proof(hello *tls.ClientHelloInfo) *tls.Config {
	if s.cfg.Proof == nil || !slices.Equal(hello.SupportedProtos, []string{proofProtocol}) {
		return nil
	}
	cert := s.cfg.Proof(HostName(hello.ServerName))
	if cert == nil {
		return nil
	}
	return &tls.Config{Certificates: []tls.Certificate{*cert}, NextProtos: []string{proofProtocol}, MinVersion: tls.VersionTLS12}
}
