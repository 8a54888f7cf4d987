package http1

// Classes of octets (RFC 9110 5.6.2, RFC 9112, RFC 3986).
const (
	tokenChar   uint8 = 1 << iota // of methods and field names
	plainChar                     // of names that drop_invalid_header_fields lets pass
	valueChar                     // of field values and reason phrases
	targetChar                    // of request targets; bytes above 0x7f pass, as targets get them raw
	hostChar                      // of a registered name or an IPv4 address
	visibleChar                   // of field names that are none, but can be read
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
	for c := 0x21; c < 0x7f; c++ {
		t[c] |= visibleChar
	}
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

// cleanValue is all(s, valueChar), eight octets at a time.
func cleanValue(s string) bool {
	const ones, highs = 0x0101010101010101, 0x8080808080808080
	for len(s) >= 8 {
		x := uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 |
			uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56
		del := x ^ 0x7f*ones
		if ((x-0x20*ones)&^x|(del-ones)&^del)&highs != 0 && !all(s[:8], valueChar) {
			return false
		}
		s = s[8:]
	}
	return all(s, valueChar)
}

// lower is an ASCII letter in lower case, any other octet unchanged.
func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c | 0x20
	}
	return c
}

// isFold reports whether s is name but for case; name is in lower case.
func isFold(s, name string) bool {
	if len(s) != len(name) {
		return false
	}
	for i := range len(s) {
		if lower(s[i]) != name[i] {
			return false
		}
	}
	return true
}

// trim cuts blanks and tabs off both ends.
func trim(s string) string {
	for s != "" && (s[0] == ' ' || s[0] == '\t') {
		s = s[1:]
	}
	for s != "" && (s[len(s)-1] == ' ' || s[len(s)-1] == '\t') {
		s = s[:len(s)-1]
	}
	return s
}

// nextItem cuts the first element off a comma-separated list; elements may be
// empty.
func nextItem(list string) (item, rest string, more bool) {
	for i := range len(list) {
		if list[i] == ',' {
			return trim(list[:i]), list[i+1:], true
		}
	}
	return trim(list), "", false
}
