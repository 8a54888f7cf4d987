package routing

import (
	"errors"
	"regexp"
	"strings"
)

// ErrRegex is that a text is no regular expression that ELB takes.
var ErrRegex = errors.New("not a regular expression of the kind that is supported")

// Regex compiles a regular expression of a condition or a transform. ELB's have
// no lookaround, backreferences, atomic groups, possessive quantifiers,
// subroutines, recursion or Unicode classes (rule-condition-types, "Condition
// basics"); those of Go, which take linear time, have but the last.
func Regex(s string, fold bool) (*regexp.Regexp, error) {
	if s == "" || unicodeClass(s) || strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r > '~' }) {
		return nil, ErrRegex
	}
	if fold {
		s = "(?i)" + s
	}
	re, err := regexp.Compile(s)
	if err != nil {
		return nil, ErrRegex
	}
	return re, nil
}

// unicodeClass reports whether a regular expression has \p or \P.
func unicodeClass(s string) bool {
	for i := 0; i+1 < len(s); i++ {
		if s[i] != '\\' {
			continue
		}
		i++
		if s[i] == 'p' || s[i] == 'P' {
			return true
		}
	}
	return false
}
