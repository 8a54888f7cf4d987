package http1

import "encoding/binary"

// Classes of octets (RFC 9110 5.6.2, RFC 9112, RFC 3986).
const (
	tokenChar  uint8 = 1 << iota // of methods and field names
	plainChar                    // of names that drop_invalid_header_fields lets pass
	valueChar                    // of field values and reason phrases
	targetChar                   // of request targets; bytes above 0x7f pass, as targets get them raw
	hostChar                     // of a registered name or an IPv4 address
)

//nolint:gochecknoglobals // a constant table, which Go cannot declare as one
var chars = charTable()

func charTable() (t [256]uint8) {
	set := func(class uint8, s string) {
		for _, c := range []byte(s) {
			t[c] |= class
		}
	}
	const alnum = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
	set(tokenChar, alnum+"!#$%&'*+-.^_`|~")
	set(plainChar, alnum+"-")
	set(hostChar, alnum+"-._~%!$&'()*+;=")
	set(valueChar, "\t ")
	for c := 0x21; c < 256; c++ {
		if c != 0x7f {
			t[c] |= valueChar
		}
		if c != 0x7f && c != '#' {
			t[c] |= targetChar
		}
	}
	return t
}

// all reports whether every octet of p is of the class.
func all(p []byte, class uint8) bool {
	for _, c := range p {
		if chars[c]&class == 0 {
			return false
		}
	}
	return true
}

// cleanValue is all(p, valueChar), eight octets at a time.
func cleanValue(p []byte) bool {
	const ones, highs = 0x0101010101010101, 0x8080808080808080
	for len(p) >= 8 {
		x := binary.LittleEndian.Uint64(p)
		del := x ^ 0x7f*ones
		if ((x-0x20*ones)&^x|(del-ones)&^del)&highs != 0 && !all(p[:8], valueChar) {
			return false
		}
		p = p[8:]
	}
	return all(p, valueChar)
}

// lower is an ASCII letter in lower case, any other octet unchanged.
func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c | 0x20
	}
	return c
}

// isFold reports whether p is name but for case; name is in lower case.
func isFold(p []byte, name string) bool {
	if len(p) != len(name) {
		return false
	}
	for i, c := range p {
		if lower(c) != name[i] {
			return false
		}
	}
	return true
}

// trim cuts blanks and tabs off both ends.
func trim(p []byte) []byte {
	for len(p) > 0 && (p[0] == ' ' || p[0] == '\t') {
		p = p[1:]
	}
	for len(p) > 0 && (p[len(p)-1] == ' ' || p[len(p)-1] == '\t') {
		p = p[:len(p)-1]
	}
	return p
}

// nextItem cuts the first element off a comma-separated list; elements may be
// empty.
func nextItem(list []byte) (item, rest []byte, more bool) {
	for i, c := range list {
		if c == ',' {
			return trim(list[:i]), list[i+1:], true
		}
	}
	return trim(list), nil, false
}
