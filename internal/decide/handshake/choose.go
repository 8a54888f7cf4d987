package handshake

import (
	"strings"
	"time"
)

// Certificate is what is known of a certificate when one is chosen.
type Certificate struct {
	Names     []string // lower case; "*.example.com" stands for one label
	ECDSA     bool     // its key, which is RSA otherwise
	KeyBits   int
	Weak      bool // signed over a hash that is no longer safe
	NotBefore time.Time
	NotAfter  time.Time
}

// Match is how well a certificate names a host.
type Match int

// The matches, the least first.
const (
	NoMatch Match = iota
	ByWildcard
	ByName
)

// Matches returns how well the certificate names a host, which is in lower case
// and has no final dot.
func (c Certificate) Matches(host string) Match {
	best := NoMatch
	_, domain, dotted := strings.Cut(host, ".")
	for _, name := range c.Names {
		switch {
		case name == host:
			return ByName
		case dotted && strings.HasPrefix(name, "*.") && name[2:] == domain:
			best = ByWildcard
		}
	}
	return best
}

// Choose returns the index of the certificate that a client is shown who asks for
// a host: -1, the default one, where none names it. supported reports whether the
// client can read a certificate's key; one it cannot read is shown only if it can
// read none.
//
// Of several AWS prefers ECDSA over RSA, those that have not expired, a safe
// hash, the longest key and the longest validity, in this order
// (listener certificates, "SNI"). One that names the host itself comes before one
// by a wildcard with a key of the same kind, which AWS does not write of.
func Choose(certs []Certificate, host string, now time.Time, supported func(i int) bool) int {
	best, bestReadable := -1, false
	for i, c := range certs {
		if c.Matches(host) == NoMatch {
			continue
		}
		readable := supported(i)
		switch {
		case best < 0, readable && !bestReadable, readable == bestReadable && c.before(certs[best], host, now):
			best, bestReadable = i, readable
		}
	}
	return best
}

// before reports whether a certificate is preferred to another that names the
// host as well.
func (c Certificate) before(other Certificate, host string, now time.Time) bool {
	valid := func(x Certificate) bool { return !now.Before(x.NotBefore) && now.Before(x.NotAfter) }
	lasts := func(x Certificate) time.Duration { return x.NotAfter.Sub(x.NotBefore) }
	switch {
	case c.ECDSA != other.ECDSA:
		return c.ECDSA
	case valid(c) != valid(other):
		return valid(c)
	case c.Weak != other.Weak:
		return !c.Weak
	case c.Matches(host) != other.Matches(host):
		return c.Matches(host) > other.Matches(host)
	case c.KeyBits != other.KeyBits:
		return c.KeyBits > other.KeyBits
	}
	return lasts(c) > lasts(other)
}
