package exchange

import (
	"errors"
	"time"
)

// How reading or writing ends, beside a connection's own errors. Codecs return
// them as they are or wrapped.
var (
	// ErrIdle is the end of a wait that took as long as it may.
	ErrIdle = errors.New("idle timeout")
	// ErrWoken is the end of a wait that a Wake ended.
	ErrWoken = errors.New("woken")
	// ErrMalformed is of an answer that cannot be passed on.
	ErrMalformed = errors.New("malformed answer")
	// ErrUnprocessed is of a target that says that it has not looked at the
	// request, e.g. by REFUSED_STREAM: it may be sent again whatever it is.
	ErrUnprocessed = errors.New("not processed")
)

// Fault is why a client's message cannot be passed on: the status that it gets
// and AWS's reason (load-balancer-access-logs, "Classification reasons"), or our
// own word where AWS has none.
type Fault struct { //nolint:errname // of a message first, an error by the way
	Status int
	Reason string
	Class  Desync
}

// Error returns the reason.
func (e *Fault) Error() string { return e.Reason }

// Form is how the octets of a body are passed between a codec and a Flow.
type Form uint8

// The forms. Chunks are HTTP/1's, with sizes and trailers, as they came; they
// pass from HTTP/1 to HTTP/1 without being taken apart.
const (
	Payload Form = iota
	Chunks
)

// Body is the reading side of a message: of a client's request or of a target's
// answer. Its parts are views that are valid until the next call.
type Body interface {
	// Buffered returns what has come of the body with the head, without waiting,
	// and whether that is all of it. It may be called again, with another form
	// too, until Next is called, which goes on in the form of the last call.
	Buffered(form Form) (p []byte, whole bool, err error)
	// Next waits for the part after what Buffered and Next have returned, no longer
	// than limit. done reports that it is the last; it may be empty. A body
	// that broke off is an error of any kind, a malformed one a *Fault of a
	// client and ErrMalformed of a target.
	Next(limit time.Duration) (p []byte, done bool, err error)
	// Trailers returns the fields that came behind the body, once it is whole. In
	// the form Chunks there are none: they are within.
	Trailers() []Field
	// Wake has the wait that is under way, or else the next one, end with
	// ErrWoken. It may be called from any goroutine.
	Wake()
}

// Client is one request of a client, as a codec serves it to a Flow. After an
// upgrade (a Head with status 101, which the codec puts in its protocol's words)
// its Body is what the client sends from then on, up to the end of that
// direction.
//
// Writes give up with ErrIdle after Flow.Settings().IdleTimeout without progress. A
// write that fails otherwise means that the client has gone.
type Client interface { //nolint:interfacebloat // what a codec does with one request
	Body
	// Collect waits until the whole body has come, whose length is known, and lies
	// in Buffered. limit is for each wait.
	Collect(limit time.Duration) error
	// Continue sends 100 (Continue).
	Continue() error
	// Watch has the codec call Flow.Gone when the client leaves, until the request
	// has ended. It may be called more than once. A codec that always does
	// has nothing to do here; one that must read for it reads no more than its
	// buffer holds.
	Watch()
	// Interim passes an interim answer on, such as 103, if the client can take one.
	Interim(h *Head) error
	// Respond begins the answer: its head and the first part of the body. end
	// reports that it is all. The codec frames the body as h.Length says, adds
	// what is of its connection only, and sends everything at once.
	Respond(h *Head, p []byte, end bool) error
	// Write passes on more of the body, in the form of the Head.
	Write(p []byte, end bool) error
	// WriteTrailers ends the body with trailers, where the client can take them.
	WriteTrailers(fields []Field) error
	// Abort has the answer break off, so that the client does not take it for
	// whole. hard reports that an ordinary end would look like that.
	Abort(hard bool)
	// Counts returns the octets that came from and went to the client for this
	// request.
	Counts() (received, sent int64)
}
