package front_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"io"
	"math/big"
	"net"
	"strings"
	"testing"
	"time"

	"neargate/internal/balancer/front"
	"neargate/internal/decide/handshake"
)

// trusting is a client that trusts the authority.
func (p pki) trusting(name string) *tls.Config {
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(p.Root())
	return &tls.Config{RootCAs: roots, ServerName: name}
}

// handshake shakes hands, and wants the echo of a line.
func (w *world) handshake(t *testing.T, cfg *tls.Config) (tls.ConnectionState, error) {
	t.Helper()
	c := tls.Client(w.dial(t), cfg)
	if err := c.Handshake(); err != nil {
		return tls.ConnectionState{}, err
	}
	says(t, c, "hello\n")
	return c.ConnectionState(), c.Close()
}

func TestTheNameChoosesTheCertificate(t *testing.T) {
	p := newPKI(t)
	w := serve(t, speaking(listener(t, modern, nil, p.pair("default.test"), p.pair("*.shop.test"), p.pair("www.shop.test"))))
	for name, want := range map[string]string{
		"default.test": "default.test", "www.shop.test": "www.shop.test", "WWW.Shop.test": "www.shop.test", "api.shop.test": "*.shop.test",
		"unknown.test": "default.test", "a.b.shop.test": "default.test", "": "default.test",
	} {
		cfg := p.trusting(name)
		cfg.InsecureSkipVerify = true // the client asks for names that nobody has
		s, err := w.handshake(t, cfg)
		if err != nil {
			t.Errorf("%q: %v", name, err)
			continue
		}
		if got := s.PeerCertificates[0].DNSNames[0]; got != want {
			t.Errorf("%q is shown %s, want %s", name, got, want)
		}
		w.mu.Lock()
		secure := w.seen[len(w.seen)-1].Secure
		w.mu.Unlock()
		if secure.ARN != want || secure.ServerName != strings.ToLower(name) || secure.Version != "TLSv1.3" || !strings.HasPrefix(secure.Cipher, "TLS_") {
			t.Errorf("%q: the codec is told %+v", name, secure)
		}
	}
}

// rsaPair is a certificate by RSA, which the authority does not make.
func rsaPair(t *testing.T, name string) *tls.Certificate {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), DNSNames: []string{name}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}
}

func TestTheClientIsShownWhatItCanRead(t *testing.T) {
	p := newPKI(t)
	w := serve(t, speaking(listener(t, "ELBSecurityPolicy-2016-08", nil, p.pair("default.test"), rsaPair(t, "www.test"), p.pair("www.test"))))
	for name, row := range map[string]struct {
		suite uint16
		want  x509.PublicKeyAlgorithm
		says  string
	}{
		"RSA only": {tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, x509.RSA, "ECDHE-RSA-AES128-GCM-SHA256"},
		"ECDSA":    {tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, x509.ECDSA, "ECDHE-ECDSA-AES256-GCM-SHA384"},
		"RSA keys": {tls.TLS_RSA_WITH_AES_128_CBC_SHA, x509.RSA, "AES128-SHA"},
	} {
		s, err := w.handshake(t, &tls.Config{ServerName: "www.test", InsecureSkipVerify: true, MaxVersion: tls.VersionTLS12, CipherSuites: []uint16{row.suite}})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		w.mu.Lock()
		cipher := w.seen[len(w.seen)-1].Secure.Cipher
		w.mu.Unlock()
		if got := s.PeerCertificates[0].PublicKeyAlgorithm; got != row.want || cipher != row.says {
			t.Errorf("%s: shown %v by %s, want %v by %s", name, got, cipher, row.want, row.says)
		}
	}
}

// TestPolicies asks every policy for every protocol.
func TestPolicies(t *testing.T) {
	pair := newPKI(t).pair("www.test")
	versions := map[uint16]string{
		tls.VersionTLS10: handshake.TLS10, tls.VersionTLS11: handshake.TLS11, tls.VersionTLS12: handshake.TLS12, tls.VersionTLS13: handshake.TLS13,
	}
	for _, policy := range handshake.Policies() {
		w := serve(t, speaking(listener(t, policy.Name, nil, pair)))
		for v, name := range versions {
			want := false
			for _, p := range policy.Protocols {
				want = want || p == name
			}
			if want && v < tls.VersionTLS12 && !strings.Contains(strings.Join(policy.Ciphers, " "), "ECDHE-ECDSA-AES128-SHA ") {
				continue // nothing that an ECDSA certificate goes with
			}
			suites := []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, tls.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA}
			s, err := w.handshake(t, &tls.Config{ServerName: "www.test", InsecureSkipVerify: true, MinVersion: v, MaxVersion: v, CipherSuites: suites})
			if (err == nil) != want || err == nil && s.Version != v {
				t.Errorf("%s with %s: %v, want success: %v", policy.Name, name, err, want)
			}
			if err == nil && policy.PostQuantum && v == tls.VersionTLS13 && s.CurveID != tls.X25519MLKEM768 {
				t.Errorf("%s: keys were exchanged by %v", policy.Name, s.CurveID)
			}
		}
	}
}

// A session is resumed: also after the keys of tickets have changed once, and after
// a restart that kept them; not where the listener's demands are others.
func TestSessionsAreResumed(t *testing.T) {
	p := newPKI(t)
	pair, now := p.pair("www.test"), time.Now()
	tickets := front.NewTickets(nil)
	kept, rotated := tickets.Rotate(now)
	if !rotated || len(kept) != 1 {
		t.Fatalf("the first secret is missing: %v, %v", kept, rotated)
	}
	made := func(tk *front.Tickets, scope string) *front.TLS {
		return listener(t, modern, func(c *front.TLSConfig) { c.Tickets, c.Scope = tk, scope }, pair)
	}
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		one := made(tickets, "a")
		cfg := p.trusting("www.test")
		cfg.ClientSessionCache, cfg.MaxVersion = tls.NewLRUClientSessionCache(1), version
		resumed := func(w *world) bool {
			t.Helper()
			s, err := w.handshake(t, cfg)
			if err != nil {
				t.Fatal(err)
			}
			return s.DidResume
		}
		w := serve(t, speaking(one))
		if resumed(w) || !resumed(w) {
			t.Fatal("the second connection resumes nothing, or the first does")
		}
		w.mu.Lock()
		if got := w.seen[1].Secure.ARN; got != front.SessionReused {
			t.Errorf("a resumed session was shown %s", got)
		}
		w.mu.Unlock()
		now = now.Add(13 * time.Hour)
		if kept, rotated = tickets.Rotate(now); !rotated {
			t.Fatal("the secret has not been rotated after 13 hours")
		}
		one.Rekey()
		if !resumed(w) {
			t.Error("a session is not resumed after the secret was rotated")
		}
		if !resumed(serve(t, speaking(made(front.NewTickets(kept), "a")))) {
			t.Error("a session is not resumed after a restart")
		}
		if resumed(serve(t, speaking(made(tickets, "b")))) {
			t.Error("a session of another scope is resumed")
		}
	}
}

func TestWhatSpeaksNoTLS(t *testing.T) {
	w := serve(t, speaking(listener(t, modern, nil, newPKI(t).pair("www.test"))))
	c := w.dial(t)
	if _, err := io.WriteString(c, "GET / HTTP/1.1\r\nHost: www.test\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	answer, err := io.ReadAll(c)
	if !strings.HasPrefix(string(answer), "HTTP/1.1 400 Bad Request\r\n") || !strings.Contains(string(answer), "The plain HTTP request was sent to HTTPS port") {
		t.Errorf("plain HTTP is answered %q, %v", answer, err)
	}
	for name, garbage := range map[string]string{"octets": "\x00\x01\x02\x03", "a broken record": "\x16\x03\x01\x00\x05hello", "SSL 3": "\x16\x03\x00\x00\x05\x01\x00\x00\x01\x00"} {
		c := w.dial(t)
		if _, err := io.WriteString(c, garbage); err != nil {
			t.Fatal(err)
		}
		_ = c.(*net.TCPConn).CloseWrite()
		if rest, _ := io.ReadAll(c); len(rest) > 0 && rest[0] != 21 { // an alert
			t.Errorf("%s: answered %q", name, rest)
		}
	}
	if _, err := w.handshake(t, &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}); err == nil {
		t.Error("TLS 1.1 is spoken")
	}
	_ = w.dial(t).Close() // no failure: a probe by TCP
	w.until(t, "every client's end", func() bool { return w.opened == 6 && w.closed == 6 })
	if w.fail != 5 {
		t.Errorf("%d failures are counted, want 5: %v", w.fail, w.errs)
	}
}

// A port that listeners with and without TLS share takes both.
func TestPlainAndTLSOnOnePort(t *testing.T) {
	p := newPKI(t)
	cfg := speaking(listener(t, modern, nil, p.pair("www.test")))
	cfg.Speaks = func() (plain, secure bool) { return true, true }
	w := serve(t, cfg)
	says(t, w.dial(t), "in the clear\n")
	if _, err := w.handshake(t, p.trusting("www.test")); err != nil {
		t.Error(err)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.seen[0].Secure != nil || w.seen[1].Secure == nil || w.fail != 0 {
		t.Errorf("the codec is told %+v, %d failures", w.seen, w.fail)
	}
}

// A client that asks for protocols that we do not speak gets the one that we do.
func TestOtherProtocolsByALPN(t *testing.T) {
	p := newPKI(t)
	w := serve(t, speaking(listener(t, modern, nil, p.pair("www.test"))))
	for offer, want := range map[string]string{"": "", "http/1.1": "http/1.1", "h2 http/1.1": "http/1.1", "spdy/3": ""} {
		cfg := p.trusting("www.test")
		cfg.NextProtos = strings.Fields(offer)
		s, err := w.handshake(t, cfg)
		if err != nil || s.NegotiatedProtocol != want {
			t.Errorf("%q: %q, %v, want %q", offer, s.NegotiatedProtocol, err, want)
		}
	}
}

// clientCert is a client's certificate by an authority.
func clientCert(t *testing.T, name string, notAfter time.Time) (pair tls.Certificate, root *x509.Certificate) {
	t.Helper()
	caKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	ca := &x509.Certificate{SerialNumber: big.NewInt(1), IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign, NotBefore: notAfter.AddDate(-1, 0, 0), NotAfter: time.Now().AddDate(1, 0, 0)}
	ca.Subject.CommonName = "root of " + name
	der, err := x509.CreateCertificate(rand.Reader, ca, ca, caKey.Public(), caKey)
	if err == nil {
		root, err = x509.ParseCertificate(der)
	}
	if err != nil {
		t.Fatal(err)
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	leaf := &x509.Certificate{SerialNumber: big.NewInt(7), NotBefore: notAfter.AddDate(0, -6, 0), NotAfter: notAfter}
	leaf.Subject.CommonName = name
	if der, err = x509.CreateCertificate(rand.Reader, leaf, root, key.Public(), caKey); err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, root
}

func TestClientCertificates(t *testing.T) {
	p := newPKI(t)
	pair := p.pair("www.test")
	good, root := clientCert(t, "good", time.Now().AddDate(0, 1, 0))
	foreign, _ := clientCert(t, "foreign", time.Now().AddDate(0, 1, 0))
	expired, oldRoot := clientCert(t, "expired", time.Now().AddDate(0, -1, 0))
	trusted := x509.NewCertPool()
	trusted.AddCert(root)
	trusted.AddCert(oldRoot)
	verify := front.Clients{Mode: front.VerifyClients, Trusted: trusted}
	lenient, revoking := verify, verify
	lenient.IgnoreExpiry = true
	revoking.Revoked = func(c *x509.Certificate) bool { return c.Subject.CommonName == "good" }
	for name, row := range map[string]struct {
		clients front.Clients
		shown   *tls.Certificate
		want    bool
		names   string // that the codec is told
	}{
		"not asked":             {front.Clients{}, &good, true, ""},
		"passed on":             {front.Clients{Mode: front.PassClients}, &good, true, "good"},
		"foreign, passed on":    {front.Clients{Mode: front.PassClients}, &foreign, true, "foreign"},
		"none, passed on":       {front.Clients{Mode: front.PassClients}, nil, true, ""},
		"verified":              {verify, &good, true, "good"},
		"foreign":               {verify, &foreign, false, ""},
		"none":                  {verify, nil, false, ""},
		"expired":               {verify, &expired, false, ""},
		"expired, but accepted": {lenient, &expired, true, "expired"},
		"revoked":               {revoking, &good, false, ""},
	} {
		t.Run(name, func(t *testing.T) {
			w := serve(t, speaking(listener(t, modern, func(c *front.TLSConfig) { c.Clients = row.clients }, pair)))
			cfg := p.trusting("www.test")
			cfg.MaxVersion = tls.VersionTLS12 // where the client learns of a failure in the handshake
			cfg.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
				if row.shown == nil {
					return &tls.Certificate{}, nil
				}
				return row.shown, nil
			}
			_, err := w.handshake(t, cfg)
			if (err == nil) != row.want {
				t.Fatalf("the handshake ended with %v, want success: %v", err, row.want)
			}
			if err != nil {
				w.until(t, "the failure", func() bool { return w.fail == 1 })
				return
			}
			got := ""
			if chain := w.seen[0].Secure.Chain; len(chain) > 0 {
				got = chain[0].Subject.CommonName
			}
			if got != row.names {
				t.Errorf("the codec is told of %q, want %q", got, row.names)
			}
		})
	}
}
