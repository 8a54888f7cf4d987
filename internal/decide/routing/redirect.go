package routing

import (
	"strings"

	"neargate/internal/model"
)

// Origin is where a request came in, for the parts that a redirect keeps.
type Origin struct {
	Protocol string // "http"
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
