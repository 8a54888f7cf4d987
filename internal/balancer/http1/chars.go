package http1

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
