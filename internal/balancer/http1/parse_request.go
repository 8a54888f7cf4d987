package http1

import "bytes"

// parse reads the head buf[at:end], which headEnd has found. What could be read
// before an error stays set, for the access log.
func (r *Request) parse(buf []byte, at, end int) error {
	r.buf, r.end = buf, end
	line := bytes.IndexByte(buf[at:end], '\n') + 1
	if line > maxRequestLine {
		return errURITooLong
	}
	r.firstField = at + line
	if err := r.parseLine(at, r.firstField-2); err != nil {
		return err
	}
	if end-r.firstField > maxRequestHeaders {
		return errHeaderSize
	}
	var err error
	if r.fields, err = parseFields(r.fields, buf, r.firstField, maxHeaderLine); err != nil {
		return err
	}
	if err := r.parseKnown(); err != nil {
		return err
	}
	if err := r.checkHost(); err != nil {
		return err
	}
	if r.Method() == "TRACE" {
		return errTrace
	}
	return nil
}

// parseLine reads "METHOD SP target SP version", with single blanks only.
func (r *Request) parseLine(at, end int) error {
	line := r.buf[at:end]
	sp1 := bytes.IndexByte(line, ' ')
	sp2 := bytes.LastIndexByte(line, ' ')
	if sp1 <= 0 || !all(line[:sp1], tokenChar) {
		return errBadMethod
	}
	r.method = span{at, at + sp1}
	if sp2 <= sp1 {
		return errBadVersion
	}
	if sp2 == sp1+1 || !all(line[sp1+1:sp2], targetChar) {
		return errBadURI
	}
	r.uri = span{at + sp1 + 1, at + sp2}
	minor, err := parseVersion(line[sp2+1:])
	if err != nil {
		return err
	}
	r.minor = minor
	return r.parseURI()
}

// parseVersion takes HTTP/1.0 and HTTP/1.1.
func parseVersion(p []byte) (minor uint8, err error) {
	if len(p) != 8 || string(p[:5]) != "HTTP/" || p[6] != '.' || p[5]-'0' > 9 || p[7]-'0' > 9 {
		return 0, errBadVersion
	}
	if p[5] != '1' || p[7] > '1' {
		return 0, errVersion
	}
	return p[7] - '0', nil
}

// parseURI takes the origin, absolute and asterisk forms of a request target.
func (r *Request) parseURI() error {
	uri := r.uri.of(r.buf)
	from := r.uri.from
	switch {
	case uri[0] == '/':
	case uri[0] == '*' && len(uri) == 1 && r.Method() == "OPTIONS":
	case len(uri) > 7 && isFold(uri[:7], "http://"):
		from += r.authority(7)
	case len(uri) > 8 && isFold(uri[:8], "https://"):
		from += r.authority(8)
	default:
		return errBadURI
	}
	r.path = span{from, r.uri.to}
	if q := bytes.IndexByte(r.buf[from:r.uri.to], '?'); q >= 0 {
		r.path.to = from + q
		r.query = span{from + q + 1, r.uri.to}
	}
	return nil
}

// authority takes the authority that begins at octet at of the URI and returns
// where it ends.
func (r *Request) authority(at int) int {
	uri := r.uri.of(r.buf)
	end := len(uri)
	if i := bytes.IndexAny(uri[at:], "/?"); i >= 0 {
		end = at + i
	}
	r.absolute = true
	r.host = span{r.uri.from + at, r.uri.from + end}
	return end
}

// checkHost wants exactly one good Host of an HTTP/1.1 request, and the same in
// an absolute URI.
func (r *Request) checkHost() error {
	seen := false
	for i := range r.fields {
		f := &r.fields[i]
		if f.id != hostField {
			continue
		}
		value := f.value.of(r.buf)
		if seen || r.absolute && !bytes.EqualFold(value, r.host.of(r.buf)) {
			return errBadHost
		}
		seen = true
		r.host = f.value
	}
	if !seen && r.minor == 1 {
		return errBadHost
	}
	if (seen || r.absolute) && !goodHost(r.host.of(r.buf)) {
		return errBadHost
	}
	return nil
}

// goodHost takes a name, an IPv4 address or an IPv6 address in brackets, and a
// port if there is one.
func goodHost(p []byte) bool {
	name, port := splitHost(p)
	if len(name) == 0 || len(port) > 5 || !allDigits(port) {
		return false
	}
	if name[0] != '[' {
		return all(name, hostChar)
	}
	if len(name) < 4 || name[len(name)-1] != ']' {
		return false
	}
	for _, c := range name[1 : len(name)-1] {
		hex := c >= '0' && c <= '9' || lower(c) >= 'a' && lower(c) <= 'f'
		if !hex && c != ':' && c != '.' {
			return false
		}
	}
	return true
}

// splitHost cuts the port and its colon off.
func splitHost(p []byte) (name, port []byte) {
	i := bytes.LastIndexByte(p, ':')
	if i < 0 || len(p) > 0 && p[len(p)-1] == ']' {
		return p, nil
	}
	return p[:i], p[i+1:]
}

func allDigits(p []byte) bool {
	for _, c := range p {
		if c < '0' || c > '9' {
			return false
		}
	}
	return true
}
