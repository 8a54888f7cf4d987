package routing

// pattern is text with wildcards, cut into steps: each matches one character,
// or, if many is set, any number of them.
type pattern struct {
	fold  bool // letters match in either case
	steps []step
}

type step struct {
	char byte // in lower case when the pattern folds
	any  bool // "?": one character, whichever
	many bool // "*": none or more
}

// newPattern compiles text with "*" (none or more characters) and "?" (one).
// A backslash takes the meaning from the wildcard after it. Folding is of
// ASCII letters only, as host names and header values are ASCII.
func newPattern(s string, fold bool) pattern {
	p := pattern{fold: fold}
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '\\' && i+1 < len(s) && (s[i+1] == '*' || s[i+1] == '?' || s[i+1] == '\\'):
			i++
			p.steps = append(p.steps, step{char: s[i]})
		case s[i] == '*':
			p.steps = append(p.steps, step{many: true})
		case s[i] == '?':
			p.steps = append(p.steps, step{any: true})
		case fold:
			p.steps = append(p.steps, step{char: lower(s[i])})
		default:
			p.steps = append(p.steps, step{char: s[i]})
		}
	}
	return p
}

// matches reports whether the whole of s fits. After a mismatch it goes back to
// the last "*" and lets that take one character more, which is enough for
// patterns of this kind: the time is at most len(s) × len(steps).
func (p *pattern) matches(s string) bool {
	i, j := 0, 0        // in s, in steps
	star, mark := -1, 0 // the last "*", and where in s what it takes ends
	for i < len(s) {
		switch {
		case j < len(p.steps) && p.steps[j].many:
			star, mark = j, i
			j++
		case j < len(p.steps) && (p.steps[j].any || p.steps[j].char == p.char(s[i])):
			i, j = i+1, j+1
		case star >= 0:
			mark++
			i, j = mark, star+1
		default:
			return false
		}
	}
	for j < len(p.steps) && p.steps[j].many {
		j++
	}
	return j == len(p.steps)
}

func (p *pattern) char(c byte) byte {
	if p.fold {
		return lower(c)
	}
	return c
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}
