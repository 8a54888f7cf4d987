package http1

import (
	"context"
	"net/netip"
	"time"
)

// Request is the head of a request, read in place: every string is a view of
// the connection's buffer that is valid until Observer.Finished has returned.
// Clone what must live longer.
type Request struct {
	// Note is the Router's to keep what it decided, for Claim and Finished. A
	// pointer in it costs no allocation. nil when Route is called.
	Note any
}

// Method is the method, e.g. "GET".
func (r *Request) Method() string { return "" }

// URI is the request target as it came, e.g. "/a?b=c" or "http://h/a".
func (r *Request) URI() string { return "" }

// Path is the path, not decoded, e.g. "/a%20b"; "*" of OPTIONS.
func (r *Request) Path() string { return "" }

// Query is what follows "?", not decoded.
func (r *Request) Query() string { return "" }

// Host is the authority of the URI or else the Host header, with its port if
// one was given; "" if an HTTP/1.0 client gave none.
func (r *Request) Host() string { return "" }

// Version is "HTTP/1.0" or "HTTP/1.1".
func (r *Request) Version() string { return "" }

// Header is the value of the first header with this name, in any case, without
// blanks around it.
func (r *Request) Header(name string) (value string, ok bool) { return "", false }

// Headers is every header in the order received.
func (r *Request) Headers(yield func(name, value string) bool) {}

// Client is the address of the client.
func (r *Request) Client() netip.AddrPort { return netip.AddrPort{} }

// TraceID is the X-Amzn-Trace-Id that the target gets.
func (r *Request) TraceID() string { return "" }

// Arrived is when the head of the request was complete.
func (r *Request) Arrived() time.Time { return time.Time{} }

// Attempt is how many leases of this request have failed.
func (r *Request) Attempt() int { return 0 }

// Failed is the target of the last lease that failed, or nil.
func (r *Request) Failed() *Target { return nil }

// SetAnswerHeader adds a header to the answer that the client gets, the
// target's or the balancer's own, e.g. a cookie of stickiness. Call it in
// Route, Claim or Lease.Target. The strings are copied.
func (r *Request) SetAnswerHeader(name, value string) {}

// Context ends when the client has gone or the server ends hard. For waits in
// Claim only: the first call starts a goroutine that watches the client, which
// ends when Claim returns.
func (r *Request) Context() context.Context { return context.TODO() }
