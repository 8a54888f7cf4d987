package routing

import (
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
	}
	return out
}

func (c *condition) holds(req *Request) bool {
	switch c.field {
	case "host-header":
		return c.any(hostname(req.Host))
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
	return false
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

func (p *Prefix) contains(addr *[16]byte) bool {
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

// hostname cuts the port from a Host header.
func hostname(host string) string {
	if i := strings.LastIndexByte(host, ':'); i >= 0 && i > strings.LastIndexByte(host, ']') {
		return host[:i]
	}
	return host
}
