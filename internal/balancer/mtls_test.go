package balancer

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"testing"
	"time"
)

// What a target is told of a verified client, in the words of AWS's example
// (mutual-authentication, "HTTP headers").
func TestClientHeaders(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(0x3a5b1f),
		Subject:      pkix.Name{CommonName: "client, one", Organization: []string{"Shop"}, Country: []string{"DE"}},
		NotBefore:    time.Date(2026, 9, 21, 1, 50, 17, 0, time.UTC), NotAfter: time.Date(2027, 9, 20, 1, 50, 17, 0, time.UTC),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, h := range clientHeaders() {
		got[h.name] = h.value([]*x509.Certificate{leaf})
	}
	for name, want := range map[string]string{
		"X-Amzn-Mtls-Clientcert-Serial-Number": "3A5B1F",
		"X-Amzn-Mtls-Clientcert-Subject":       `CN=client\, one,O=Shop,C=DE`,
		"X-Amzn-Mtls-Clientcert-Issuer":        `CN=client\, one,O=Shop,C=DE`,
		"X-Amzn-Mtls-Clientcert-Validity":      "NotBefore=2026-09-21T01:50:17Z;NotAfter=2027-09-20T01:50:17Z",
	} {
		if got[name] != want {
			t.Errorf("%s is %q, want %q", name, got[name], want)
		}
	}
}
