package http2

// Classes of octets (RFC 9113, 8.2.1; RFC 9110, 5.6.2; RFC 3986).
const (
	nameChar   uint8 = 1 << iota // of field names: tokens in lower case
	plainChar                    // of names that drop_invalid_header_fields lets pass
	valueChar                    // of field values
	targetChar                   // of :path; octets above 0x7f pass, as targets get them raw
	hostChar                     // of a registered name or an IPv4 address
	tokenChar                    // of methods
)

//nolint:gochecknoglobals // a constant table, which Go cannot declare as one
var chars = charTable()

func charTable() (t [256]uint8) {
	set := func(class uint8, s string) {
		for _, c := range []byte(s) {
			t[c] |= class
		}
	}
	const lower, upper = "0123456789abcdefghijklmnopqrstuvwxyz", "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	set(nameChar|tokenChar, lower+"!#$%&'*+-.^_`|~")
	set(plainChar, lower+"-")
	set(tokenChar, upper)
	set(hostChar, lower+upper+"-._~%!$&'()*+;=")
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

// all reports whether every octet of s is of the class.
func all(s string, class uint8) bool {
	for i := range len(s) {
		if chars[s[i]]&class == 0 {
			return false
		}
	}
	return true
}

// cleanValue reports whether a value can stand in a field: no line ends, no
// control characters, no blanks around it.
func cleanValue(s string) bool {
	if s == "" {
		return true
	}
	if first, last := s[0], s[len(s)-1]; first == ' ' || first == '\t' || last == ' ' || last == '\t' {
		return false
	}
	return all(s, valueChar)
}

// parseLength reads a Content-Length: digits only, and not above what a file can
// have.
func parseLength(s string) (int64, bool) {
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
