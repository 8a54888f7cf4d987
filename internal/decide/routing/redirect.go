package routing

import (
	"slices"
	"strings"

	"neargate/internal/model"
)

// Origin is where a request came in, for the parts that a redirect keeps.
type Origin struct {
	Protocol string // "http" or "https"
	Host     string // the Host header, may have a port
	Port     string // of the listener
	Path     string // with its leading "/"
	Query    string
}

// Location returns the Location header of a redirect. Protocol, host, port and
// path are kept where the action does not set them; an empty query means none.
// The port always stands in it, as ELB writes it.
func Location(r model.Redirect, o Origin) string {
	keep := strings.NewReplacer(
		"#{protocol}", o.Protocol,
		"#{host}", hostname(o.Host),
		"#{port}", o.Port,
		"#{path}", strings.TrimPrefix(o.Path, "/"),
		"#{query}", o.Query,
	)
	part := func(s, otherwise string) string {
		if s == "" {
			s = otherwise
		}
		return keep.Replace(s)
	}
	location := strings.ToLower(part(r.Protocol, "#{protocol}")) + "://" + part(r.Host, "#{host}") +
		":" + part(r.Port, "#{port}") + part(r.Path, "/#{path}")
	if q := keep.Replace(r.Query); q != "" {
		location += "?" + q
	}
	return location
}

// Keyword returns the first keyword of a redirect that its part must not have,
// with the part's name; ok is true where there is none. A part takes its own
// keyword, the path those of host and port too, the query all
// (load-balancer-listeners, "Redirect actions").
func Keyword(r model.Redirect) (keyword, in string, ok bool) {
	parts := []struct {
		name, value string
		takes       []string
	}{
		{"protocol", r.Protocol, []string{"protocol"}},
		{"host", r.Host, []string{"host"}},
		{"port", r.Port, []string{"port"}},
		{"path", r.Path, []string{"host", "port", "path"}},
		{"query", r.Query, []string{"protocol", "host", "port", "path", "query"}},
	}
	for _, p := range parts {
		rest := p.value
		for {
			_, after, found := strings.Cut(rest, "#{")
			if !found {
				break
			}
			word, tail, closed := strings.Cut(after, "}")
			if !closed || !slices.Contains(p.takes, word) {
				return "#{" + after[:min(len(word)+1, len(after))], p.name, false
			}
			rest = tail
		}
	}
	return "", "", true
}
