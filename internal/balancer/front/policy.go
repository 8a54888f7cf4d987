package front

import (
	"crypto/tls"
	"strings"

	"neargate/internal/decide/handshake"
)

// negotiate puts a security policy in force. The order of ciphers is that of
// crypto/tls, which prefers what both machines compute fastest; CBC with SHA-384
// and with RSA's keys and AES-256 and SHA-256 it does not have.
func negotiate(conf *tls.Config, p handshake.Policy) {
	conf.MinVersion, conf.MaxVersion = version(p.Protocols[len(p.Protocols)-1]), version(p.Protocols[0])
	conf.CipherSuites = []uint16{}
	for _, name := range p.Ciphers {
		if id, ok := suite(name); ok {
			conf.CipherSuites = append(conf.CipherSuites, id)
		}
	}
	conf.CurvePreferences = []tls.CurveID{tls.X25519, tls.CurveP256, tls.CurveP384, tls.CurveP521}
	if p.FIPS() {
		conf.CurvePreferences = []tls.CurveID{tls.CurveP256, tls.CurveP384, tls.CurveP521}
	}
	if p.PostQuantum {
		conf.CurvePreferences = append([]tls.CurveID{tls.X25519MLKEM768, tls.SecP256r1MLKEM768, tls.SecP384r1MLKEM1024}, conf.CurvePreferences...)
	}
}

func version(name string) uint16 {
	switch name {
	case handshake.TLS13:
		return tls.VersionTLS13
	case handshake.TLS12:
		return tls.VersionTLS12
	case handshake.TLS11:
		return tls.VersionTLS11
	}
	return tls.VersionTLS10
}

// suite returns the number of a cipher of TLS 1.2 or older by its name in OpenSSL.
func suite(name string) (uint16, bool) {
	for _, c := range append(tls.CipherSuites(), tls.InsecureCipherSuites()...) {
		if cipherName(c.Name) == name && !modern(c) {
			return c.ID, true
		}
	}
	return 0, false
}

func modern(c *tls.CipherSuite) bool {
	return len(c.SupportedVersions) == 1 && c.SupportedVersions[0] == tls.VersionTLS13
}

// cipherName returns OpenSSL's name of a cipher with IANA's name, of those that
// policies have.
func cipherName(iana string) string {
	exchange, cipher, old := strings.Cut(strings.TrimPrefix(iana, "TLS_"), "_WITH_")
	if !old {
		return iana // TLS 1.3's are the same
	}
	if cipher == "3DES_EDE_CBC_SHA" {
		cipher = "DES_CBC3_SHA"
	}
	cipher = strings.ReplaceAll(strings.ReplaceAll(cipher, "AES_", "AES"), "_CBC_SHA", "_SHA")
	if exchange != "RSA" {
		cipher = exchange + "_" + cipher
	}
	return strings.ReplaceAll(cipher, "_", "-")
}
