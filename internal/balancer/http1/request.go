package http1

import (
	"context"
	"net/netip"
	"strings"
	"time"
	"unsafe"
)

// Request is the head of a request, read in place: every string is a view of
// the connection's buffer that is valid until Observer.Finished has returned.
// Clone what must live longer.
type Request struct {
	// Note is the Router's to keep what it decided, for Claim and Finished. A
	// pointer in it costs no allocation. nil when Route is called.
	Note any

	conn *Conn

	// Set by parsing; offsets into buf.
	buf          []byte
	method, uri  span
	path, query  span
	host         span
	end          int // of the head
	firstField   int // where the fields begin
	fields       []field
	minor        uint8 // of the version
	absolute     bool  // the URI had a scheme and an authority
	wantsClose   bool
	wantsKeep    bool
	wantsUpgrade bool   // to websocket
	expects      bool   // 100-continue
	connections  []byte // the Connection list, if it names other fields
	body         bodyKind
	length       int64 // of lengthBody
	lengths      int   // Content-Length fields seen
	class        Desync
	reason       string
	invalid      int // fields whose names drop_invalid_header_fields drops

	client   netip.AddrPort
	arrived  time.Time
	trace    []byte // value of X-Amzn-Trace-Id for the target
	extra    []byte // header lines to add to the answer
	timedOut bool   // the last try found no connection in time
	attempt  int
	failed   *Target
}

// bodyKind is how the end of a body is found.
type bodyKind uint8

const (
	noBody bodyKind = iota
	lengthBody
	chunkedBody
	closeBody // answers only
)

// view is p as a string, without copying.
func view(p []byte) string { return unsafe.String(unsafe.SliceData(p), len(p)) }

func (r *Request) text(s span) string { return view(s.of(r.buf)) }

// Method is the method, e.g. "GET".
func (r *Request) Method() string { return r.text(r.method) }

// URI is the request target as it came, e.g. "/a?b=c" or "http://h/a".
func (r *Request) URI() string { return r.text(r.uri) }

// Path is the path, not decoded, e.g. "/a%20b"; "*" of OPTIONS.
func (r *Request) Path() string {
	if r.path.from == r.path.to && r.absolute {
		return "/"
	}
	return r.text(r.path)
}

// Query is what follows "?", not decoded.
func (r *Request) Query() string { return r.text(r.query) }

// Host is the authority of the URI or else the Host header, with its port if
// one was given; "" if an HTTP/1.0 client gave none.
func (r *Request) Host() string { return r.text(r.host) }

// Version is "HTTP/1.0" or "HTTP/1.1"; "" if no request line could be read.
func (r *Request) Version() string {
	switch {
	case r.uri.to == 0:
		return ""
	case r.minor == 0:
		return "HTTP/1.0"
	}
	return "HTTP/1.1"
}

// Header is the value of the first header with this name, in any case, without
// blanks around it.
func (r *Request) Header(name string) (value string, ok bool) {
	for i := range r.fields {
		f := &r.fields[i]
		if len(name) == f.name.to-f.name.from && strings.EqualFold(name, r.text(f.name)) {
			return r.text(f.value), true
		}
	}
	return "", false
}

// Headers is every header in the order received.
func (r *Request) Headers(yield func(name, value string) bool) {
	for i := range r.fields {
		if f := &r.fields[i]; !yield(r.text(f.name), r.text(f.value)) {
			return
		}
	}
}

// Client is the address of the client; the zero value if it is not TCP.
func (r *Request) Client() netip.AddrPort { return r.client }

// Arrived is when the head of the request was complete.
func (r *Request) Arrived() time.Time { return r.arrived }

// Trace is the X-Amzn-Trace-Id that the target gets; "" until the request is sent
// to one.
func (r *Request) Trace() string { return view(r.trace) }

// Attempt is how many leases of this request have failed.
func (r *Request) Attempt() int { return r.attempt }

// Failed is the target of the last lease that failed, or nil.
func (r *Request) Failed() *Target { return r.failed }

// SetAnswerHeader adds a header to the answer that the client gets, the
// target's or the balancer's own, e.g. a cookie of stickiness. Call it in
// Route, Claim or Lease.Target. The strings are copied; they must be a token
// and a value without line ends.
func (r *Request) SetAnswerHeader(name, value string) {
	r.extra = append(r.extra, name...)
	r.extra = append(r.extra, ": "...)
	r.extra = append(r.extra, value...)
	r.extra = append(r.extra, "\r\n"...)
}

// Context ends when the client has gone or the server ends hard. For waits in
// Claim only: the first call starts a goroutine that watches the client, which
// ends when Claim returns.
func (r *Request) Context() context.Context { return r.conn.watch() }

// reset forgets the last request but keeps what can be reused.
func (r *Request) reset() {
	*r = Request{conn: r.conn, client: r.client, fields: r.fields[:0], trace: r.trace[:0], extra: r.extra[:0]}
}

// idempotent reports whether the method may be sent again after it may have
// been received (RFC 9110 9.2.2).
func (r *Request) idempotent() bool {
	switch r.Method() {
	case "GET", "HEAD", "PUT", "DELETE", "OPTIONS":
		return true
	}
	return false
}

// blame gives the request a class, unless it has a worse one.
func (r *Request) blame(class Desync, reason string) {
	if class > r.class {
		r.class, r.reason = class, reason
	}
}
