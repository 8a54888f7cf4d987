// Package octet is what octets of HTTP messages may be, whatever the version.
package octet

// Class is a set of octets, or several.
type Class uint8

// The classes (RFC 9110 5.6.2, RFC 9112, RFC 9113 8.2.1, RFC 3986).
const (
	Token      Class = 1 << iota // of methods and field names
	LowerToken                   // of field names in HTTP/2
	Plain                        // of names that drop_invalid_header_fields lets pass
	Value                        // of field values and reason phrases
	Target                       // of request targets; octets above 0x7f pass, as targets get them raw
	Host                         // of a registered name or an IPv4 address
	Visible                      // of field names that are none, but can be read
)

//nolint:gochecknoglobals // a constant table, which Go cannot declare as one
var classes = table()

func table() (t [256]Class) {
	set := func(class Class, s string) {
		for _, c := range []byte(s) {
			t[c] |= class
		}
	}
	const lower, upper, marks = "0123456789abcdefghijklmnopqrstuvwxyz", "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "!#$%&'*+-.^_`|~"
	set(Token, lower+upper+marks)
	set(LowerToken, lower+marks)
	set(Plain, lower+upper+"-")
	set(Host, lower+upper+"-._~%!$&'()*+;=")
	set(Value, "\t ")
	for c := 0x21; c < 0x7f; c++ {
		t[c] |= Visible
	}
	for c := 0x21; c < 256; c++ {
		if c != 0x7f {
			t[c] |= Value
		}
		if c != 0x7f && c != '#' {
			t[c] |= Target
		}
	}
	return t
}

// Is reports whether an octet is of a class.
func Is(c byte, class Class) bool { return classes[c]&class != 0 }

// All reports whether every octet of s is of the class.
func All(s string, class Class) bool {
	for i := range len(s) {
		if classes[s[i]]&class == 0 {
			return false
		}
	}
	return true
}

// Clean is All(s, Value), eight octets at a time.
func Clean(s string) bool {
	const ones, highs = 0x0101010101010101, 0x8080808080808080
	for len(s) >= 8 {
		x := uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 |
			uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56
		del := x ^ 0x7f*ones
		if ((x-0x20*ones)&^x|(del-ones)&^del)&highs != 0 && !All(s[:8], Value) {
			return false
		}
		s = s[8:]
	}
	return All(s, Value)
}

// Length reads a Content-Length: digits only, and not above what a file can have.
func Length(s string) (int64, bool) {
	if s == "" || len(s) > 18 {
		return 0, false
	}
	var n int64
	for i := range len(s) {
		c := s[i]
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + int64(c-'0')
	}
	return n, true
}
