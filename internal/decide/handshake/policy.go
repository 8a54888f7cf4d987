// Package handshake decides what a TLS handshake with a load balancer may agree
// on: the protocols and ciphers of each of AWS's security policies, and which
// certificate a client is shown that could be shown several.
package handshake

import (
	"slices"
	"strings"
)

// DefaultPolicy is the policy of a listener that is created without one through
// the API (describe-ssl-policies, "Considerations").
const DefaultPolicy = "ELBSecurityPolicy-2016-08"

// The protocols, as DescribeSSLPolicies names them.
const (
	TLS10 = "TLSv1"
	TLS11 = "TLSv1.1"
	TLS12 = "TLSv1.2"
	TLS13 = "TLSv1.3"
)

// Policy is one security policy.
type Policy struct {
	Name      string
	Protocols []string // the newest first
	Ciphers   []string // by OpenSSL's names, in the order of preference
	// PostQuantum is a policy that offers hybrid key exchanges.
	PostQuantum bool
}

// FIPS reports whether the policy is one of those that a load balancer has for
// all of its listeners or for none.
func (p Policy) FIPS() bool { return strings.Contains(p.Name, "FIPS") }

// set is what sets of ciphers differ in; a cipher with several of these bits is in
// the policies that have all of them.
type set uint8

const (
	modern  set = 1 << iota // TLS 1.3
	chacha                  // ChaCha20, which no FIPS policy has
	forward                 // ECDHE with GCM, which every policy with TLS 1.2 has
	hashed                  // CBC with SHA-2
	legacy                  // CBC with SHA-1
	static                  // keys by RSA, without forward secrecy
)

// The sets of ciphers that policies have.
const (
	restricted = forward
	plain      = forward | hashed
	sha1       = plain | legacy
	rsa        = plain | static
	all        = plain | legacy | static
	tls13      = modern | chacha
)

// cipher is a cipher with what a policy must have for it.
type cipher struct {
	name string
	of   set
}

// ciphers are all ciphers in the order of every policy.
func ciphers() []cipher {
	return []cipher{
		{"TLS_AES_128_GCM_SHA256", modern},
		{"TLS_AES_256_GCM_SHA384", modern},
		{"TLS_CHACHA20_POLY1305_SHA256", modern | chacha},
		{"ECDHE-ECDSA-AES128-GCM-SHA256", forward},
		{"ECDHE-RSA-AES128-GCM-SHA256", forward},
		{"ECDHE-ECDSA-AES128-SHA256", hashed},
		{"ECDHE-RSA-AES128-SHA256", hashed},
		{"ECDHE-ECDSA-AES128-SHA", legacy},
		{"ECDHE-RSA-AES128-SHA", legacy},
		{"ECDHE-ECDSA-AES256-GCM-SHA384", forward},
		{"ECDHE-RSA-AES256-GCM-SHA384", forward},
		{"ECDHE-ECDSA-AES256-SHA384", hashed},
		{"ECDHE-RSA-AES256-SHA384", hashed},
		{"ECDHE-ECDSA-AES256-SHA", legacy},
		{"ECDHE-RSA-AES256-SHA", legacy},
		{"AES128-GCM-SHA256", static},
		{"AES128-SHA256", static | hashed},
		{"AES128-SHA", static | legacy},
		{"AES256-GCM-SHA384", static},
		{"AES256-SHA256", static | hashed},
		{"AES256-SHA", static | legacy},
	}
}

// tripleDES is the cipher that only the oldest policy has, last.
const tripleDES = "DES-CBC3-SHA"

// of returns the policy of a name with its ciphers; oldest is the oldest of its
// protocols.
func of(name, oldest string, has set) Policy {
	p := Policy{Name: name, PostQuantum: strings.Contains(name, "-PQ-")}
	for _, v := range []string{TLS13, TLS12, TLS11, TLS10} {
		if v != TLS13 || has&modern != 0 {
			p.Protocols = append(p.Protocols, v)
		}
		if v == oldest {
			break
		}
	}
	for _, c := range ciphers() {
		if c.of&has == c.of {
			p.Ciphers = append(p.Ciphers, c.name)
		}
	}
	return p
}

// Policies returns the security policies of application load balancers, in the
// order of DescribeSSLPolicies (observed for the older ones), the newer behind
// (describe-ssl-policies). The policies for RFC 9151 are missing: we could not
// offer their one cipher alone.
func Policies() []Policy {
	all := []Policy{
		of(DefaultPolicy, TLS10, all),
		of("ELBSecurityPolicy-TLS13-1-2-2021-06", TLS12, plain|tls13),
		of("ELBSecurityPolicy-TLS13-1-2-Res-2021-06", TLS12, restricted|tls13),
		of("ELBSecurityPolicy-TLS13-1-2-Ext1-2021-06", TLS12, rsa|tls13),
		of("ELBSecurityPolicy-TLS13-1-2-Ext2-2021-06", TLS12, all|tls13),
		of("ELBSecurityPolicy-TLS13-1-1-2021-06", TLS11, all|tls13),
		of("ELBSecurityPolicy-TLS13-1-0-2021-06", TLS10, all|tls13),
		of("ELBSecurityPolicy-TLS13-1-3-2021-06", TLS13, tls13),
		of("ELBSecurityPolicy-TLS-1-2-2017-01", TLS12, rsa),
		of("ELBSecurityPolicy-TLS-1-1-2017-01", TLS11, all),
		of("ELBSecurityPolicy-TLS-1-2-Ext-2018-06", TLS12, all),
		of("ELBSecurityPolicy-FS-2018-06", TLS10, sha1),
		of("ELBSecurityPolicy-2015-05", TLS10, all),
		of("ELBSecurityPolicy-TLS-1-0-2015-04", TLS10, all),
		of("ELBSecurityPolicy-FS-1-2-Res-2019-08", TLS12, plain),
		of("ELBSecurityPolicy-FS-1-1-2019-08", TLS11, sha1),
		of("ELBSecurityPolicy-FS-1-2-2019-08", TLS12, sha1),
		of("ELBSecurityPolicy-FS-1-2-Res-2020-10", TLS12, restricted),
	}
	for i := range all {
		if all[i].Name == "ELBSecurityPolicy-TLS-1-0-2015-04" {
			all[i].Ciphers = append(all[i].Ciphers, tripleDES)
		}
	}
	return append(all, newer()...)
}

// newer returns the policies for FIPS and for hybrid key exchanges.
func newer() (out []Policy) {
	for _, p := range []struct {
		middle, oldest string
		has            set
	}{
		{"1-3", TLS13, 0},
		{"1-2", TLS12, plain},
		{"1-2-Res", TLS12, restricted},
		{"1-2-Ext2", TLS12, all},
		{"1-2-Ext1", TLS12, rsa},
		{"1-2-Ext0", TLS12, sha1},
		{"1-1", TLS11, all},
		{"1-0", TLS10, all},
	} {
		name := "ELBSecurityPolicy-TLS13-" + p.middle
		out = append(out, of(name+"-FIPS-2023-04", p.oldest, p.has|modern))
		if p.middle == "1-1" {
			continue // there is no hybrid one
		}
		out = append(out, of(name+"-FIPS-PQ-2025-09", p.oldest, p.has|modern))
		if p.middle != "1-2-Ext0" {
			out = append(out, of(name+"-PQ-2025-09", p.oldest, p.has|tls13))
		}
	}
	return out
}

// Lookup returns the policy of a name.
func Lookup(name string) (Policy, bool) {
	all := Policies()
	i := slices.IndexFunc(all, func(p Policy) bool { return p.Name == name })
	if i < 0 {
		return Policy{}, false
	}
	return all[i], true
}
