package http1

import (
	"strings"

	"neargate/internal/balancer/exchange"
	"neargate/internal/balancer/octet"
)

// What AWS lets pass though it does not comply passes here too, in a form that no
// two readers understand differently (application-load-balancers, "Classification
// reasons").

// meet takes a field with a quirk, or refuses it.
func (r *request) meet(f *exchange.Field, q quirk) error {
	switch {
	case q == nameless:
		r.Blame(exchange.Ambiguous, "EmptyHeader")
		f.Hop = true
	case q == oddName:
		// No target gets it: many refuse the whole request for such a name.
		r.Blame(exchange.Acceptable, "NonCompliantHeader")
		f.Hop = true
	case q == oddValue && f.ID == exchange.OtherField:
		r.Blame(exchange.Acceptable, "NonCompliantHeader")
		clean(f)
	default: // unreadable, or steers something
		return errBadHeader
	}
	return nil
}

// escapeURI writes blanks and control characters of the URI as they must be.
func (r *request) escapeURI() error {
	var out strings.Builder
	for i := range len(r.URI) {
		c := r.URI[i]
		switch {
		case octet.Is(c, octet.Target):
			out.WriteByte(c)
			continue
		case c == ' ':
			r.Blame(exchange.Acceptable, "SpaceInUri")
		case c == 0, c == '\r', c == '#':
			return errBadURI
		default:
			r.Blame(exchange.Ambiguous, "AmbiguousUri")
		}
		const digits = "0123456789ABCDEF"
		out.Write([]byte{'%', digits[c>>4], digits[c&15]})
	}
	r.URI = out.String()
	return nil
}

// suspicious reports whether a field that does not frame a body could be taken for
// one that does, by a reader that makes light of what stands between letters.
func suspicious(name string) bool {
	return len(name) >= len("contentlength") && (sameLetters(name, "contentlength") || sameLetters(name, "transferencoding"))
}

func sameLetters(name, letters string) bool {
	at := 0
	for i := range len(name) {
		c := lower(name[i])
		if c < 'a' || c > 'z' {
			continue
		}
		if at == len(letters) || letters[at] != c {
			return false
		}
		at++
	}
	return at == len(letters)
}
