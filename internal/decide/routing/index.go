package routing

import (
	"cmp"
	"math"
	"slices"
	"strings"
)

// index finds the rules of a table that may match a request by what they ask of
// its host or path, so that a thousand rules cost little more than one. Each
// rule is at one place: below the hosts that it asks for in full, below the
// ends of the hosts, below the beginnings of the paths, or among the rest, which
// is tried one by one.
type index struct {
	hosts    map[string][]int // in lower case, without port
	suffixes map[string][]int // in lower case, from a dot on
	paths    prefixes
	rest     []int
}

// key is where a rule may be in the index.
type key struct {
	kind keyKind
	text string
}

type keyKind int

const (
	byHost keyKind = iota
	bySuffix
	byPath
)

// newIndex puts each rule where it shares its place with the fewest others.
func newIndex(rules []rule) index {
	choices := make([][2][]key, len(rules)) // by host and by path; none where the rule cannot be found so
	crowd := map[key]int{}
	for i := range rules {
		choices[i] = rules[i].keys()
		for _, keys := range choices[i] {
			for _, k := range keys {
				crowd[k]++
			}
		}
	}
	x := index{hosts: map[string][]int{}, suffixes: map[string][]int{}}
	paths := map[string][]int{}
	for i := range rules {
		keys := fewest(choices[i], crowd)
		if len(keys) == 0 {
			x.rest = append(x.rest, i)
		}
		for _, k := range keys {
			switch k.kind {
			case byHost:
				x.hosts[k.text] = append(x.hosts[k.text], i)
			case bySuffix:
				x.suffixes[k.text] = append(x.suffixes[k.text], i)
			case byPath:
				paths[k.text] = append(paths[k.text], i)
			}
		}
	}
	x.paths = newPrefixes(paths)
	return x
}

func fewest(choices [2][]key, crowd map[key]int) []key {
	most := func(keys []key) int {
		if len(keys) == 0 {
			return math.MaxInt
		}
		n := 0
		for _, k := range keys {
			n = max(n, crowd[k])
		}
		return n
	}
	return slices.MinFunc(choices[:], func(a, b []key) int { return cmp.Compare(most(a), most(b)) })
}

// keys returns where a request must be looked for that the rule matches: under one
// of the keys by host, if there are any, and under one of those by path.
func (r *rule) keys() (out [2][]key) {
	for i := range r.conditions {
		c := &r.conditions[i]
		if len(c.regexes) > 0 {
			continue
		}
		switch c.field {
		case "host-header":
			out[0] = keysOf(c.patterns, hostKey)
		case "path-pattern":
			out[1] = keysOf(c.patterns, pathKey)
		}
	}
	return out
}

// keysOf returns the keys of patterns, none when one of them has none.
func keysOf(patterns []pattern, of func(*pattern) (key, bool)) []key {
	var out []key
	for i := range patterns {
		k, ok := of(&patterns[i])
		if !ok {
			return nil
		}
		if !slices.Contains(out, k) {
			out = append(out, k)
		}
	}
	return out
}

// hostKey is the whole name, or what follows its last wildcard from a dot on.
func hostKey(p *pattern) (key, bool) {
	after := 0
	for i := range p.steps {
		if p.steps[i].any || p.steps[i].many {
			after = i + 1
		}
	}
	text := literal(p.steps[after:])
	if after == 0 {
		return key{byHost, text}, true
	}
	dot := strings.IndexByte(text, '.')
	if dot < 0 {
		return key{}, false
	}
	return key{bySuffix, text[dot:]}, true
}

// pathKey is what stands before the first wildcard.
func pathKey(p *pattern) (key, bool) {
	n := slices.IndexFunc(p.steps, func(s step) bool { return s.any || s.many })
	if n < 0 {
		n = len(p.steps)
	}
	return key{byPath, literal(p.steps[:n])}, n > 0
}

func literal(steps []step) string {
	var b strings.Builder
	for _, s := range steps {
		b.WriteByte(s.char)
	}
	return b.String()
}

// first returns the least number of a rule that holds, below limit, else limit.
func (x *index) first(rules []rule, req *Request) int {
	best := scan(rules, x.rest, req, len(rules))
	if len(x.hosts)+len(x.suffixes) > 0 {
		best = x.named(rules, req, best)
	}
	for at := x.paths.find(req.Path); at >= 0; at = x.paths.parents[at] {
		best = scan(rules, x.paths.rules[at], req, best)
	}
	return best
}

// maxHost bounds the names that the index knows: those of conditions are shorter.
const maxHost = 253

func (x *index) named(rules []rule, req *Request, best int) int {
	host := hostname(req.Host)
	if len(host) > maxHost {
		// A longer name can still end as a pattern does.
		for _, at := range x.suffixes {
			best = scan(rules, at, req, best)
		}
		return best
	}
	var buf [maxHost]byte
	name := buf[:len(host)]
	for i := range name {
		name[i] = lower(host[i])
	}
	best = scan(rules, x.hosts[string(name)], req, best)
	if len(x.suffixes) == 0 {
		return best
	}
	for i, c := range name {
		if c == '.' {
			best = scan(rules, x.suffixes[string(name[i:])], req, best)
		}
	}
	return best
}

// scan returns the first of some rules that holds, if it stands before best.
func scan(rules []rule, some []int, req *Request, best int) int {
	for _, i := range some {
		if i >= best {
			break
		}
		if rules[i].holds(req) {
			return i
		}
	}
	return best
}
