package handshake_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"neargate/internal/decide/handshake"
)

func TestPolicies(t *testing.T) {
	seen := map[string]bool{}
	for _, p := range handshake.Policies() {
		if seen[p.Name] {
			t.Errorf("%s is there twice", p.Name)
		}
		seen[p.Name] = true
		if got, ok := handshake.Lookup(p.Name); !ok || got.Name != p.Name {
			t.Errorf("%s is not found", p.Name)
		}
		if p.FIPS() && slices.ContainsFunc(p.Ciphers, func(c string) bool { return strings.Contains(c, "CHACHA20") }) {
			t.Errorf("%s has ChaCha20", p.Name)
		}
		if modern := strings.Contains(p.Name, "TLS13"); modern != slices.Contains(p.Protocols, handshake.TLS13) {
			t.Errorf("%s has the protocols %v", p.Name, p.Protocols)
		}
	}
	// As describe-ssl-policies lists them.
	for name, want := range map[string]struct {
		protocols string
		ciphers   int
	}{
		"ELBSecurityPolicy-2016-08":                     {"TLSv1.2 TLSv1.1 TLSv1", 18},
		"ELBSecurityPolicy-TLS13-1-3-2021-06":           {"TLSv1.3", 3},
		"ELBSecurityPolicy-TLS13-1-2-2021-06":           {"TLSv1.3 TLSv1.2", 11},
		"ELBSecurityPolicy-TLS13-1-2-Res-2021-06":       {"TLSv1.3 TLSv1.2", 7},
		"ELBSecurityPolicy-TLS13-1-2-Ext1-2021-06":      {"TLSv1.3 TLSv1.2", 15},
		"ELBSecurityPolicy-TLS13-1-2-Ext2-2021-06":      {"TLSv1.3 TLSv1.2", 21},
		"ELBSecurityPolicy-TLS13-1-0-2021-06":           {"TLSv1.3 TLSv1.2 TLSv1.1 TLSv1", 21},
		"ELBSecurityPolicy-TLS-1-2-2017-01":             {"TLSv1.2", 12},
		"ELBSecurityPolicy-TLS-1-0-2015-04":             {"TLSv1.2 TLSv1.1 TLSv1", 19},
		"ELBSecurityPolicy-FS-1-2-Res-2020-10":          {"TLSv1.2", 4},
		"ELBSecurityPolicy-FS-1-2-Res-2019-08":          {"TLSv1.2", 8},
		"ELBSecurityPolicy-FS-1-1-2019-08":              {"TLSv1.2 TLSv1.1", 12},
		"ELBSecurityPolicy-TLS13-1-2-Ext0-FIPS-2023-04": {"TLSv1.3 TLSv1.2", 14},
		"ELBSecurityPolicy-TLS13-1-3-FIPS-2023-04":      {"TLSv1.3", 2},
		"ELBSecurityPolicy-TLS13-1-2-Res-PQ-2025-09":    {"TLSv1.3 TLSv1.2", 7},
	} {
		p, ok := handshake.Lookup(name)
		if got := strings.Join(p.Protocols, " "); !ok || got != want.protocols || len(p.Ciphers) != want.ciphers {
			t.Errorf("%s has %s and %d ciphers, want %s and %d", name, got, len(p.Ciphers), want.protocols, want.ciphers)
		}
	}
	if _, ok := handshake.Lookup("ELBSecurityPolicy-2099-01"); ok {
		t.Error("a policy that there is not is found")
	}
}

func TestChoose(t *testing.T) {
	now := time.Date(2026, 5, 1, 0, 0, 0, 0, time.UTC)
	cert := func(change func(*handshake.Certificate)) handshake.Certificate {
		c := handshake.Certificate{
			Names: []string{"www.example.com"}, KeyBits: 2048, NotBefore: now.AddDate(0, -1, 0), NotAfter: now.AddDate(0, 1, 0),
		}
		change(&c)
		return c
	}
	simple := cert(func(*handshake.Certificate) {})
	wild := cert(func(c *handshake.Certificate) { c.Names = []string{"*.example.com"} })
	ecdsa := cert(func(c *handshake.Certificate) { c.ECDSA, c.KeyBits = true, 256 })
	wildECDSA := cert(func(c *handshake.Certificate) { c.Names, c.ECDSA, c.KeyBits = wild.Names, true, 256 })
	expired := cert(func(c *handshake.Certificate) { c.NotAfter = now.AddDate(0, 0, -1); c.KeyBits = 4096 })
	weak := cert(func(c *handshake.Certificate) { c.Weak, c.KeyBits = true, 4096 })
	long := cert(func(c *handshake.Certificate) { c.KeyBits = 4096 })
	lasting := cert(func(c *handshake.Certificate) { c.NotAfter = now.AddDate(1, 0, 0) })
	other := cert(func(c *handshake.Certificate) { c.Names = []string{"other.org"} })
	type certs = []handshake.Certificate
	for name, row := range map[string]struct {
		certs  certs
		host   string
		unread []int // that the client cannot read
		want   int
	}{
		"none":                            {nil, "www.example.com", nil, -1},
		"no match":                        {certs{other}, "www.example.com", nil, -1},
		"one":                             {certs{other, simple}, "www.example.com", nil, 1},
		"a wildcard is one label":         {certs{wild}, "a.b.example.com", nil, -1},
		"a wildcard is no parent":         {certs{wild}, "example.com", nil, -1},
		"ECDSA":                           {certs{long, ecdsa}, "www.example.com", nil, 1},
		"ECDSA that cannot be read":       {certs{simple, ecdsa}, "www.example.com", []int{1}, 0},
		"none can be read":                {certs{simple, ecdsa}, "www.example.com", []int{0, 1}, 1},
		"ECDSA by wildcard":               {certs{simple, wildECDSA}, "www.example.com", nil, 1},
		"the name itself":                 {certs{wild, simple}, "www.example.com", nil, 1},
		"not expired":                     {certs{expired, simple}, "www.example.com", nil, 1},
		"expired where there is no other": {certs{expired}, "www.example.com", nil, 0},
		"a safe hash":                     {certs{weak, simple}, "www.example.com", nil, 1},
		"the longest key":                 {certs{simple, long}, "www.example.com", nil, 1},
		"the longest validity":            {certs{simple, lasting}, "www.example.com", nil, 1},
		"the first of equals":             {certs{simple, simple}, "www.example.com", nil, 0},
	} {
		got := handshake.Choose(row.certs, row.host, now, func(i int) bool { return !slices.Contains(row.unread, i) })
		if got != row.want {
			t.Errorf("%s: chose %d, want %d", name, got, row.want)
		}
	}
}
