package routing

import (
	"regexp"
	"slices"
	"strings"

	"neargate/internal/model"
)

// condition is a compiled model.Condition; any of its values suffices.
type condition struct {
	field    string
	header   string
	exact    []string  // http-request-method
	patterns []pattern // host-header, path-pattern, http-header
	regexes  []*regexp.Regexp
	query    []pair
	sources  []Prefix
}

// pair is one value of a query-string condition; without key any key will do.
type pair struct {
	keyed      bool
	key, value pattern
}

func compile(c model.Condition, parse func(string) (Prefix, bool)) condition {
	out := condition{field: c.Field, header: c.HeaderName}
	switch c.Field {
	case "http-request-method":
		out.exact = c.Values
	case "source-ip":
		for _, v := range c.Values {
			if p, ok := parse(v); ok {
				out.sources = append(out.sources, p)
			}
		}
	case "query-string":
		for _, q := range c.Query {
			out.query = append(out.query, pair{q.Key != "", newPattern(q.Key, true), newPattern(q.Value, true)})
		}
	default:
		for _, v := range c.Values {
			out.patterns = append(out.patterns, newPattern(v, c.Field != "path-pattern"))
		}
		for _, v := range c.Regex {
			// One that is none was refused when the rule was made.
			if re, err := Regex(v, c.Field != "path-pattern"); err == nil {
				out.regexes = append(out.regexes, re)
			}
		}
	}
	return out
}

func (c *condition) holds(req *Request) bool {
	switch c.field {
	case "host-header":
		return c.hosted(req.Host)
	case "path-pattern":
		return c.any(req.Path)
	case "http-request-method":
		return c.method(req.Method)
	case "query-string":
		return c.queried(req.Query)
	case "source-ip":
		return c.from(&req.Source)
	case "http-header":
		return c.headed(req.Header)
	}
	return false
}

func (c *condition) any(s string) bool {
	for i := range c.patterns {
		if c.patterns[i].matches(s) {
			return true
		}
	}
	return c.found(s)
}

// found reports whether a regular expression finds something in s.
func (c *condition) found(s string) bool {
	for _, re := range c.regexes {
		if re.MatchString(s) {
			return true
		}
	}
	return false
}

// hosted compares a Host header. Patterns know no port; a regular expression may
// name the one that the header has, or be written without a thought of it.
func (c *condition) hosted(host string) bool {
	name := hostname(host)
	if c.any(name) {
		return true
	}
	return len(name) < len(host) && c.found(host)
}

func (c *condition) method(m string) bool {
	return slices.Contains(c.exact, m)
}

func (c *condition) headed(h Header) bool {
	if h == nil {
		return false
	}
	found := false
	h.Each(c.header, func(v string) bool {
		found = c.any(v)
		return !found
	})
	return found
}

// queried looks for a key and value among those of the query. ELB compares
// them as they were sent, undecoded.
func (c *condition) queried(query string) bool {
	for query != "" {
		var part string
		part, query, _ = strings.Cut(query, "&")
		key, value, _ := strings.Cut(part, "=")
		for i := range c.query {
			p := &c.query[i]
			if (!p.keyed || p.key.matches(key)) && p.value.matches(value) {
				return true
			}
		}
	}
	return false
}

func (c *condition) from(addr *[16]byte) bool {
	for i := range c.sources {
		if c.sources[i].contains(addr) {
			return true
		}
	}
	return false
}

// contains reports whether the block has the address. A block of IPv6 has no IPv4
// address, though those have an IPv6 form.
func (p *Prefix) contains(addr *[16]byte) bool {
	if p.Bits < mappedBits && mapped(addr) {
		return false
	}
	whole := p.Bits / 8
	for i := range whole {
		if p.Addr[i] != addr[i] {
			return false
		}
	}
	if rest := p.Bits % 8; rest > 0 {
		mask := byte(0xff) << (8 - rest)
		return p.Addr[whole]&mask == addr[whole]&mask
	}
	return true
}

// mappedBits is how many bits all IPv4 addresses have in common in their IPv6 form.
const mappedBits = 96

func mapped(addr *[16]byte) bool {
	return [12]byte(addr[:12]) == [12]byte{10: 0xff, 11: 0xff}
}

// hostname cuts the port from a Host header.
func hostname(host string) string {
	if i := strings.LastIndexByte(host, ':'); i >= 0 && i > strings.LastIndexByte(host, ']') {
		return host[:i]
	}
	return host
}
