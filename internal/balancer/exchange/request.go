package exchange

import (
	"context"
	"net/http"
	"net/netip"
	"time"

	"neargate/internal/decide/routing"
)

// Request is the head of a client's request. Every string is a view of its
// codec's buffer that is valid until Observer.Finished has returned: clone what
// must live longer. A codec sets the exported fields, and everybody else reads
// them, but for Note.
type Request struct {
	// Note is the Router's to keep what it decided, for Claim and Finished. A
	// pointer in it costs no allocation. nil when Route is called.
	Note any

	Method  string // e.g. "GET"; "CONNECT" of an extended CONNECT is "GET" here, with Upgrade
	Scheme  string // "http" or "https", as the connection is
	Host    string // the authority of the URI or else the Host header, with its port if one was given
	URI     string // the request target as it came, e.g. "/a?b=c" or "http://h/a"
	Path    string // not decoded, e.g. "/a%20b"; "*" of OPTIONS
	Query   string // what follows "?", not decoded
	Version string // "HTTP/1.0", "HTTP/1.1", "HTTP/2.0"; "" if none could be read
	Fields  []Field

	Length   int64 // of the body; Unknown if it ends by itself
	Chunks   bool  // the body can be had as HTTP/1 chunks, as they came
	Expects  bool  // the client waits for 100 (Continue)
	Upgrade  bool  // to a WebSocket
	Trailers bool  // the client takes trailers ("TE: trailers", or HTTP/2)

	Class       Desync // how well it complies
	ClassReason string // "" if it does
	Invalid     int    // fields whose names drop_invalid_header_fields drops

	Conn    *Conn     // that it came over
	Arrived time.Time // when its head was complete

	flow    *Flow
	trace   []byte  // value of X-Amzn-Trace-Id for the target
	extra   []Field // to add to the answer
	attempt int
	failed  *Target
	spared  routing.Kindness
}

// Unknown is the length of a body that ends by itself.
const Unknown = -1

// Conn describes a client's connection to those that serve its requests.
type Conn struct {
	Client  netip.AddrPort // who is at the other end; the zero value if it is not TCP
	Local   string         // our address, for clients that name no host
	Scheme  string         // "http" or "https"
	Started time.Time      // when it was accepted
	ID      ConnID
	// Note is of who accepted the connection, e.g. what was agreed on in TLS.
	Note any
}

// ConnID tells connections apart in logs. The zero value is none.
type ConnID [2]uint64

// Header returns the value of the first header with this name, in any case, without
// blanks around it.
func (r *Request) Header(name string) (value string, ok bool) { return find(r.Fields, name) }

// Headers yields every header in the order received.
func (r *Request) Headers(yield func(name, value string) bool) {
	for i := range r.Fields {
		if f := &r.Fields[i]; !yield(f.Name, f.Value) {
			return
		}
	}
}

// Client returns the address of the client; the zero value if it is not TCP.
func (r *Request) Client() netip.AddrPort { return r.Conn.Client }

// Trace returns the X-Amzn-Trace-Id that the target gets.
func (r *Request) Trace() string { return view(r.trace) }

// Attempt returns how many leases of this request have failed.
func (r *Request) Attempt() int { return r.attempt }

// Failed returns the target of the last lease that failed, or nil.
func (r *Request) Failed() *Target { return r.failed }

// SetAnswerHeader adds a header to the answer that the client gets, the
// target's or the balancer's own, e.g. a cookie of stickiness. Call it in
// Route, Claim or Lease.Target. The strings must be a token and a value without
// line ends, and stay unchanged until Finished.
func (r *Request) SetAnswerHeader(name, value string) {
	r.extra = append(r.extra, Field{Name: name, Value: value})
}

// Spare notes that something was done for the request where an ALB would have failed
// it; the first of several counts. A Group calls it in Claim.
func (r *Request) Spare(k routing.Kindness) { r.spared = r.spared.Then(k) }

// Context returns a context that ends when the client has gone or the server ends
// hard. It is for waits in Claim only, and ends with it. The first call may cost
// a goroutine, which ends with the request.
func (r *Request) Context() context.Context { return r.flow.claimContext() }

// Blame gives the request a class, unless it has a worse one.
func (r *Request) Blame(class Desync, reason string) {
	if class > r.Class {
		r.Class, r.ClassReason = class, reason
	}
}

// idempotent reports whether the method may be sent again after it may have
// been received (RFC 9110 9.2.2).
func (r *Request) idempotent() bool {
	switch r.Method {
	case http.MethodGet, http.MethodHead, http.MethodPut, http.MethodDelete, http.MethodOptions:
		return true
	}
	return false
}
