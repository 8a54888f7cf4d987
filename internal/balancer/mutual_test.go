package balancer

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"neargate/internal/model"
)

// trust is a trust store of one authority, with an ARN.
type trust struct {
	mu      sync.Mutex
	pool    *x509.CertPool
	revoked bool
}

const trustARN = "arn:aws:elasticloadbalancing:us-east-1:000000000000:truststore/clients/0123456789abcdef"

func (t *trust) Trusted(arn string) (*x509.CertPool, func(*x509.Certificate) bool, error) {
	if arn != trustARN {
		return nil, nil, model.Errorf(model.NotFound, "TrustStoreNotFound", "Trust store '%s' not found", arn)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	revoked := t.revoked
	return t.pool, func(*x509.Certificate) bool { return revoked }, nil
}

// clientPair is a certificate for clients with a hostile name, by an authority of
// its own, and that.
func clientPair(t *testing.T) (tls.Certificate, *x509.Certificate) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	root := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "clients"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	rootDER, err := x509.CreateCertificate(rand.Reader, root, root, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	leaf := &x509.Certificate{
		SerialNumber: big.NewInt(0xabc), Subject: pkix.Name{CommonName: "someone\r\nX-Forged: yes"}, NotBefore: root.NotBefore, NotAfter: root.NotAfter,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, leaf, root, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := x509.ParseCertificate(rootDER)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, parsed
}

// A target is told what the load balancer saw of its client's certificate, and
// nothing that the client says of it.
func TestMutualAuthentication(t *testing.T) {
	s, pair := newShelf(t), &trust{pool: x509.NewCertPool()}
	shown, root := clientPair(t)
	pair.pool.AddCert(root)
	r := start(t, Config{Certificates: s, TrustStores: pair})
	lb, tg, port := r.loadBalancer("web"), r.targetGroup("web", nil), freePort(t)
	l := r.secured(lb, port, forward(tg.ARN), s.put("one", "www.test"))
	target := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		for name, values := range q.Header {
			if strings.HasPrefix(name, "X-Amzn-Mtls") || name == "X-Serial" || name == "X-Forged" {
				w.Header()["Seen-"+name] = values
			}
		}
		_, _ = io.WriteString(w, "ok")
	}))
	t.Cleanup(target.Close)
	b := &backend{name: "target", at: model.Target{IP: "127.0.0.1", Port: target.Listener.Addr().(*net.TCPAddr).Port}}
	r.register(tg, b)
	r.await(tg, "healthy", b)
	ask := func(with *tls.Certificate) (http.Header, error) {
		c := s.client(port)
		conf := c.Transport.(*http.Transport).TLSClientConfig
		if with != nil {
			conf.Certificates = []tls.Certificate{*with}
		}
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://www.test/", http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("X-Amzn-Mtls-Clientcert-Subject", "CN=forged")
		req.Header.Set("X-Amzn-Mtls-Clientcert", "forged")
		req.Header.Set("X-Serial", "forged")
		resp, err := c.Do(req)
		if err != nil {
			return nil, err
		}
		return resp.Header, resp.Body.Close()
	}
	set := func(m model.MutualAuthentication) {
		t.Helper()
		if _, err := r.UpdateListener(t.Context(), l.ARN, func(l *model.Listener) error {
			l.Mutual = m
			l.Attributes = map[string]string{"routing.http.request.x_amzn_mtls_clientcert_serial_number.header_name": "X-Serial"}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	}
	set(model.MutualAuthentication{Mode: "passthrough"})
	h, err := ask(&shown)
	if err != nil {
		t.Fatal(err)
	}
	text, err := url.PathUnescape(h.Get("Seen-X-Amzn-Mtls-Clientcert"))
	if err != nil {
		t.Fatal(err)
	}
	if block, _ := pem.Decode([]byte(text)); block == nil || string(block.Bytes) != string(shown.Certificate[0]) || h.Get("Seen-X-Amzn-Mtls-Clientcert-Subject") != "" || h.Get("Seen-X-Serial") != "" {
		t.Errorf("passed through: %v", h)
	}
	if h, err := ask(nil); err != nil || h.Get("Seen-X-Amzn-Mtls-Clientcert") != "" {
		t.Errorf("without a certificate: %v, %v", h, err)
	}
	set(model.MutualAuthentication{Mode: "verify", TrustStoreARN: trustARN})
	if h, err = ask(&shown); err != nil {
		t.Fatal(err)
	}
	if h.Get("Seen-X-Serial") != "0ABC" || !strings.HasPrefix(h.Get("Seen-X-Amzn-Mtls-Clientcert-Subject"), "CN=someone") || h.Get("Seen-X-Amzn-Mtls-Clientcert-Issuer") != "CN=clients" ||
		!strings.HasPrefix(h.Get("Seen-X-Amzn-Mtls-Clientcert-Validity"), "NotBefore=2") || h.Get("Seen-X-Amzn-Mtls-Clientcert-Leaf") == "" || h.Get("Seen-X-Amzn-Mtls-Clientcert") != "" || h.Get("Seen-X-Forged") != "" {
		t.Errorf("verified: %v", h)
	}
	if _, err := ask(nil); err == nil {
		t.Error("a client without a certificate is served")
	}
	if users := r.TrustStoreUsers(trustARN); len(users) != 1 || users[0] != l.ARN {
		t.Errorf("it is used by %v", users)
	}
	pair.mu.Lock()
	pair.revoked = true
	pair.mu.Unlock()
	r.TrustStoreChanged(trustARN)
	if _, err := ask(&shown); err == nil {
		t.Error("a client whose certificate was revoked is served")
	}
	if _, err := r.UpdateListener(t.Context(), l.ARN, func(l *model.Listener) error { l.Mutual.TrustStoreARN = "gone"; return nil }); err == nil {
		t.Error("a trust store that there is not is taken")
	}
}
