package http2

import "neargate/internal/balancer/octet"

// cleanValue reports whether a value can stand in a field: no line ends, no
// control characters, no blanks around it.
func cleanValue(s string) bool {
	if s == "" {
		return true
	}
	if first, last := s[0], s[len(s)-1]; first == ' ' || first == '\t' || last == ' ' || last == '\t' {
		return false
	}
	return octet.Clean(s)
}
