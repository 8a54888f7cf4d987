package http2

import (
	"crypto/rand"
	"encoding/base64"
	"net/http"
	"strings"
	"unsafe"

	"neargate/internal/balancer/exchange"
	"neargate/internal/balancer/http2/hpack"
	"neargate/internal/balancer/octet"
)

// requestHead takes the fields of a request's head.
type requestHead struct {
	req       *exchange.Request
	seen      uint16 // bits of the pseudo-fields that came
	regular   bool   // a field that is none has come
	authority string
	protocol  string
	hosts     int
	lengths   int
	cookies   int    // fields
	cookie    int    // where the first one is
	crumbs    []byte // all of them, if there are several
	block     block
}

func (h *requestHead) reset(r *exchange.Request) {
	*h = requestHead{req: r, block: h.block, crumbs: h.crumbs}
	r.Version, r.Trailers = "HTTP/2.0", true
	r.Length = exchange.Unknown
}

// Limits of one field and of the request target (load-balancer-limits).
const (
	maxLine = 16 << 10
	maxURI  = 16 << 10
)

// take implements fieldTaker.
func (h *requestHead) take(f *hpack.Field) *exchange.Fault {
	if f.Tag&tagPseudo != 0 {
		return h.takePseudo(f)
	}
	h.regular = true
	if err := check(f); err != nil {
		return err
	}
	if len(f.Name)+len(f.Value) > maxLine {
		return errLarge
	}
	r := h.req
	field := exchange.Field{Name: f.Name, Value: f.Value, ID: idOf(f.Tag)}
	switch field.ID {
	case exchange.ContentLengthField:
		n, ok := octet.Length(f.Value)
		if !ok || h.lengths > 0 {
			return errBadLength
		}
		r.Length = n
		h.lengths++
	case exchange.HostField:
		if h.hosts++; h.hosts > 1 {
			return errBadHost
		}
		r.Host = f.Value
	case exchange.TEField:
		field.Hop = true
	case exchange.ExpectField:
		r.Expects = strings.EqualFold(f.Value, "100-continue")
		field.Hop = r.Expects
	default: // steers nothing
	}
	if f.Tag&tagID == tagCookie {
		if h.cookies++; h.cookies > 1 {
			return h.addCrumb(f.Value)
		}
		h.cookie = len(r.Fields)
	}
	if f.Tag&tagPlain == 0 {
		r.Invalid++
	}
	r.Fields = append(r.Fields, field)
	return nil
}

// addCrumb joins a cookie to those that came before (RFC 9113, 8.2.3).
func (h *requestHead) addCrumb(value string) *exchange.Fault {
	first := &h.req.Fields[h.cookie].Value
	if h.cookies == 2 {
		h.crumbs = append(h.crumbs[:0], *first...)
	}
	h.crumbs = append(append(h.crumbs, "; "...), value...)
	if len(h.crumbs) > maxLine {
		return errLarge
	}
	*first = view(h.crumbs)
	return nil
}

// view is p as a string, without copying.
func view(p []byte) string { return unsafe.String(unsafe.SliceData(p), len(p)) }

func (h *requestHead) takePseudo(f *hpack.Field) *exchange.Fault {
	bit := uint16(1) << ((f.Tag & tagID) - tagUnknown)
	if h.regular || h.seen&bit != 0 {
		return errPseudo
	}
	h.seen |= bit
	r, v := h.req, f.Value
	switch f.Tag & tagID {
	case tagMethod:
		if v == "" || !octet.All(v, octet.Token) {
			return errBadMethod
		}
		r.Method = v
	case tagScheme:
		if v != "http" && v != "https" {
			return errBadScheme
		}
	case tagAuthority:
		h.authority = v
	case tagPath:
		if v == "" || !octet.All(v, octet.Target) {
			return errBadURI
		}
		r.URI = v
	case tagProtocol:
		h.protocol = v
	default: // :status, or one that nobody knows
		return errPseudo
	}
	return nil
}

// finish looks at the head as a whole.
func (h *requestHead) finish(end bool) *exchange.Fault {
	r := h.req
	const needed = 1<<(tagMethod-tagUnknown) | 1<<(tagScheme-tagUnknown) | 1<<(tagPath-tagUnknown)
	switch {
	case r.Method == http.MethodConnect && h.protocol == "":
		return errConnect
	case h.seen&needed != needed, r.Method != http.MethodConnect && h.protocol != "":
		return errPseudo
	case h.protocol != "" && h.protocol != "websocket":
		return errProtocol
	case len(r.URI) > maxURI:
		return errURITooLong
	case r.URI[0] != '/' && (r.URI != "*" || r.Method != http.MethodOptions):
		return errBadURI
	}
	r.Path, r.Query, _ = strings.Cut(r.URI, "?")
	if err := h.finishHost(); err != nil {
		return err
	}
	if h.protocol != "" {
		return h.finishUpgrade(end)
	}
	if end {
		if h.lengths > 0 && r.Length != 0 {
			return errBadLength
		}
		r.Length = 0
	}
	if r.Method == http.MethodTrace {
		return errTrace
	}
	return nil
}

// finishUpgrade takes an extended CONNECT (RFC 8441) for what HTTP/1.1 makes of a
// WebSocket. The client has no key there, which targets of HTTP/1.1 want.
func (h *requestHead) finishUpgrade(end bool) *exchange.Fault {
	r := h.req
	if end || h.lengths > 0 {
		return errBadLength
	}
	r.Method, r.Upgrade, r.Length = http.MethodGet, true, 0
	r.Fields = append(r.Fields, exchange.Field{Name: "sec-websocket-key", Value: newKey()})
	return nil
}

// newKey returns a key of a WebSocket's handshake (RFC 6455, 4.1).
func newKey() string {
	var nonce [16]byte
	_, _ = rand.Read(nonce[:])
	return base64.StdEncoding.EncodeToString(nonce[:])
}

// finishHost wants one good authority, which a Host field must not contradict.
func (h *requestHead) finishHost() *exchange.Fault {
	r := h.req
	switch {
	case h.authority == "":
	case h.hosts == 0:
		r.Host = h.authority
		r.Fields = append(r.Fields, exchange.Field{Name: "host", Value: r.Host, ID: exchange.HostField})
	case !strings.EqualFold(r.Host, h.authority):
		return errBadHost
	}
	if !goodHost(r.Host) {
		return errBadHost
	}
	return nil
}

// goodHost takes a name, an IPv4 address or an IPv6 address in brackets, and a
// port if there is one.
func goodHost(s string) bool {
	name, port := s, ""
	if i := strings.LastIndexByte(s, ':'); i >= 0 && s[len(s)-1] != ']' {
		name, port = s[:i], s[i+1:]
	}
	if _, ok := octet.Length(port); name == "" || port != "" && !ok || len(port) > 5 {
		return false
	}
	if name[0] != '[' {
		return octet.All(name, octet.Host)
	}
	if len(name) < 4 || name[len(name)-1] != ']' {
		return false
	}
	return strings.Trim(name[1:len(name)-1], "0123456789abcdefABCDEF:.") == ""
}

// What CONNECT is refused for: as a method that a proxy of its own would need, and
// for another protocol than a WebSocket's.
var (
	errConnect  = &exchange.Fault{Status: 405, Reason: "Connect"}
	errProtocol = &exchange.Fault{Status: 501, Reason: "ConnectProtocol"}
)

// wellFormed reports whether a request is refused for another reason than that it
// is malformed.
func wellFormed(f *exchange.Fault) bool {
	return f == errLarge || f == errURITooLong || f == errTrace || f == errConnect || f == errProtocol
}
