package http1

import (
	"net/http"
	"strings"

	"neargate/internal/balancer/exchange"
	"neargate/internal/balancer/octet"
)

// parse reads the head buf[at:end], which headEnd has found. What could be read
// before an error stays set, for the access log.
func (r *request) parse(buf []byte, at, end int) error {
	r.end = end
	head := view(buf[at:end])
	line := strings.IndexByte(head, '\n') + 1
	if line > maxRequestLine {
		return errURITooLong
	}
	if err := r.parseLine(head[:line-2]); err != nil {
		return err
	}
	if len(head)-line > maxRequestHeaders {
		return errHeaderSize
	}
	if err := r.parseFields(head[line:]); err != nil {
		return err
	}
	if err := r.parseKnown(); err != nil {
		return err
	}
	if err := r.checkHost(); err != nil {
		return err
	}
	if r.Method == http.MethodTrace {
		return errTrace
	}
	r.publish()
	return nil
}

// parseLine reads "METHOD SP target SP version". Blanks within the target are the
// target's.
func (r *request) parseLine(line string) error {
	sp1 := strings.IndexByte(line, ' ')
	sp2 := strings.LastIndexByte(line, ' ')
	if sp1 <= 0 || !octet.All(line[:sp1], octet.Token) {
		return errBadMethod
	}
	r.Method = line[:sp1]
	if sp2 <= sp1 {
		return errBadVersion
	}
	if sp2 == sp1+1 {
		return errBadURI
	}
	r.URI = line[sp1+1 : sp2]
	if !octet.All(r.URI, octet.Target) {
		if err := r.escapeURI(); err != nil {
			return err
		}
	}
	minor, err := parseVersion(line[sp2+1:])
	if err != nil {
		return err
	}
	if minor > 1 { // is to be read as 1.1 (RFC 9110 2.5)
		r.Blame(exchange.Acceptable, "NonCompliantVersion")
		minor = 1
	}
	r.minor = minor
	r.Version = [...]string{"HTTP/1.0", "HTTP/1.1"}[minor]
	return r.parseURI()
}

// parseVersion takes HTTP/1.0 and later versions of HTTP/1.
func parseVersion(s string) (minor uint8, err error) {
	if len(s) != 8 || s[:5] != "HTTP/" || s[6] != '.' || s[5]-'0' > 9 || s[7]-'0' > 9 {
		return 0, errBadVersion
	}
	if s[5] != '1' {
		return 0, errVersion
	}
	return s[7] - '0', nil
}

// parseURI takes the origin, absolute and asterisk forms of a request target.
func (r *request) parseURI() error {
	uri := r.URI
	path := uri
	switch {
	case uri[0] == '/':
	case uri == "*" && r.Method == http.MethodOptions:
	case len(uri) > 7 && isFold(uri[:7], "http://"):
		path = r.authority(7)
	case len(uri) > 8 && isFold(uri[:8], "https://"):
		path = r.authority(8)
	default:
		return errBadURI
	}
	r.Path, r.Query, _ = strings.Cut(path, "?")
	if r.Path == "" {
		r.Path = "/"
	}
	return nil
}

// authority takes the authority that begins at octet at of the URI and returns
// what follows it.
func (r *request) authority(at int) (rest string) {
	end := len(r.URI)
	if i := strings.IndexAny(r.URI[at:], "/?"); i >= 0 {
		end = at + i
	}
	r.absolute = true
	r.Host = r.URI[at:end]
	return r.URI[end:]
}

// checkHost wants exactly one good Host of an HTTP/1.1 request, and the same in
// an absolute URI.
func (r *request) checkHost() error {
	seen := false
	for i := range r.Fields {
		f := &r.Fields[i]
		if f.ID != exchange.HostField {
			continue
		}
		if seen || r.absolute && !strings.EqualFold(f.Value, r.Host) {
			return errBadHost
		}
		seen = true
		r.Host = f.Value
	}
	if !seen && r.minor == 1 {
		return errBadHost
	}
	if (seen || r.absolute) && !goodHost(r.Host) {
		return errBadHost
	}
	return nil
}

// goodHost takes a name, an IPv4 address or an IPv6 address in brackets, and a
// port if there is one.
func goodHost(p string) bool {
	name, port := splitHost(p)
	if len(name) == 0 || len(port) > 5 || !allDigits(port) {
		return false
	}
	if name[0] != '[' {
		return octet.All(name, octet.Host)
	}
	if len(name) < 4 || name[len(name)-1] != ']' {
		return false
	}
	for _, c := range []byte(name[1 : len(name)-1]) {
		hex := c >= '0' && c <= '9' || lower(c) >= 'a' && lower(c) <= 'f'
		if !hex && c != ':' && c != '.' {
			return false
		}
	}
	return true
}

// splitHost cuts the port and its colon off.
func splitHost(p string) (name, port string) {
	i := strings.LastIndexByte(p, ':')
	if i < 0 || p[len(p)-1] == ']' {
		return p, ""
	}
	return p[:i], p[i+1:]
}

func allDigits(p string) bool {
	for _, c := range []byte(p) {
		if c < '0' || c > '9' {
			return false
		}
	}
	return true
}
