package logs

import (
	"strings"
)

// pattern is a filter pattern for unstructured events: terms that must occur,
// terms that must not, and alternatives of which one must. Terms are compared
// by case, anywhere in the message.
type pattern struct {
	all, none, any []string
}

// maxPatternBytes is FilterLogEvents' limit on filterPattern.
const maxPatternBytes = 1024

// parsePattern reads a filter pattern. Patterns for JSON, for space-delimited
// events and regular expressions are refused: to ignore them would answer
// wrongly. Code: InvalidParameterException.
func parsePattern(s string) (pattern, error) {
	var p pattern
	if len(s) > maxPatternBytes {
		return p, invalid("filterPattern is longer than %d characters", maxPatternBytes)
	}
	rest := strings.TrimSpace(s)
	if strings.HasPrefix(rest, "{") {
		return p, invalid("Invalid filter pattern: JSON filter patterns are not supported here, only terms")
	}
	if strings.HasPrefix(rest, "[") {
		return p, invalid("Invalid filter pattern: space-delimited filter patterns are not supported here, only terms")
	}
	for rest != "" {
		into := &p.all
		switch rest[0] {
		case '-':
			into, rest = &p.none, rest[1:]
		case '?':
			into, rest = &p.any, rest[1:]
		}
		term, after, err := cutTerm(rest)
		if err != nil {
			return pattern{}, err
		}
		*into = append(*into, term)
		rest = strings.TrimLeft(after, " \t")
	}
	if len(p.all)+len(p.none) > 0 {
		p.any = nil // CloudWatch Logs ignores ?terms beside others
	}
	return p, nil
}

// cutTerm takes one term, quoted or not, off the front.
func cutTerm(s string) (term, rest string, err error) {
	if quoted, ok := strings.CutPrefix(s, `"`); ok {
		var b strings.Builder
		for i := 0; i < len(quoted); i++ {
			switch c := quoted[i]; {
			case c == '\\' && i+1 < len(quoted) && (quoted[i+1] == '"' || quoted[i+1] == '\\'):
				i++
				b.WriteByte(quoted[i])
			case c == '"' && b.Len() > 0:
				return b.String(), quoted[i+1:], nil
			case c == '"':
				return "", "", invalid("Invalid filter pattern: a term is empty")
			default:
				b.WriteByte(c)
			}
		}
		return "", "", invalid("Invalid filter pattern: a quote is not closed")
	}
	end := strings.IndexAny(s, " \t")
	if end < 0 {
		end = len(s)
	}
	switch term = s[:end]; {
	case term == "":
		return "", "", invalid("Invalid filter pattern: a term is empty")
	case term[0] == '%':
		return "", "", invalid("Invalid filter pattern: regular expressions are not supported here, only terms")
	}
	return term, s[end:], nil
}

func (p pattern) matches(message string) bool {
	for _, t := range p.all {
		if !strings.Contains(message, t) {
			return false
		}
	}
	for _, t := range p.none {
		if strings.Contains(message, t) {
			return false
		}
	}
	for _, t := range p.any {
		if strings.Contains(message, t) {
			return true
		}
	}
	return len(p.any) == 0
}
