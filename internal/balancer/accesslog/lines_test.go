package accesslog

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"net/netip"
	"testing"
	"time"

	"neargate/internal/balancer/exchange"
)

// The lines are those of the user guide's examples, with the fields that are newer.
func TestConnectionLine(t *testing.T) {
	serial, _ := new(big.Int).SetString("FEF257372D5C14D4", 16)
	c := Conn{
		At: moment(t, "2023-10-04T17:05:15.514108Z"), Client: netip.MustParseAddrPort("203.0.113.1:36280"), Port: 443,
		LoadBalancer: "app/my-loadbalancer/1234567890abcdef", Node: netip.MustParseAddr("172.160.1.192"),
		ID: exchange.ConnID{0x3180a73013c8ca4b, 0xac2f731159d4b0fe}, Protocol: "TLSv1.2", Cipher: "ECDHE-RSA-AES128-GCM-SHA256", Group: "x25519",
		Took: 4036 * time.Millisecond,
		Leaf: &x509.Certificate{
			SerialNumber: serial, NotBefore: moment(t, "2023-09-21T22:43:21Z"), NotAfter: moment(t, "2026-06-17T22:43:21Z"),
			Subject: pkix.Name{CommonName: "amazondomains.com", Organization: []string{"endEntity"}, Locality: []string{"Seattle"}, Province: []string{"Washington"}, Country: []string{"US"}},
		},
	}
	const leaf = `"CN=amazondomains.com,O=endEntity,L=Seattle,ST=Washington,C=US" NotBefore=2023-09-21T22:43:21Z;NotAfter=2026-06-17T22:43:21Z FEF257372D5C14D4`
	const id = ` TID_3180a73013c8ca4bac2f731159d4b0fe `
	const end = ` app/my-loadbalancer/1234567890abcdef 172.160.1.192` + "\n"
	same := func(want string) {
		t.Helper()
		if got := string(c.Append(nil)); got != want {
			t.Errorf("got\n%swant\n%s", got, want)
		}
	}
	same(`2023-10-04T17:05:15.514108Z 203.0.113.1 36280 443 TLSv1.2 ECDHE-RSA-AES128-GCM-SHA256 4.036 ` + leaf + ` Success` + id + `x25519` + end)
	c.Took, c.Fault = 0, "ClientCertUntrusted"
	same(`2023-10-04T17:05:15.514108Z 203.0.113.1 36280 443 TLSv1.2 ECDHE-RSA-AES128-GCM-SHA256 - ` + leaf + ` Failed:ClientCertUntrusted` + id + `x25519` + end)
	c.Fault, c.Leaf, c.Protocol, c.Cipher, c.Group, c.Port = "", nil, "", "", "", 80
	same(`2023-10-04T17:05:15.514108Z 203.0.113.1 36280 80 - - - "-" - - Success` + id + `-` + end)
}

func TestCheckLine(t *testing.T) {
	c := Check{
		Kind: "http", At: moment(t, "2025-10-31T12:44:59.875678Z"), Took: 19584011, Target: netip.MustParseAddrPort("172.31.20.97:80"),
		TargetGroup: "HCLogsTestIPs", Answered: true, Code: 200, LoadBalancer: "app/web/1234567890abcdef", Node: netip.MustParseAddr("10.0.0.9"),
	}
	same := func(want string) {
		t.Helper()
		if got := string(c.Append(nil)); got != want+" app/web/1234567890abcdef 10.0.0.9\n" {
			t.Errorf("got %swant %s", got, want)
		}
	}
	same("http 2025-10-31T12:44:59.875678Z 0.019584011 172.31.20.97:80 HCLogsTestIPs PASS 200 -")
	c.Code, c.Fault = 502, "TargetError"
	same("http 2025-10-31T12:44:59.875678Z 0.019584011 172.31.20.97:80 HCLogsTestIPs FAIL 502 TargetError")
	c.Kind, c.Answered, c.Code, c.Fault = "grpc", false, 0, "TimedOut"
	same("grpc 2025-10-31T12:44:59.875678Z 0.019584011 172.31.20.97:80 HCLogsTestIPs FAIL - TimedOut")
}
